// SPDX-License-Identifier: Apache-2.0
// `tetragon events`, as a process: with an agent that the test plays, and with a file on standard input.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import { GetEventsRequest, GetEventsResponse } from "@rthooks/proto/events";
import { minimalEnv, runProcess, startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("events");
afterAll(() => workspace.close());

const lines = [
  {
    process_exec: { process: { binary: "/bin/sh", pod: { namespace: "shop", name: "web-0" } } },
    node_name: "n",
  },
  { process_exec: { process: { binary: "/bin/cat", arguments: "a\nb\u001b[31m" } }, node_name: "n" },
  { process_exit: { process: { binary: "/bin/sh", pod: { namespace: "bank", name: "db" } }, status: 3 } },
  { rate_limit_info: { number_of_dropped_process_events: "5" } },
].map((event) => JSON.stringify(event));

describe("with a file on standard input", () => {
  const file = workspace.path("events.log");
  beforeAll(() => writeFileSync(file, `${lines.join("\n")}\nnot JSON\n{"unknown_event":{}}\n`));
  const read = (flags: string) =>
    runProcess(["bash", "-c", `"$0" events ${flags} < "$1"`, findAgent(), file], { env: minimalEnv });

  test.each([
    {
      flags: "",
      shown: [
        "🚀 process shop/web-0 /bin/sh",
        "🚀 process n /bin/cat a\\u{a}b\\u{1b}[31m",
        "💥 exit    bank/db /bin/sh 3",
        "... 5 events are missing",
      ],
    },
    { flags: "-n shop", shown: ["🚀 process shop/web-0 /bin/sh"] },
    { flags: "--host", shown: ["🚀 process n /bin/cat a\\u{a}b\\u{1b}[31m"] },
    { flags: "-n bank --process sh$", shown: ["💥 exit    bank/db /bin/sh 3"] },
    {
      flags: "-e process_exit,RATE_LIMIT_INFO",
      shown: ["💥 exit    bank/db /bin/sh 3", "... 5 events are missing"],
    },
    { flags: "--pod '^w' -o json", shown: [lines[0] ?? ""] },
    {
      flags: "-o json -e PROCESS_EXIT -f process.pod.name,status",
      shown: ['{"process_exit":{"process":{"pod":{"name":"db"}},"status":3}}'],
    },
    { flags: "-o json -e PROCESS_EXIT -F process", shown: ['{"process_exit":{"status":3}}'] },
  ])("$flags", async ({ flags, shown }) => {
    const { stdout, stderr, exitCode } = await read(flags);
    expect(stdout).toBe(shown.map((line) => `${line}\n`).join(""));
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  });

  test.each([
    { flags: "-e NOTHING", error: '"NOTHING" is not a type of events' },
    { flags: "--process '('", error: '--process: the regular expression "("' },
    { flags: "-f 'a b'", error: "is not the path of a field" },
    {
      flags: "-f nope.field",
      error: '--include-fields: "nope.field" is not the path of a field: events have no',
    },
    { flags: "-F process.pods", error: 'process has no "pods"; did you mean pod?' },
  ])("refuses $flags", async ({ flags, error }) => {
    const { stderr, exitCode } = await read(flags);
    expect(stderr).toStartWith("tetragon: events: ");
    expect(stderr).toContain(error);
    expect(exitCode).toBe(1);
  });

  test("a pipe is read too, and its end is the end", async () => {
    const { stdout } = await runProcess([
      "bash",
      "-c",
      `cat "$1" | "$0" events -n shop | cat`,
      findAgent(),
      file,
    ]);
    expect(stdout).toBe("🚀 process shop/web-0 /bin/sh\n");
  });
});

describe("with an agent", () => {
  const address = `unix://${workspace.path("agent.sock")}`;
  const server = new Server();
  const requests: GetEventsRequest[] = [];
  let stream: ServerWritableStream<GetEventsRequest, GetEventsResponse> | undefined;
  beforeAll(async () => {
    server.register<GetEventsRequest, GetEventsResponse>(
      "/tetragon.FineGuidanceSensors/GetEvents",
      (call: ServerWritableStream<GetEventsRequest, GetEventsResponse>) => {
        requests.push(call.request);
        stream = call;
        call.sendMetadata(call.metadata);
      },
      (response) => Buffer.from(GetEventsResponse.encode(response).finish()),
      (bytes) => GetEventsRequest.decode(bytes),
      "serverStream",
    );
    await new Promise((resolve) => server.bindAsync(address, ServerCredentials.createInsecure(), resolve));
  });
  afterAll(() => server.forceShutdown());

  test("asks for what the flags say, prints what comes, and ends with SIGINT", async () => {
    const shown = startProcess(
      [
        findAgent(),
        "events",
        "--server-address",
        address,
        "-n",
        "shop",
        "--policy-names",
        "p",
        "-F",
        "parent",
      ],
      { env: minimalEnv },
      workspace,
    );
    await waitFor("the call", () => stream !== undefined, 60_000);
    expect(requests[0]?.allowList).toMatchObject([
      { namespace: ["shop"], policyNames: ["p"], eventSet: [] },
      { namespace: [], policyNames: [], eventSet: [40001] },
    ]);
    expect(requests[0]?.fieldFilters).toMatchObject([{ fields: ["parent"], action: 1 }]);
    const nothing = { time: undefined, clusterName: "" };
    stream?.write({
      event: { $case: "rateLimitInfo", rateLimitInfo: { numberOfDroppedProcessEvents: 7n } },
      nodeName: "n",
      ...nothing,
    });
    await waitFor("the line", () => shown.stdout() === "... 7 events are missing\n", 60_000);
    shown.signal("SIGINT");
    expect(await shown.exited).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("an agent that is not there is an error of one line", async () => {
    const none = `unix://${workspace.path("none.sock")}`;
    const { stderr, exitCode } = await runProcess([findAgent(), "events", "--server-address", none]);
    expect(stderr.split("\n").length).toBe(2);
    expect(exitCode).toBe(1);
  });
});
