// SPDX-License-Identifier: Apache-2.0
// A thread that parses what people write, so that no hook call waits for it.

import type { TracingPolicy } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import type { Pod } from "../core/pod-source.ts";
import { createJobThread } from "./job-thread.ts";

/** What a call brings, or a file has. */
export type Written = string | Uint8Array;

export interface ParseJob {
  readonly kind: "policy" | "object" | "pods";
  readonly written: Written;
}

export type ParseReport =
  | { readonly kind: "policy" | "object"; readonly result: Result<TracingPolicy, string> }
  | { readonly kind: "pods"; readonly result: Result<readonly Pod[], string> };

export interface Parser {
  /** The error has a line for each problem. */
  parsePolicy(written: Written): Promise<Result<TracingPolicy, string>>;
  /** An object of the API server, in JSON; the error is one line. */
  parsePolicyObject(written: string): Promise<Result<TracingPolicy, string>>;
  /** The error is one line. */
  parsePods(written: Written): Promise<Result<readonly Pod[], string>>;
}

export interface ParseThread extends Parser {
  close(): void;
}

export function startParseThread(): ParseThread {
  const thread = createJobThread<ParseJob, ParseReport>(
    () => new Worker(new URL("./parse-worker.ts", import.meta.url)),
  );
  // Later there may be no descriptors left to start it with, which ends the process.
  void thread.run({ kind: "policy", written: "" });
  const whyNot = (report: Result<ParseReport, string>): Result<never, string> =>
    err(`it was not parsed: ${report.ok ? "another job's answer" : report.error}`);
  return {
    async parsePolicy(written) {
      const report = await thread.run({ kind: "policy", written });
      return report.ok && report.value.kind === "policy" ? report.value.result : whyNot(report);
    },
    async parsePolicyObject(written) {
      const report = await thread.run({ kind: "object", written });
      return report.ok && report.value.kind === "object" ? report.value.result : whyNot(report);
    },
    async parsePods(written) {
      const report = await thread.run({ kind: "pods", written });
      return report.ok && report.value.kind === "pods" ? report.value.result : whyNot(report);
    },
    close: thread.close,
  };
}
