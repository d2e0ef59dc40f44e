// SPDX-License-Identifier: Apache-2.0
// `tetragon events`: the events of a running agent, or of an export file on standard input.

import { once } from "node:events";
import { fstatSync } from "node:fs";
import { err, ok, type Result } from "@rthooks/result";
import type { OutputFormat } from "@rthooks/terminal";
import { openScreen } from "@rthooks/terminal/screen";
import { compileSelection } from "../../events/core/event-selection.ts";
import { compileFieldFilters, type FieldForm } from "../../events/core/field-filter.ts";
import { checkFieldPath } from "../../events/wire/field-path.ts";
import { emptyFilter } from "../../events/wire/written-filters.ts";
import { createEventOutput } from "../core/event-output.ts";
import { type EventQuery, hasFilter, nameFlag } from "../core/event-query.ts";
import { isJson, parseJsonEvent, toJsonSubject } from "../core/json-event.ts";
import { getEvents } from "../wire/events-call.ts";
import type { AgentEndpoint } from "./agent-endpoints.ts";
import { followAgents } from "./follow-agents.ts";

interface Options {
  readonly endpoints: readonly AgentEndpoint[];
  readonly timeoutMs: number;
  readonly format: OutputFormat;
  readonly withTimes: boolean;
  readonly query: EventQuery;
  /** Whether events are read from standard input if it is a file or a pipe, as `tetra getevents` does. */
  readonly mayReadInput: boolean;
}

/** Ends with SIGINT or SIGTERM, at the end of the input, or with an error of one line. */
export async function showEvents(options: Options): Promise<Result<void, string>> {
  const { query, format, withTimes, ...follow } = options;
  const checked = checkFields(query);
  if (!checked.ok) return checked;
  const output = createEventOutput(format, openScreen(process.stdout, process.env), withTimes);
  const print = async (text: string): Promise<void> => {
    // The agent counts what this program does not read, instead of keeping it.
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  };
  if (options.mayReadInput && isInputGiven()) {
    return await showInput(query, (event) => print(output.render(event)));
  }
  const followed = await followAgents({ ...follow, command: "events", what: "events" }, (client, listener) =>
    getEvents(client, query, {
      ...listener,
      async onEvent(json) {
        const event = parseJsonEvent(json);
        if (event !== undefined) await print(output.render(event));
      },
    }),
  );
  return followed.ok ? followed : err(nameFlag(followed.error));
}

function checkFields({ include, exclude }: EventQuery): Result<void, string> {
  const flags = { "--include-fields": include, "--exclude-fields": exclude };
  for (const [flag, paths] of Object.entries(flags)) {
    for (const path of paths) {
      const checked = checkFieldPath(path);
      if (!checked.ok) return err(`events: ${flag}: ${checked.error}`);
    }
  }
  return ok(undefined);
}

/** A terminal and /dev/null are character devices; a service may have a socket. */
function isInputGiven(): boolean {
  try {
    const input = fstatSync(process.stdin.fd);
    return input.isFile() || input.isFIFO();
  } catch {
    return false;
  }
}

const jsonForm: FieldForm = { toKey: (name) => name, clear: () => undefined };

async function showInput(
  query: EventQuery,
  show: (event: NonNullable<ReturnType<typeof parseJsonEvent>>) => Promise<void>,
): Promise<Result<void, string>> {
  const { filter, include, exclude } = query;
  const selection = compileSelection(hasFilter(query) ? [{ ...emptyFilter, ...filter }] : [], [], () => 0);
  if (!selection.ok) return err(`events: ${nameFlag(selection.error)}`);
  const fields = { eventSet: [], invertsEventSet: false };
  const cut = compileFieldFilters(
    [
      { ...fields, paths: include, excludes: false },
      { ...fields, paths: exclude, excludes: true },
    ],
    jsonForm,
  );
  if (!cut.ok) return err(`events: ${cut.error}`);
  for await (const line of console) {
    const event = parseJsonEvent(line);
    if (event === undefined || !selection.value.matches(toJsonSubject(event))) continue;
    const content = cut.value(event.type, event.content);
    if (isJson(content)) await show({ ...event, content, whole: { ...event.whole, [event.name]: content } });
  }
  return ok(undefined);
}
