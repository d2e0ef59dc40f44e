// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetEventsRequest } from "@rthooks/proto/events";
import { toSubject } from "../core/event-subject.ts";
import { createEventEncoders } from "../wire/encode-event.ts";
import { exec, exit, node } from "../wire/event-message.fixture.ts";
import { compileWishes } from "../wire/read-request.ts";
import { toExportSettings } from "../wire/to-export-settings.ts";
import { openEventExport } from "./event-export.ts";

const root = mkdtempSync(join(tmpdir(), "rthooks-event-export-"));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
const defaults = {
  ...{ "export-file-max-size-mb": "10", "export-file-rotation-interval": 0, "export-file-max-backups": "5" },
  ...{ "export-file-compress": false, "export-file-perm": "600", "export-rate-limit": "-1" },
  ...{ "export-allowlist": "", "export-denylist": "", "field-filters": "" },
};

function open(flags: Partial<typeof defaults> = {}) {
  const directory = mkdtempSync(join(root, `${count++}-`));
  const path = join(directory, "events.log");
  let nowMs = 0;
  const settings = toExportSettings({ ...defaults, ...flags, "export-filename": path }, () => 0);
  if (!settings.ok || settings.value === undefined) throw new Error("the flags of a test are wrong");
  const wishes = compileWishes(GetEventsRequest.decode(settings.value.request), () => 0);
  if (!wishes.ok) throw new Error(wishes.error);
  const opened = openEventExport(settings.value, wishes.value, {
    nowMs: () => nowMs,
    unixMs: () => 1_700_000_000_000 - nowMs,
    toDropsJson: (drops) => `{"drops":${drops}}`,
    warn: () => {},
  });
  if (!opened.ok) throw new Error(opened.error);
  return {
    ...opened.value,
    directory,
    pass: (ms: number) => {
      nowMs += ms;
    },
    add(event: typeof exec | typeof exit) {
      const subject = toSubject(event);
      opened.value.publish(event, subject, createEventEncoders(node)(event, subject.type));
    },
    lines: () =>
      readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => Object.keys(JSON.parse(line))[0]),
  };
}

test("a line that is longer than what is collected is whole, between the others", () => {
  const file = open();
  file.add(exec);
  const arguments_ = "\u20ac".repeat(500_000);
  file.add({ ...exec, process: { ...exec.process, arguments: arguments_ } });
  file.add(exit);
  file.flush();
  const lines = readFileSync(join(file.directory, "events.log"), "utf8").trimEnd().split("\n");
  expect(
    lines.map((line) => JSON.parse(line)).map(({ process_exec }) => process_exec?.process.arguments),
  ).toEqual([exec.process.arguments, arguments_, undefined]);
});

test("events are lines of JSON, in their order", () => {
  const file = open();
  file.add(exec);
  file.add(exit);
  file.flush();
  expect(file.lines()).toEqual(["process_exec", "process_exit"]);
  expect(file.statistics()).toMatchObject({ exported: 2, lastExportedAt: 1_700_000_101, exportFailed: 0 });
});

test("the lists of filters and the field filters of the flags select", () => {
  const file = open({
    "export-allowlist": '{"namespace":["shop"]}\n{"pid":[1]}',
    "export-denylist": '{"event_set":["PROCESS_EXIT"]}',
    "field-filters": '{"fields":"process.pod.name","action":"INCLUDE"}',
  });
  file.add(exec);
  file.add(exit);
  file.flush();
  expect(file.lines()).toEqual(["process_exec"]);
  const [line = ""] = readFileSync(join(file.directory, "events.log"), "utf8").split("\n");
  expect(JSON.parse(line).process_exec).toEqual({ process: { pod: { name: "web-0" } } });
});

test("what is over the limit is counted, and said once a minute", () => {
  const file = open({ "export-rate-limit": "3" });
  for (let i = 0; i < 10; i++) file.add(exec);
  file.flush();
  expect(file.lines().length).toBe(3);
  file.pass(20_000);
  for (let i = 0; i < 10; i++) file.add(exec);
  file.flush();
  expect(file.lines().length).toBe(4);
  file.pass(40_000);
  file.flush();
  expect(file.lines().at(-1)).toBe("drops");
  expect(readFileSync(join(file.directory, "events.log"), "utf8")).toEndWith('{"drops":16}\n');
  expect(file.statistics().rateLimited).toBe(16);
});

test("the file is rotated at the interval", () => {
  const file = open({ "export-file-rotation-interval": 60_000 });
  file.add(exec);
  file.flush();
  file.pass(60_000);
  file.flush();
  file.add(exit);
  file.flush();
  expect(file.lines()).toEqual(["process_exit"]);
  expect(readdirSync(file.directory).length).toBe(2);
});

test.each([
  { flags: { "export-file-perm": "9" }, error: "--export-file-perm" },
  { flags: { "export-file-max-size-mb": "0" }, error: "--export-file-max-size-mb" },
  { flags: { "export-rate-limit": "-2" }, error: "--export-rate-limit" },
  { flags: { "export-allowlist": "{" }, error: "--export-allowlist" },
  { flags: { "export-allowlist": '{"binary":["x"]}' }, error: "--export-allowlist" },
  {
    flags: { "export-denylist": '{"cel_expression":["x"]}' },
    error: "the filters of the export: deny_list[0]",
  },
  {
    flags: { "field-filters": '{"fields":"a b"}' },
    error: '--field-filters: "a b" is not the path of a field: events have no "a b"',
  },
])("$flags is refused", ({ flags, error }) => {
  const settings = toExportSettings({ ...defaults, ...flags, "export-filename": "/x" }, () => 0);
  expect(settings.ok ? "" : settings.error).toStartWith(error);
});

test("the mode of the file never lets others write", () => {
  const settings = toExportSettings(
    { ...defaults, "export-file-perm": "777", "export-filename": "/x" },
    () => 0,
  );
  expect(settings).toMatchObject({ ok: true, value: { mode: 0o664 } });
});
