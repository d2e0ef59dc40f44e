// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { OutputFormat, Screen } from "@rthooks/terminal";
import { createWatchOutput, type WatchedChange, type WatchMessage } from "./watch-output.ts";

const toScreen = (columns: number): Screen => ({
  columns,
  widthOf: Bun.stringWidth,
  paint: (_, text) => text,
});

const change: WatchedChange = {
  id: "0123456789abcdef",
  name: "app",
  podNamespace: "shop",
  podName: "web-0",
  from: "",
  to: "released",
  source: "hook",
  cgroupId: 18446744073709551615n,
  event: "answer.sent",
  error: "",
  unixNanos: 1_700_000_000_123_456_789n,
};

function render(
  format: OutputFormat,
  columns: number,
  ...events: readonly WatchMessage[]
): readonly string[] {
  const output = createWatchOutput(format, toScreen(columns), () => 1_700_000_000_000_000_000n);
  return events.map((event) => output.render(event));
}

const gone = { ...change, from: "released", to: "gone", event: "cgroup.vanished" };

test("the containers on record are aligned together, under one header, and later lines with them", () => {
  const long = { ...change, podName: "a-long-name-of-a-pod" };
  expect(
    render(
      "table",
      Number.POSITIVE_INFINITY,
      { kind: "recorded", change },
      { kind: "recorded", change: long },
      { kind: "all-recorded", containers: 2 },
      { kind: "change", change: gone },
      { kind: "missed", changes: 3 },
    ),
  ).toEqual([
    "",
    "",
    [
      "TIME                      NAMESPACE  POD                   CONTAINER  ID            FROM      TO        SOURCE  REASON",
      "2023-11-14T22:13:20.123Z  shop       web-0                 app        0123456789ab  -         released  hook    -",
      "2023-11-14T22:13:20.123Z  shop       a-long-name-of-a-pod  app        0123456789ab  -         released  hook    -",
      "",
    ].join("\n"),
    "2023-11-14T22:13:20.123Z  shop       web-0                 app        0123456789ab  released  gone      hook    its cgroup is gone\n",
    "... 3 changes are missing: this program did not read fast enough\n",
  ]);
});

const recorded: WatchedChange = { ...change, unixNanos: change.unixNanos - 86_500_000_000_000n };
const denied: WatchedChange = {
  ...change,
  podName: "coredns-7d9f8b6c5-x2x4z",
  podNamespace: "kube-system",
  name: "coredns",
  to: "failed",
  error: "the pod is not on this node",
};
const narrow = (columns: number): readonly string[] =>
  render(
    "table",
    columns,
    { kind: "recorded", change: recorded },
    { kind: "all-recorded", containers: 1 },
    { kind: "change", change: gone },
    { kind: "change", change: denied },
  )
    .join("")
    .split("\n");

test("a terminal of 100 columns shows a short time and everything but the id", () => {
  expect(narrow(100)).toEqual([
    "TIME           NAMESPACE  POD    CONTAINER  FROM      TO        SOURCE  REASON",
    "2023-11-13     shop       web-0  app        -         released  hook    -",
    "22:13:20.123Z  shop       web-0  app        released  gone      hook    its cgroup is gone",
    "22:13:20.123Z  kube-sys…  coredns-7d9f8b…  coredns    -         failed    hook    the pod is not on…",
    "",
  ]);
});

test("one of 80 columns shows the reason, and neither source nor earlier state", () => {
  expect(narrow(80)).toEqual([
    "TIME           NAMESPACE  POD    CONTAINER  TO        REASON",
    "2023-11-13     shop       web-0  app        released  -",
    "22:13:20.123Z  shop       web-0  app        gone      its cgroup is gone",
    "22:13:20.123Z  kube-sy…  coredns-7d9f8b…  coredns   failed    the pod is not on…",
    "",
  ]);
});

test.each([60, 40, 20])("one of %d columns has no longer line", (columns) => {
  for (const line of narrow(columns)) expect(line.length).toBeLessThanOrEqual(columns);
});

test("a hostile name is one harmless line, and no line is wider than the terminal", () => {
  const hostile = { ...change, podName: `\u001b[2J\n\u202e${"日".repeat(300)}`, error: "e".repeat(300) };
  const [, text = ""] = render(
    "table",
    140,
    { kind: "all-recorded", containers: 0 },
    { kind: "change", change: hostile },
  );
  expect(text.match(/\n/g)).toHaveLength(1);
  expect(text).toContain("\\u{1b}[2J");
  expect(text).toEndWith("eee…\n");
  expect(Bun.stringWidth(text.trimEnd())).toBeLessThanOrEqual(140);
});

test("JSON has one object a line, ids as text, time to the nanosecond", () => {
  const lines = render(
    "json",
    80,
    { kind: "recorded", change },
    { kind: "all-recorded", containers: 1 },
    { kind: "missed", changes: 3 },
  );
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      ...{ type: "recorded", time: "2023-11-14T22:13:20.123456789Z", id: change.id, name: "app" },
      ...{ podNamespace: "shop", podName: "web-0", from: "", to: "released", source: "hook" },
      ...{ event: "answer.sent", error: "", cgroupId: "18446744073709551615" },
    },
    { type: "all-recorded", time: "2023-11-14T22:13:20.000000000Z", containers: 1 },
    { type: "missed", time: "2023-11-14T22:13:20.000000000Z", changes: 3 },
  ]);
});
