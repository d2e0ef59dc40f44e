// SPDX-License-Identifier: Apache-2.0
// A thread that parses YAML and JSON, so that hook calls do not wait for the parser.

import type { Pod } from "@rthooks/kube";
import type { TracingPolicy } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import type { WrittenText } from "../../base/core/written-text.ts";
import { createJobThread } from "../../base/edge/job-thread.ts";
import type { PodParser } from "../../pods/core/pod-parser.ts";
import type { PolicyParser } from "../../policies/core/policy-parser.ts";

export interface ParseJob {
  readonly kind: "policy" | "object" | "pods";
  readonly written: WrittenText;
}

export type ParseReport =
  | { readonly kind: "policy" | "object"; readonly result: Result<TracingPolicy, string> }
  | { readonly kind: "pods"; readonly result: Result<readonly Pod[], string> };

export interface ParseThread extends PolicyParser, PodParser {
  close(): void;
}

export function startParseThread(): ParseThread {
  const thread = createJobThread<ParseJob, ParseReport>(
    () => new Worker(new URL("./parse-worker.ts", import.meta.url)),
  );
  // Start the thread now: starting it later without free descriptors would end the process.
  void thread.run({ kind: "policy", written: "" });
  const whyNot = (report: Result<ParseReport, string>): Result<never, string> =>
    err(`it was not parsed: ${report.ok ? "the answer belongs to another job" : report.error}`);
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
