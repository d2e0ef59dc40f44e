// SPDX-License-Identifier: Apache-2.0
// `tetragon watch`: one call that lasts, made again when the agent has ended it.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { nowNanos } from "@rthooks/log";
import { createBackOff, renderAddress } from "@rthooks/net";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import { followOutput } from "@rthooks/sys/follow-output";
import type { OutputFormat } from "@rthooks/terminal";
import { openScreen } from "@rthooks/terminal/screen";
import { parseServerAddress } from "../../base/core/server-address.ts";
import type { WireError } from "../../base/wire/service.ts";
import { createWatchOutput, toNotice } from "../core/watch-output.ts";
import { type WatchSelection, watchContainers } from "../wire/watch-call.ts";
import { describeFailedCall, openAgentClient } from "./agent-client.ts";

interface Options {
  /** The first that answers is used; all are tried again when it ends. */
  readonly addresses: readonly string[];
  /** Of the first answer of a call. */
  readonly timeoutMs: number;
  readonly format: OutputFormat;
  readonly selection: WatchSelection;
}

const pauses = { firstMs: 100, longestMs: 5_000 };

/** Errors that another attempt does not change. */
const lasting: readonly number[] = [
  grpcCode.unimplemented,
  grpcCode.invalidArgument,
  grpcCode.permissionDenied,
];

/** Ends with SIGINT or SIGTERM, or with an error of one line. */
export async function watchAgents(options: Options): Promise<Result<void, string>> {
  const { addresses, timeoutMs, format, selection } = options;
  if (addresses.length === 0) return err("watch: --server-address is empty");
  const targets: string[] = [];
  for (const text of addresses) {
    const address = parseServerAddress(text);
    if (!address.ok) return err(`watch: ${address.error}`);
    targets.push(renderAddress(address.value));
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop.abort());
  followOutput();
  const output = createWatchOutput(format, openScreen(process.stdout, process.env), nowNanos);
  const backOff = createBackOff(pauses, Math.random);
  let hadAnswer = false;

  const watchOnce = async (target: string): Promise<{ readonly answered: boolean; error: WireError }> => {
    const client = openAgentClient(target);
    let answered = false;
    let isLate = false;
    let cancel = (): void => {};
    const deadline = setTimeout(() => {
      isLate = true;
      cancel();
    }, timeoutMs);
    const error = await watchContainers(client, selection, {
      onCancel(cancelCall) {
        cancel = cancelCall;
        if (stop.signal.aborted) cancelCall();
        else stop.signal.addEventListener("abort", cancelCall, { once: true });
      },
      async onEvent(event) {
        if (!answered) {
          answered = true;
          clearTimeout(deadline);
          backOff.reset();
          if (hadAnswer) process.stderr.write(toNotice(`connected again to the agent at ${target}`));
          hadAnswer = true;
        }
        const text = output.render(event);
        // The agent counts what this program does not read, instead of keeping it.
        if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
      },
    });
    clearTimeout(deadline);
    stop.signal.removeEventListener("abort", cancel);
    client.close();
    return { answered, error: isLate ? { code: grpcCode.deadlineExceeded, details: "" } : error };
  };

  while (!stop.signal.aborted) {
    const problems: string[] = [];
    for (const target of targets) {
      const { answered, error } = await watchOnce(target);
      if (stop.signal.aborted) return ok(undefined);
      if (answered) {
        process.stderr.write(
          toNotice(`the agent at ${target} ended the connection (${error.details}); connecting again`),
        );
        break;
      }
      problems.push(describeFailedCall(error, { target, timeoutMs, what: "changes" }));
      if (lasting.includes(error.code)) return err(problems.join("\n"));
    }
    if (!hadAnswer) return err(problems.join("\n"));
    await sleep(backOff.next(), undefined, { signal: stop.signal }).catch(() => {});
  }
  return ok(undefined);
}
