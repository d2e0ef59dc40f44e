// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { GetEventsResponse, toEventJson } from "@rthooks/proto/events";
import type { AgentEvent } from "../core/agent-event.ts";
import { compileFieldFilters, type WrittenFieldFilter } from "../core/field-filter.ts";
import { cutMessage } from "./cut-message.ts";
import { exec, match, node } from "./event-message.fixture.ts";
import { toEventMessage } from "./event-message.ts";
import { messageForm } from "./message-form.ts";

const plain = { eventSet: [], excludes: false, invertsEventSet: false };
const include = (...paths: string[]): WrittenFieldFilter => ({ ...plain, paths });
const exclude = (...paths: string[]): WrittenFieldFilter => ({ ...plain, paths, excludes: true });

const cut = (event: AgentEvent, ...filters: readonly WrittenFieldFilter[]) => {
  const compiled = compileFieldFilters(filters, messageForm);
  if (!compiled.ok) throw new Error(compiled.error);
  const message = cutMessage(toEventMessage(event, node), event === exec ? 1 : 9, compiled.value);
  // Each field has a value that its encoder takes.
  const json = toEventJson(message);
  expect(toEventJson(GetEventsResponse.decode(GetEventsResponse.encode(message).finish()))).toBe(json);
  return JSON.parse(json);
};

const common = { node_name: "node-1", time: "2023-11-14T22:15:01.000000001Z" };

describe("field filters", () => {
  test("include only these fields", () => {
    const kept = cut(exec, include("process.pod.name", "process.pid", "parent.exec_id"));
    expect(kept).toEqual({
      process_exec: { process: { pid: 4242, pod: { name: "web-0" } }, parent: { exec_id: "cGFyZW50" } },
      ...common,
    });
  });

  test("a whole field with what is in it", () => {
    const { process_exec: whole } = cut(exec);
    expect(cut(exec, include("parent", "parent.pid"))).toEqual({
      process_exec: { parent: whole.parent },
      ...common,
    });
  });

  test("exclude fields", () => {
    const { process_exec: whole } = cut(exec);
    const { parent: _, process } = whole;
    const { container, ...pod } = process.pod;
    const { start_time: __, pid: ___, ...rest } = container;
    expect(
      cut(exec, exclude("parent", "process.pod.container.start_time", "process.pod.container.pid")),
    ).toEqual({
      process_exec: { process: { ...process, pod: { ...pod, container: rest } } },
      ...common,
    });
  });

  test("exclusion wins", () =>
    expect(cut(exec, exclude("process.pod"), include("process.pod.name", "process.uid"))).toEqual({
      process_exec: { process: { uid: 1000 } },
      ...common,
    }));

  test("fields in a list and in a oneof", () => {
    expect(cut(match, include("args.sock_arg.daddr", "policy_name"))).toEqual({
      process_kprobe: { args: [{ sock_arg: { daddr: "169.254.169.254" } }], policy_name: "no-metadata" },
      ...common,
    });
    expect(cut(match, include("function_name", "args.int_arg"))).toEqual({
      process_kprobe: { function_name: "tcp_connect", args: [{}] },
      ...common,
    });
    expect(cut(match, exclude("args.sock_arg")).process_kprobe.args).toEqual([{ label: "socket" }]);
  });

  test("apply to the types of their event set, or to the others", () => {
    const of = (filter: Partial<WrittenFieldFilter>) =>
      Object.keys(cut(exec, { ...include("process"), ...filter }).process_exec);
    expect(of({ eventSet: [1] })).toEqual(["process"]);
    expect(of({ eventSet: [9] })).toEqual(["process", "parent"]);
    expect(of({ eventSet: [9], invertsEventSet: true })).toEqual(["process"]);
    expect(of({ eventSet: [1], invertsEventSet: true })).toEqual(["process", "parent"]);
  });

  test("are so many at most", () => {
    const of = (count: number) =>
      compileFieldFilters(
        Array.from({ length: count }, () => include("a")),
        messageForm,
      );
    expect(of(16).ok).toBe(true);
    expect(of(17)).toEqual({ ok: false, error: "field_filters: 17 filters: 16 are allowed" });
  });

  test("without paths change nothing", () => {
    expect(cut(exec, include())).toEqual(cut(exec));
    expect(cut(exec, exclude())).toEqual(cut(exec));
  });

  test.each(["", "process..pod", "process.pod.name.x.y.z.a.b.c", "__proto__", "a b", "process[0]"])(
    "%p is not a path",
    (path) => expect(compileFieldFilters([include(path)], messageForm)).toMatchObject({ ok: false }),
  );
});
