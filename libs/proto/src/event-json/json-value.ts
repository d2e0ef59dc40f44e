// SPDX-License-Identifier: Apache-2.0
// Values as protobuf's JSON mapping has them (protobuf.dev, "ProtoJSON Format"). Undefined: the field is left out, since it
// has the default of its type.

interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** One JSON.stringify for a whole message: one for each text takes ten times as long. */
export function renderJson(value: object): string {
  const json = JSON.stringify(value);
  // JSON.stringify escapes unpaired surrogates, which have no UTF-8: Go's protojson refuses such a line.
  return json.includes("\\ud") ? json.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "$1\ufffd") : json;
}

export const orNone = <T extends string | number | boolean>(value: T): T | undefined => value || undefined;

/** JSON numbers do not hold 64 bits: a text. */
export const toLong = (value: bigint): string | undefined => (value === 0n ? undefined : `${value}`);

export const toList = <T, J>(values: readonly T[], toValue: (value: T) => J): readonly J[] | undefined =>
  values.length === 0 ? undefined : values.map(toValue);

/** Without prototype: a label may be called "__proto__". */
export function toMap(value: ReadonlyMap<string, string>): Readonly<Record<string, string>> | undefined {
  if (value.size === 0) return undefined;
  const object: Record<string, string> = Object.create(null);
  for (const [key, text] of value) object[key] = text;
  return object;
}

/** The name of the enum's value; the number of one that has none. */
export function createEnumNames<T extends number>(
  values: Readonly<Record<string, T>>,
): (value: T) => string | number | undefined {
  const names = new Map<number, string>(Object.entries(values).map(([text, value]) => [value, text]));
  return (value) => (value === 0 ? undefined : (names.get(value) ?? value));
}

/** The last second and the last day that were written, since most times are near each other. */
let lastSecond = { seconds: Number.NaN, text: "" };
let lastDay = { day: Number.NaN, text: "" };

/** RFC 3339 with 0, 3, 6 or 9 digits, as few as the value needs. */
export function toTime(value: Timestamp | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = toSecondText(Number(value.seconds));
  const { nanos } = value;
  if (nanos === 0) return `${text}Z`;
  const digits = String(1_000_000_000 + nanos);
  // The first digit is the one of the number that was added.
  return `${text}.${digits.slice(1, nanos % 1_000_000 === 0 ? 4 : nanos % 1_000 === 0 ? 7 : 10)}Z`;
}

function toSecondText(seconds: number): string {
  if (seconds === lastSecond.seconds) return lastSecond.text;
  const day = Math.floor(seconds / secondsOfDay);
  if (day !== lastDay.day) lastDay = { day, text: toDateText(day) };
  const inDay = seconds - day * secondsOfDay;
  const hour = Math.floor(inDay / 3600);
  const minute = Math.floor(inDay / 60) % 60;
  const text = `${lastDay.text}T${toTwoDigits(hour)}:${toTwoDigits(minute)}:${toTwoDigits(inDay % 60)}`;
  lastSecond = { seconds, text };
  return text;
}

const secondsOfDay = 86_400;

const toTwoDigits = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

/** The date of a day since 1970-01-01, in the proleptic Gregorian calendar, whose years are counted from March here. */
function toDateText(day: number): string {
  const sinceYear0 = day + 719_468;
  const era = Math.floor(sinceYear0 / 146_097);
  const dayOfEra = sinceYear0 - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  const year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0);
  return `${String(year).padStart(4, "0")}-${toTwoDigits(month < 10 ? month + 3 : month - 9)}-${toTwoDigits(dayOfMonth)}`;
}
