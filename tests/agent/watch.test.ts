// SPDX-License-Identifier: Apache-2.0
// `tetragon watch` with real containers: what appears, starts, is denied and ends; agents that stop, and slow readers.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { minimalEnv, type RunningProcess, runProcess, startProcess } from "../harness/process.ts";
import { findAgent, findHook } from "../harness/programs.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("watch");
const uid = "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c12";
let runc: Runc;
let control: AgentControl;

beforeAll(async () => {
  runc = createRunc(workspace);
  const pods = workspace.path("pods.json");
  const metadata = { name: "web-0", namespace: "shop", uid, labels: {} };
  writeFileSync(pods, JSON.stringify({ kind: "List", items: [{ kind: "Pod", metadata }] }));
  control = createAgentControl(workspace, ["--pods-file", pods, "--sweep-interval", "50ms"]);
  await control.start();
});
afterAll(() => workspace.close());

interface Line {
  readonly type: string;
  readonly name?: string;
  readonly from?: string;
  readonly to?: string;
  readonly event?: string;
  readonly error?: string;
  readonly source?: string;
  readonly changes?: number;
}

interface Watch {
  readonly process: RunningProcess;
  lines(): readonly Line[];
  /** The changes of one container: "from > to". */
  changesOf(name: string): readonly string[];
}

const address = (): string => `unix://${control.socketPath}`;

/** Watching when this returns. */
async function startWatch(...flags: readonly string[]): Promise<Watch> {
  const process = startProcess(
    [findAgent(), "watch", "--server-address", address(), "-o", "json", ...flags],
    {},
    workspace,
  );
  const lines = (): readonly Line[] =>
    process
      .stdout()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  await waitFor("the watch has begun", () => lines().some(({ type }) => type === "all-recorded"), 60_000);
  return {
    process,
    lines,
    changesOf: (name) =>
      lines()
        .filter((line) => line.type === "change" && line.name === name)
        .map(({ from, to }) => `${from} > ${to}`),
  };
}

function create(name: string, namespace = "shop"): Bundle {
  return createBundle(workspace, {
    id: `${name}-${workspace.tag}`,
    cgroupsPath: `${runc.cgroupParent}/pod${uid}/${name}`,
    annotations: containerdAnnotations({ uid, namespace, name: "web-0", container: name }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        {
          path: findHook(),
          args: [
            ...["tetragon-oci-hook", "createRuntime", "--grpc-address", address()],
            ...["--log-fname", workspace.path(`${name}.log`)],
          ],
        },
      ],
    },
  });
}

const end = (bundle: Bundle): void => writeFileSync(join(bundle.outDir, "end"), "");

test("a real container is shown when it is released and when it ends, and one on record at the start", async () => {
  const watch = await startWatch("--namespace", "shop", "--pod", "web-0");
  const elsewhere = await startWatch("--namespace", "bank");
  const bundle = create("app");
  const running = runc.start(bundle);
  await waitForFirstAct(running, bundle.outDir);
  await waitFor("released", () => watch.changesOf("app").includes(" > released"), 60_000);
  const late = await startWatch();
  expect(late.lines()[0]).toMatchObject({ type: "recorded", name: "app", to: "released", source: "hook" });
  expect((await startWatch("--changes-only")).lines()).toMatchObject([{ type: "all-recorded" }]);
  end(bundle);
  await running.exited;
  await waitFor("gone", () => watch.changesOf("app").length === 2, 60_000);
  expect(watch.changesOf("app")).toEqual([" > released", "released > gone"]);
  expect(watch.lines().at(-1)).toMatchObject({ event: "cgroup.vanished", error: "" });
  expect(elsewhere.lines()).toHaveLength(1);
}, 120_000);

test("a real container that is denied is shown with the reason", async () => {
  const watch = await startWatch("--state", "failed");
  const { exitCode } = await runc.run(create("denied", "bank"));
  expect(exitCode).not.toBe(0);
  await waitFor("denied", () => watch.changesOf("denied").length > 0, 60_000);
  expect(watch.lines().at(-1)).toMatchObject({
    source: "hook",
    event: "namespace-conflict",
    error: expect.stringContaining("bank"),
  });
}, 120_000);

test.each([
  { columns: 80, header: /^TIME +NAMESPACE +POD +CONTAINER +TO +REASON$/ },
  { columns: 100, header: /^TIME +NAMESPACE +POD +CONTAINER +FROM +TO +SOURCE +REASON$/ },
])(
  "a terminal of $columns columns has the whole line of a real denial, with the reason",
  async (width) => {
    const { columns, header } = width;
    let text = "";
    await using terminal = new Bun.Terminal({
      cols: columns,
      data(_, bytes) {
        text += new TextDecoder().decode(bytes);
      },
    });
    const child = Bun.spawn([findAgent(), "watch", "--server-address", address(), "--changes-only"], {
      terminal,
      env: { ...minimalEnv, NO_COLOR: "1" },
    });
    const lines = (): readonly string[] => text.split("\r\n");
    await waitFor("the watch has begun", () => lines().length > 1, 60_000);
    expect(lines()[0]).toMatch(header);
    await runc.run(create(`narrow-${columns}`, "bank"));
    await waitFor("denied", () => lines().length > 2, 60_000);
    const [, denied = ""] = lines();
    expect(denied).toMatch(/^\d\d:\d\d:\d\d\.\d{3}Z {2}bank +web-0 +narrow-\S+ +.*failed .* \S.{16,}…$/);
    expect(denied).toHaveLength(columns);
    child.kill("SIGINT");
    expect(await child.exited).toBe(0);
  },
  120_000,
);

test("a restart of the agent is told, and the changes after it are shown", async () => {
  const watch = await startWatch();
  await control.end();
  await waitFor("the end is told", () => watch.process.stderr().includes("connecting again"), 60_000);
  expect(watch.process.stderr()).toContain("(WatchContainers: the agent stops)");
  await control.start();
  await waitFor("connected again", () => watch.process.stderr().includes("connected again"), 60_000);
  const bundle = create("after");
  const running = runc.start(bundle);
  await waitFor("released", () => watch.changesOf("after").includes(" > released"), 60_000);
  end(bundle);
  await running.exited;
  watch.process.signal("SIGINT");
  expect(await watch.process.exited).toMatchObject({ exitCode: 0, signal: null });
}, 120_000);

test("a reader that stands still delays no call, and is told how many changes it missed", async () => {
  const watch = await startWatch("--changes-only");
  watch.process.signal("SIGSTOP");
  const count = 1_800;
  for (let first = 0; first < count; first += 100) {
    const calls = Array.from({ length: 100 }, (_, at) =>
      callRuntimeHook(address(), {
        cgroupsPath: `${runc.cgroupParent}/none-${first + at}`,
        containerName: `slow-${"x".repeat(200)}`,
        podNamespace: "n".repeat(250),
        podName: "p".repeat(250),
        podUID: `pod-${first + at}`,
      }).then(
        () => "allowed",
        () => "refused",
      ),
    );
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["refused"]));
  }
  watch.process.signal("SIGCONT");
  const missed = (): number =>
    watch.lines().reduce((sum, { type, changes }) => sum + (type === "missed" ? (changes ?? 0) : 0), 0);
  const seen = (): number => watch.lines().filter(({ type }) => type === "change").length;
  await waitFor("all changes are shown or counted", () => missed() + seen() >= count, 60_000);
  expect(missed()).toBeGreaterThan(0);
  // What its own side has buffered, and what the agent keeps.
  expect(seen()).toBeGreaterThan(1000);
}, 120_000);

test("a closed pipe ends it, also when nothing changes any more", async () => {
  const pipe = `"$0" watch --server-address "$1" | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout } = await runProcess(["bash", "-c", pipe, findAgent(), address()]);
  expect(stdout.split("\n").slice(1)).toEqual(["141", ""]);
  expect(stdout).toStartWith("TIME ");
}, 120_000);

test("YAML has a document for each change", async () => {
  const output = startProcess(
    [findAgent(), "watch", "--server-address", address(), "-o", "yaml", "--changes-only"],
    {},
    workspace,
  );
  const documents = () => parseAllDocuments(output.stdout()).map((document) => document.toJS());
  await waitFor("it has begun", () => output.stdout().includes("all-recorded"), 60_000);
  const call = { cgroupsPath: `${runc.cgroupParent}/none`, containerName: "y\u001b\n日本", podUID: "pod-y" };
  await callRuntimeHook(address(), call).catch(() => {});
  await waitFor("the change", () => documents().length > 1, 60_000);
  expect(documents()[1]).toMatchObject({ type: "change", name: call.containerName, to: "failed" });
  expect(output.stdout()).not.toMatch(/(?!\n)\p{C}/u);
  output.signal("SIGTERM");
  expect(await output.exited).toMatchObject({ exitCode: 0 });
}, 120_000);

test("an agent that does not answer at the first call is an error", async () => {
  const nowhere = `unix://${workspace.path("none.sock")}`;
  const { exitCode, stderr } = await runProcess([findAgent(), "watch", "--server-address", nowhere]);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("cannot reach the agent"),
  });
});
