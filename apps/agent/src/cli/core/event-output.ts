// SPDX-License-Identifier: Apache-2.0
// What `tetragon events` prints of an event: one line for people, or JSON and YAML for programs.

import { type OutputFormat, renderStreamed, type Screen, toPrintable } from "@rthooks/terminal";
import { find, findText, isJson, type JsonEvent } from "./json-event.ts";

export interface EventOutput {
  /** With its line end. */
  render(event: JsonEvent): string;
}

export function createEventOutput(format: OutputFormat, screen: Screen, withTimes: boolean): EventOutput {
  return format === "table"
    ? { render: (event) => `${renderLine(event, screen, withTimes)}\n` }
    : { render: ({ whole }) => renderStreamed(format, whole) };
}

/** The signs and names of `tetra getevents -o compact`. */
const kinds: Readonly<Record<string, string>> = {
  process_exec: "🚀 process",
  process_exit: "💥 exit   ",
  process_kprobe: "❓ call   ",
  process_tracepoint: "☎  event  ",
  process_lsm: "🔒 LSM    ",
};

const actions: ReadonlyMap<string, string> = new Map([
  ["KPROBE_ACTION_SIGKILL", "killed"],
  ["KPROBE_ACTION_SIGNAL", "signalled"],
  ["KPROBE_ACTION_OVERRIDE", "denied"],
]);

function renderLine(event: JsonEvent, screen: Screen, withTimes: boolean): string {
  const { name, content, whole } = event;
  // Of the whole line, since its texts are from pods and files.
  const plain = (...path: readonly string[]): string => toPrintable(findText(content, ...path));
  const time = withTimes ? [toPrintable(findText(whole, "time"))] : [];
  if (name === "rate_limit_info") {
    const count = plain("number_of_dropped_process_events") || "some";
    return [...time, screen.paint("yellow", `... ${count} events are missing`)].join(" ");
  }
  const subject =
    find(content, "process", "pod") === undefined
      ? toPrintable(findText(whole, "node_name"))
      : `${plain("process", "pod", "namespace")}/${plain("process", "pod", "name")}`;
  const parts = [
    ...time,
    screen.paint("bold", kinds[name] ?? name),
    screen.paint("green", subject || "-"),
    screen.paint("cyan", plain("process", "binary") || "-"),
    ...renderDetails(event, screen, plain),
  ];
  return parts.filter((part) => part !== "").join(" ");
}

type ReadText = (...path: readonly string[]) => string;

function renderDetails({ name, content }: JsonEvent, screen: Screen, plain: ReadText): readonly string[] {
  switch (name) {
    case "process_exec":
      return [plain("process", "arguments")];
    case "process_exit":
      return [plain("process", "arguments"), screen.paint("red", plain("signal") || plain("status") || "0")];
    default: {
      const place = plain("function_name") || `${plain("subsys")}/${plain("event")}`;
      const policy = plain("policy_name");
      const action = actions.get(findText(content, "action"));
      return [
        place,
        ...renderArguments(content["args"]),
        policy === "" ? "" : screen.paint("dim", `[${policy}]`),
        action === undefined ? "" : screen.paint("red", action),
      ];
    }
  }
}

const renderArguments = (args: unknown): readonly string[] =>
  Array.isArray(args) ? args.map((arg) => toPrintable(renderArgument(arg))) : [];

function renderArgument(arg: unknown): string {
  if (!isJson(arg)) return "";
  const [[kind, value] = ["", undefined]] = Object.entries(arg).filter(([key]) => key !== "label");
  switch (kind) {
    case "sock_arg":
      return `${renderEnd(value, "saddr", "sport")} -> ${renderEnd(value, "daddr", "dport")}`;
    case "sockaddr_arg":
      return renderEnd(value, "addr", "port");
    case "capability_arg":
      return findText(value, "name") || findText(value, "value");
    case "syscall_id":
      return `system call ${findText(value, "id")}`;
    case "process_credentials_arg":
      return `uid ${findText(value, "uid")}`;
    case "error_arg":
      return "?";
    default:
      return isJson(value) ? findText(value, "path") : findText(arg, kind);
  }
}

/** An IPv6 address in brackets, as in a URL. */
function renderEnd(value: unknown, address: string, port: string): string {
  const text = findText(value, address) || "?";
  return `${text.includes(":") ? `[${text}]` : text}:${findText(value, port) || "0"}`;
}
