// SPDX-License-Identifier: Apache-2.0
// The flags of the export. Names and meanings are Tetragon's (pkg/option/flags.go).

import { GetEventsRequest } from "@rthooks/proto/events";
import { err, ok, type Result } from "@rthooks/result";
import type { ExportSettings } from "../core/export-settings.ts";
import { compileWishes } from "./read-request.ts";
import { parseFieldFilters, parseFilters } from "./written-filters.ts";

export interface ExportFlags {
  readonly "export-filename": string;
  readonly "export-file-max-size-mb": string;
  /** Milliseconds. */
  readonly "export-file-rotation-interval": number;
  readonly "export-file-max-backups": string;
  readonly "export-file-compress": boolean;
  readonly "export-file-perm": string;
  readonly "export-rate-limit": string;
  readonly "export-allowlist": string;
  readonly "export-denylist": string;
  readonly "field-filters": string;
}

/** Undefined where nothing is exported. The error names the flag. */
export function toExportSettings(
  flags: ExportFlags,
  nowMs: () => number,
): Result<ExportSettings | undefined, string> {
  const path = flags["export-filename"];
  const rateLimit = parseNumber(flags, "export-rate-limit", -1);
  if (!rateLimit.ok) return rateLimit;
  if (path === "" || rateLimit.value === 0) return ok(undefined);
  const maxMegabytes = parseNumber(flags, "export-file-max-size-mb", 1);
  if (!maxMegabytes.ok) return maxMegabytes;
  const maxBackups = parseNumber(flags, "export-file-max-backups", 0);
  if (!maxBackups.ok) return maxBackups;
  const mode = parseMode(flags["export-file-perm"]);
  if (!mode.ok) return mode;
  const request = toRequest(flags);
  if (!request.ok) return request;
  const wishes = compileWishes(request.value, nowMs);
  if (!wishes.ok) return err(`the filters of the export: ${wishes.error}`);
  return ok({
    path,
    maxBytes: maxMegabytes.value * 1024 * 1024,
    maxBackups: maxBackups.value,
    compresses: flags["export-file-compress"],
    mode: mode.value,
    rotationIntervalMs: flags["export-file-rotation-interval"],
    rateLimit: rateLimit.value < 0 ? undefined : rateLimit.value,
    request: GetEventsRequest.encode(request.value).finish(),
  });
}

function toRequest(flags: ExportFlags): Result<GetEventsRequest, string> {
  const allowList = parseFilters(flags["export-allowlist"]);
  if (!allowList.ok) return err(`--export-allowlist: ${allowList.error}`);
  const denyList = parseFilters(flags["export-denylist"]);
  if (!denyList.ok) return err(`--export-denylist: ${denyList.error}`);
  const fieldFilters = parseFieldFilters(flags["field-filters"]);
  if (!fieldFilters.ok) return err(`--field-filters: ${fieldFilters.error}`);
  return ok({
    allowList: allowList.value,
    denyList: denyList.value,
    fieldFilters: fieldFilters.value,
    aggregationOptions: undefined,
  });
}

type NumberFlag = "export-file-max-size-mb" | "export-file-max-backups" | "export-rate-limit";

function parseNumber(flags: ExportFlags, name: NumberFlag, least: number): Result<number, string> {
  const text = flags[name];
  const number = Number(text);
  return /^-?\d{1,9}$/.test(text) && number >= least
    ? ok(number)
    : err(`--${name} ${JSON.stringify(text)} is not a number from ${least} on`);
}

/** Octal. The owner can always read and write; no one executes, and others do not write, as Tetragon has it. */
function parseMode(text: string): Result<number, string> {
  if (!/^0?[0-7]{3}$/.test(text)) {
    return err(`--export-file-perm ${JSON.stringify(text)} is not a mode such as 640`);
  }
  return ok((Number.parseInt(text, 8) & 0o664) | 0o600);
}
