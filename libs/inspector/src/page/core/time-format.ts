// SPDX-License-Identifier: Apache-2.0

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");

/** Local time of day: "20:14:03.120". */
export function renderTime(atMs: number): string {
  const date = new Date(atMs);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part, 2)).join(":");
  return `${time}.${pad(date.getMilliseconds(), 3)}`;
}

/** With three digits or so: "0.42 ms", "12 ms", "3.4 s", "2 min 5 s", "3 h 2 min". */
export function renderDuration(ms: number): string {
  const value = Math.max(0, ms);
  if (value < 10) return `${value.toFixed(2)} ms`;
  if (value < 1000) return `${Math.round(value)} ms`;
  const seconds = Math.round(value / 1000);
  if (seconds < 10) return `${(value / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
