// SPDX-License-Identifier: Apache-2.0
// Values as protobuf's JSON mapping has them (protobuf.dev, "ProtoJSON Format"). Undefined: the field is left out, since it
// has the default of its type.

interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: number;
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

/** The last minute that was written, since most times are near each other. */
let lastMinute = { minute: Number.NaN, text: "" };

/** RFC 3339 with 0, 3, 6 or 9 digits, as few as the value needs. */
export function toTime(value: Timestamp | undefined): string | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value.seconds);
  const minute = Math.floor(seconds / 60);
  if (minute !== lastMinute.minute) {
    lastMinute = { minute, text: new Date(minute * 60_000).toISOString().slice(0, 17) };
  }
  const second = seconds - minute * 60;
  const text = `${lastMinute.text}${second < 10 ? "0" : ""}${second}`;
  if (value.nanos === 0) return `${text}Z`;
  const digits = String(value.nanos).padStart(9, "0");
  const length = digits.endsWith("000000") ? 3 : digits.endsWith("000") ? 6 : 9;
  return `${text}.${digits.slice(0, length)}Z`;
}
