// SPDX-License-Identifier: Apache-2.0
// Durations in Go's format: "10s", "1m30s", "250ms", "0".

import { err, ok, type Result } from "@rthooks/result";

function unitMs(unit: string): number {
  switch (unit) {
    case "ns":
      return 1e-6;
    case "us":
    // The micro sign and the Greek letter mu.
    case "\u00b5s":
    case "\u03bcs":
      return 1e-3;
    case "ms":
      return 1;
    case "s":
      return 1_000;
    case "m":
      return 60_000;
    case "h":
      return 3_600_000;
    default:
      return Number.NaN;
  }
}

/** Go's longest duration, 2^63 - 1 nanoseconds. */
const LONGEST_MS = 9_223_372_036_854;

/** Returns milliseconds. A number without a unit, except 0, and a negative duration are errors. */
export function parseDuration(text: string): Result<number, string> {
  const ms = text === "0" ? 0 : sumTerms(text);
  return ms <= LONGEST_MS
    ? ok(ms)
    : err(`${JSON.stringify(text)} is not a duration: write it like 10s, 1m30s or 250ms`);
}

/**
 * NaN for an invalid duration. Without a regular expression: the hook parses its defaults at every start, and would compile
 * the expression each time.
 */
function sumTerms(text: string): number {
  let totalMs = text === "" ? Number.NaN : 0;
  for (let at = 0; at < text.length; ) {
    const numberAt = at;
    while (isNumeric(text.charCodeAt(at))) at++;
    const unitAt = at;
    while (at < text.length && !isNumeric(text.charCodeAt(at))) at++;
    const number = text.slice(numberAt, unitAt);
    // Number("") is 0; any other text of digits and points is parsed correctly or NaN.
    const factor = number === "" ? Number.NaN : unitMs(text.slice(unitAt, at));
    totalMs += Number(number) * factor;
  }
  return totalMs;
}

/** Whether the character is a digit or a point. */
const isNumeric = (code: number): boolean => (code >= 48 && code <= 57) || code === 46;

export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 1) return ms < 1e-3 ? `${trim(ms * 1e6)}ns` : `${trim(ms * 1e3)}µs`;
  if (ms < 1_000) return `${trim(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = trim((ms % 60_000) / 1_000);
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** At most nine digits after the point: nanoseconds of a second. */
const trim = (value: number): string => String(Number(value.toFixed(9)));
