// SPDX-License-Identifier: Apache-2.0
// A call that lasts, made again when the agent has ended it.

import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@grpc/grpc-js";
import { createBackOff } from "@rthooks/net";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import { followOutput } from "@rthooks/sys/follow-output";
import { toPrintable } from "@rthooks/terminal";
import type { WireError } from "../../base/wire/service.ts";
import { describeFailedCall, openAgentClient } from "./agent-client.ts";
import type { AgentEndpoint } from "./agent-endpoints.ts";

export interface FollowOptions {
  readonly command: "watch" | "events";
  /** What the agent is asked for: "changes". */
  readonly what: string;
  /** The first that answers is used; all are tried again when it ends. */
  readonly endpoints: readonly AgentEndpoint[];
  /** Of the first answer of a call. */
  readonly timeoutMs: number;
}

export interface FollowedCall {
  /** The agent serves the call. */
  onAnswer(): void;
  /** Gets the function that cancels the call. */
  onCancel(cancel: () => void): void;
}

const pauses = { firstMs: 100, longestMs: 5_000 };

/** Errors that another attempt does not change. */
const lasting: readonly number[] = [
  grpcCode.unimplemented,
  grpcCode.invalidArgument,
  grpcCode.permissionDenied,
];

/** `call` resolves with the error that ended it. Ends with SIGINT or SIGTERM, or with an error of one line. */
export async function followAgents(
  { command, what, endpoints, timeoutMs }: FollowOptions,
  call: (client: Client, listener: FollowedCall) => Promise<WireError>,
): Promise<Result<void, string>> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop.abort());
  followOutput();
  // On standard error, which does not disturb what reads the output.
  const notify = (text: string) => process.stderr.write(`tetragon: ${command}: ${toPrintable(text)}\n`);
  const backOff = createBackOff(pauses, Math.random);
  let hadAnswer = false;

  const callOnce = async (
    endpoint: AgentEndpoint,
  ): Promise<{ readonly answered: boolean; error: WireError }> => {
    const { target } = endpoint;
    const client = openAgentClient(endpoint);
    let answered = false;
    let isLate = false;
    let cancel = (): void => {};
    const deadline = setTimeout(() => {
      isLate = true;
      cancel();
    }, timeoutMs);
    const error = await call(client, {
      onCancel(cancelCall) {
        cancel = cancelCall;
        if (stop.signal.aborted) cancelCall();
        else stop.signal.addEventListener("abort", cancelCall, { once: true });
      },
      onAnswer() {
        if (answered) return;
        answered = true;
        clearTimeout(deadline);
        backOff.reset();
        if (hadAnswer) notify(`connected again to the agent at ${target}`);
        hadAnswer = true;
      },
    });
    clearTimeout(deadline);
    stop.signal.removeEventListener("abort", cancel);
    client.close();
    return { answered, error: isLate ? { code: grpcCode.deadlineExceeded, details: "" } : error };
  };

  while (!stop.signal.aborted) {
    const problems: string[] = [];
    for (const endpoint of endpoints) {
      const { target } = endpoint;
      const { answered, error } = await callOnce(endpoint);
      if (stop.signal.aborted) return ok(undefined);
      problems.push(describeFailedCall(error, { target, timeoutMs, what }));
      if (lasting.includes(error.code)) return err(problems.join("\n"));
      if (answered) {
        notify(`the agent at ${target} ended the connection (${error.details}); connecting again`);
        break;
      }
    }
    if (!hadAnswer) return err(problems.join("\n"));
    await sleep(backOff.next(), undefined, { signal: stop.signal }).catch(() => {});
  }
  return ok(undefined);
}
