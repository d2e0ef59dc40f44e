// SPDX-License-Identifier: Apache-2.0
// What users see of real containers: programs that start and end, and what policies match, from `tetragon events` and from
// the export file.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TracingPolicyMode } from "@rthooks/proto";
import { callPolicies } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { minimalEnv, startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type ActingContainers, createActingContainers } from "./acting-container.ts";
import { forbidConnection, forbidExecution, toPolicy } from "./policy-sources.ts";
import { writeTwoPods } from "./two-pods.ts";

const workspace = createWorkspace("events");
const exportFile = workspace.path("events.json");
let control: AgentControl;
let containers: ActingContainers;

const { web, database, podsFile } = writeTwoPods(workspace);

beforeAll(async () => {
  const runc = createRunc(workspace);
  control = createAgentControl(workspace, [
    ...["--pods-file", podsFile, "--node-name", "node-1"],
    ...["--enable-policy-filter", "--bpf-dir", join(mountBpfFs(workspace), "tetragon")],
    ...["--export-filename", exportFile],
  ]);
  await control.start();
  containers = createActingContainers(workspace, runc, `unix://${control.socketPath}`);
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const policies = () => callPolicies(`unix://${control.socketPath}`);
beforeEach(async () => {
  for (const { name } of (await policies().list()).policies) await policies().delete(name);
});

/** As written: `{ "process_exec": { "process": … }, "node_name": … }`. */
type Event = Readonly<Record<string, unknown>>;
/** The last line may be incomplete. */
const parse = (text: string): readonly Event[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const exportedBytes = (): Buffer => (existsSync(exportFile) ? readFileSync(exportFile) : Buffer.alloc(0));

interface Observed {
  /** Of the pod `web`, by `tetragon events` and in the export file. */
  readonly shown: readonly Event[];
  readonly exported: readonly Event[];
}

/** What `act` does in one container of the pod `web`, up to the end of its program. */
async function observe(act: () => Promise<unknown>, ...flags: readonly string[]): Promise<Observed> {
  const address = `unix://${control.socketPath}`;
  const client = startProcess(
    [findAgent(), "events", "-o", "json", "--server-address", address, ...flags],
    { env: minimalEnv },
    workspace,
  );
  // Once it shows another pod's program it shows all that comes.
  await waitFor("the client has subscribed", async () => {
    await containers.connect(database, "127.0.0.1");
    return client.stdout().includes("\n");
  });
  const offset = exportedBytes().length;
  await act();
  const shown = (): readonly Event[] => parse(client.stdout()).filter(isOfWeb);
  const exported = (): readonly Event[] => parse(exportedBytes().subarray(offset).toString()).filter(isOfWeb);
  await waitFor("the end of the program", () => shown().some(isExit) && exported().some(isExit));
  client.signal("SIGTERM");
  await client.exited;
  return { shown: shown(), exported: exported() };
}

const isExit = (event: Event): boolean => event["process_exit"] !== undefined;
const isOfWeb = (event: Event): boolean => JSON.stringify(event).includes('"name":"web-0"');
const find = (events: readonly Event[], kind: string): readonly unknown[] =>
  events.flatMap((event) => (event[kind] === undefined ? [] : [event[kind]]));

const noExec = toPolicy("no-exec", forbidExecution("/forbidden/"));
const noConnect = toPolicy("no-connect", forbidConnection("127.0.0.2"));
/** What opens /out/mark. Field 6 of this tracepoint is the path. */
const onOpen = (action: string): string =>
  toPolicy("on-open", {
    tracepoints: [
      {
        ...{ subsystem: "syscalls", event: "sys_enter_openat", args: [{ index: 6, type: "string" }] },
        selectors: [
          {
            matchArgs: [{ index: 6, operator: "Equal", values: ["/out/mark"] }],
            matchActions: [{ action }],
          },
        ],
      },
    ],
  });

const container = {
  namespace: "shop",
  ...{ name: "web-0", uid: web.uid, pod_labels: { app: "web" } },
  container: expect.objectContaining({ name: "app", id: expect.stringContaining(workspace.tag) }),
};

describe("a program of a pod", () => {
  test("is shown when it starts and when it ends, to clients and in the export file alike", async () => {
    const { shown, exported } = await observe(() => containers.execute(web));
    const process = {
      ...{ binary: "/forbidden/touch", arguments: "/out/mark", cwd: "/", uid: 0 },
      ...{ pid: expect.any(Number), exec_id: expect.any(String), start_time: expect.any(String) },
      pod: expect.objectContaining(container),
    };
    for (const events of [shown, exported]) {
      expect(events.every((event) => event["node_name"] === "node-1")).toBe(true);
      expect(find(events, "process_exec")).toEqual([
        expect.objectContaining({ process: expect.objectContaining(process) }),
      ]);
      expect(find(events, "process_exit")).toEqual([
        expect.objectContaining({ process: expect.objectContaining(process), time: expect.any(String) }),
      ]);
    }
    expect(exported).toEqual(shown);
  }, 120_000);

  test("is not shown to a client that asks for another namespace", async () => {
    const address = `unix://${control.socketPath}`;
    const filtered = ["events", "-o", "json", "--server-address", address, "--namespace", "other"];
    const client = startProcess([findAgent(), ...filtered], { env: minimalEnv }, workspace);
    const { shown } = await observe(() => containers.execute(web));
    expect(shown.length).toBeGreaterThan(0);
    expect(client.stdout()).toBe("");
    client.signal("SIGTERM");
    await client.exited;
  }, 120_000);
});

describe("what a policy matches", () => {
  test("is shown with policy, action and arguments: an execution", async () => {
    await policies().add(noExec);
    const { shown, exported } = await observe(() => containers.execute(web));
    expect(exported).toEqual(shown);
    expect(find(shown, "process_lsm")).toEqual([
      expect.objectContaining({
        ...{ policy_name: "no-exec", action: "KPROBE_ACTION_SIGKILL", function_name: "bprm_check_security" },
        args: [{ linux_binprm_arg: { path: "/forbidden/touch" } }],
      }),
    ]);
    expect(find(shown, "process_exit")).toEqual([expect.objectContaining({ signal: "SIGKILL" })]);
  }, 120_000);

  test("a connection", async () => {
    await policies().add(noConnect);
    const { shown } = await observe(() => containers.connect(web, "127.0.0.2"));
    expect(find(shown, "process_kprobe")).toEqual([
      expect.objectContaining({
        ...{ policy_name: "no-connect", action: "KPROBE_ACTION_OVERRIDE" },
        function_name: "security_socket_connect",
        args: [{ sockaddr_arg: { family: "AF_INET", addr: "127.0.0.2", port: 9 } }],
      }),
    ]);
    expect(find(shown, "process_exit")).toEqual([expect.objectContaining({ status: 1 })]);
  }, 120_000);

  test("a system call, whose process a signal ends", async () => {
    await policies().add(onOpen("Post"));
    const posted = await observe(() => containers.execute(web));
    const event = { policy_name: "on-open", subsys: "syscalls", event: "sys_enter_openat" };
    const args = [{ string_arg: "/out/mark" }];
    expect(find(posted.shown, "process_tracepoint")).toEqual([
      expect.objectContaining({ ...event, args, action: "KPROBE_ACTION_POST" }),
    ]);
    expect(find(posted.shown, "process_exit")).toEqual([
      expect.not.objectContaining({ signal: expect.anything() }),
    ]);
    await policies().delete("on-open");
    await policies().add(onOpen("Sigkill"));
    const killed = await observe(() => containers.execute(web));
    expect(find(killed.shown, "process_tracepoint")).toEqual([
      expect.objectContaining({ ...event, args, action: "KPROBE_ACTION_SIGKILL" }),
    ]);
    expect(find(killed.shown, "process_exit")).toEqual([expect.objectContaining({ signal: "SIGKILL" })]);
  }, 120_000);

  test("in monitor mode without its action, and is counted as what would have been done", async () => {
    await policies().add(noExec);
    await policies().configure({ name: "no-exec", mode: TracingPolicyMode.TP_MODE_MONITOR });
    const { shown } = await observe(() => containers.execute(web));
    expect(find(shown, "process_lsm")).toEqual([
      expect.objectContaining({ policy_name: "no-exec", action: "KPROBE_ACTION_POST" }),
    ]);
    const [{ stats } = { stats: undefined }] = (await policies().list()).policies;
    expect(stats?.actionCounters).toMatchObject({ post: 1n, signal: 0n, monitorSignal: 1n });
  }, 120_000);
});
