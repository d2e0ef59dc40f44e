// SPDX-License-Identifier: Apache-2.0
// `tetragon watch`.

import { once } from "node:events";
import { nowNanos } from "@rthooks/log";
import type { Result } from "@rthooks/result";
import type { OutputFormat } from "@rthooks/terminal";
import { openScreen } from "@rthooks/terminal/screen";
import { createWatchOutput } from "../core/watch-output.ts";
import { type WatchSelection, watchContainers } from "../wire/watch-call.ts";
import type { AgentEndpoint } from "./agent-endpoints.ts";
import { followAgents } from "./follow-agents.ts";

interface Options {
  readonly endpoints: readonly AgentEndpoint[];
  /** Of the first answer of a call. */
  readonly timeoutMs: number;
  readonly format: OutputFormat;
  readonly selection: WatchSelection;
}

/** Ends with SIGINT or SIGTERM, or with an error of one line. */
export function watchAgents({ format, selection, ...options }: Options): Promise<Result<void, string>> {
  const output = createWatchOutput(format, openScreen(process.stdout, process.env), nowNanos);
  return followAgents({ ...options, command: "watch", what: "changes" }, (client, { onAnswer, onCancel }) =>
    watchContainers(client, selection, {
      onCancel,
      async onEvent(event) {
        onAnswer();
        const text = output.render(event);
        // The agent counts what this program does not read, instead of keeping it.
        if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
      },
    }),
  );
}
