// SPDX-License-Identifier: Apache-2.0
// The code of the thread that parse-thread.ts starts.

import { parseTracingPolicy, renderProblem, type TracingPolicy } from "@rthooks/policy";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { resetPriority } from "@rthooks/sys/priority";
import { parseYaml } from "@rthooks/yaml";
import type { WrittenText } from "../../base/core/written-text.ts";
import { parsePodList } from "../../pods/core/pod-list.ts";
import { parsePolicyText } from "../../policies/edge/policy-text.ts";
import type { ParseJob, ParseReport } from "./parse-thread.ts";

// The global object of the worker; the types of the main thread lack it.
declare const self: Worker;

function work({ kind, written }: ParseJob): ParseReport {
  switch (kind) {
    case "policy":
      return { kind, result: parse(written, parsePolicyText) };
    case "object":
      return { kind, result: parse(written, parsePolicyObject) };
    case "pods":
      return { kind, result: parse(written, (text) => parsePodList(text, parseYaml)) };
  }
}

function parsePolicyObject(json: string): Result<TracingPolicy, string> {
  const policy = parseTracingPolicy(JSON.parse(json));
  return policy.ok ? policy : err(policy.error.map(renderProblem).join("; "));
}

function parse<T>(written: WrittenText, read: (text: string) => Result<T, string>): Result<T, string> {
  try {
    const text = typeof written === "string" ? ok(written) : decode(written);
    return text.ok ? read(text.value) : text;
  } catch (error) {
    // Such as a stack overflow. The thread must survive for the next job.
    return err(`it cannot be parsed: ${describeError(error)}`);
  }
}

/** Removes a byte order mark. */
function decode(bytes: Uint8Array): Result<string, string> {
  try {
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return err("it is not UTF-8: save it as UTF-8");
  }
}

// Parsing has a lower priority than hook calls.
resetPriority();
self.onmessage = ({ data }: MessageEvent<ParseJob>) => self.postMessage(work(data));
