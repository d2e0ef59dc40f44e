// SPDX-License-Identifier: Apache-2.0
// What enforcement does not prevent, tried for real with the built agent: docs/enforcement.md says each of these to users.
// A limit that is gone fails its test, and the document has to change with it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, linkSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { buildBare } from "../harness/build-bare.ts";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { startProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import {
  createShopContainer,
  forbidAddresses,
  forbidPaths,
  killOnCall,
  toShopPolicy,
} from "./shop-container.ts";

const workspace = createWorkspace("limits");
const { cgroup, dir, run, startAgent } = createShopContainer(workspace);
const address = "127.0.0.2";
const addressNumber = String(0x7f_00_00_02);
let agent: Agent;
let ways: string;

/** Does the work while the policy is in force for the container. */
async function withPolicy(hooks: object, work: () => unknown): Promise<void> {
  const policies = callPolicies(agent.address);
  await policies.add(toShopPolicy("limit", hooks));
  try {
    const { policies: listed } = await policies.list();
    expect(listed).toMatchObject([{ name: "limit", enabled: true, error: "" }]);
    await work();
  } finally {
    await policies.delete("limit");
  }
}

const KILLED = { signal: "SIGKILL" };
const DONE = { exitCode: 0, signal: "" };

beforeAll(async () => {
  ways = buildBare(join(import.meta.dir, "fixtures", "ways.c"), workspace.dir);
  agent = await startAgent(join(mountBpfFs(workspace), "tetragon"));
}, 60_000);
afterAll(async () => {
  await agent.stop();
  await workspace.close();
}, 60_000);

describe("a policy about the path of an execution", () => {
  let tool: string;
  beforeAll(() => {
    tool = join(dir, "tool");
    copyFileSync("/bin/true", tool);
  });

  test(
    "holds for the path",
    () => withPolicy(forbidPaths(tool), () => expect(run(tool)).toMatchObject(KILLED)),
    30_000,
  );

  test(
    "does not hold for a copy of the file",
    () =>
      withPolicy(forbidPaths(tool), () => {
        copyFileSync(tool, `${tool}-copy`);
        expect(run(`${tool}-copy`)).toMatchObject(DONE);
      }),
    30_000,
  );

  test(
    "does not hold for another name of the same file",
    () =>
      withPolicy(forbidPaths(tool), () => {
        linkSync(tool, `${tool}-link`);
        expect(run(`${tool}-link`)).toMatchObject(DONE);
      }),
    30_000,
  );

  test(
    "does not hold for the dynamic linker with the file as its argument",
    () =>
      withPolicy(forbidPaths(tool), () => {
        const { stdout } = Bun.spawnSync(["ldd", tool]);
        const [linker = ""] = /\/\S*\/ld-linux\S*/.exec(stdout.toString()) ?? [];
        expect(run(linker, tool)).toMatchObject(DONE);
      }),
    30_000,
  );

  test("about a script does not hold for the interpreter with the script as its argument", () => {
    const script = join(dir, "script");
    writeFileSync(script, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    return withPolicy(forbidPaths(script), () => {
      expect(run(script)).toMatchObject(KILLED);
      expect(run("/bin/sh", script)).toMatchObject(DONE);
    });
  }, 30_000);

  test("does not end a process that runs already", async () => {
    copyFileSync("/bin/sleep", join(dir, "sleeper"));
    const procs = join(findCgroupDirectory(cgroup), "cgroup.procs");
    const enter = `echo $$ >${procs}; exec ${dir}/sleeper 60`;
    const running = Bun.spawn(["/bin/sh", "-c", enter]);
    await waitFor("it runs", () => readFileSync(`/proc/${running.pid}/comm`, "utf8") === "sleeper\n");
    await withPolicy(forbidPaths(join(dir, "sleeper")), () => {
      expect(run(join(dir, "sleeper"), "60")).toMatchObject(KILLED);
      expect(running.exitCode).toBeNull();
    });
    running.kill();
    await running.exited;
  }, 30_000);
});

describe("a policy about the address of a connection", () => {
  const EPERM = { exitCode: 1, signal: "" };
  const forbidden = forbidAddresses(address);

  test.each([
    { what: "connect()", way: "connect" },
    { what: "io_uring", way: "uring-connect" },
  ])(
    "holds for $what",
    ({ way }) => withPolicy(forbidden, () => expect(run(ways, way, addressNumber)).toMatchObject(EPERM)),
    30_000,
  );

  test(
    "does not hold for a raw socket, which needs CAP_NET_RAW",
    () => withPolicy(forbidden, () => expect(run(ways, "raw-send", addressNumber)).toMatchObject(DONE)),
    30_000,
  );

  test("does not end a connection that is open", async () => {
    const script = [
      "import socket, sys",
      `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("${address}", 9))`,
      'print("open", flush=True); sys.stdin.readline(); print(s.send(b"x"))',
    ].join("\n");
    const procs = join(findCgroupDirectory(cgroup), "cgroup.procs");
    const enter = ["/bin/sh", "-c", `echo $$ >${procs}; exec python3 -c "$0"`, script];
    const running = startProcess(enter, { stdin: "open" }, workspace);
    await waitFor("it is open", () => running.stdout() === "open\n");
    await withPolicy(forbidden, async () => {
      running.sendInput("go\n");
      expect(await running.exited).toMatchObject({ exitCode: 0, stdout: "open\n1\n" });
    });
  }, 30_000);
});

describe("a signal on a system call", () => {
  const matchArgs = [{ index: 6, operator: "Equal", values: ["secret"] }];
  const noFifo = killOnCall("mknodat");
  const noSecret = killOnCall("openat", { matchArgs }, [{ index: 6, type: "string" }]);

  test(
    "ends the process, and the call completes",
    () =>
      withPolicy(noFifo, () => {
        expect(run(ways, "mknod", "fifo")).toMatchObject(KILLED);
        expect(existsSync(join(dir, "fifo"))).toBe(true);
      }),
    30_000,
  );

  test.if(process.arch === "x64")(
    "sees a 32-bit call: mknod, and not mknodat",
    () =>
      withPolicy(killOnCall("mknod"), () => {
        expect(run(ways, "mknod32", "fifo32")).toMatchObject(KILLED);
        expect(existsSync(join(dir, "fifo32"))).toBe(true);
      }),
    30_000,
  );

  test(
    "does not see what io_uring does",
    () =>
      withPolicy(noSecret, () => {
        writeFileSync(join(dir, "secret"), "s");
        expect(run(ways, "open", "secret")).toMatchObject(KILLED);
        expect(run(ways, "uring-open", "secret")).toMatchObject(DONE);
      }),
    30_000,
  );

  test(
    "on the call that makes a ring of io_uring ends a process that wants one",
    () =>
      withPolicy(killOnCall("io_uring_setup"), () => {
        writeFileSync(join(dir, "secret"), "s");
        expect(run(ways, "uring-open", "secret")).toMatchObject(KILLED);
      }),
    30_000,
  );

  test.if(process.arch === "x64")(
    "sees a text that another thread can change before the kernel reads it",
    () =>
      withPolicy(noSecret, () => {
        writeFileSync(join(dir, "secret"), "s");
        writeFileSync(join(dir, "others"), "o");
        let tries = 0;
        while (run(ways, "race", "secret", "others").exitCode !== 0) expect(++tries).toBeLessThan(3_000);
      }),
    120_000,
  );

  test(
    "compares a path as it is written: another spelling is another text",
    () =>
      withPolicy(noSecret, () => {
        writeFileSync(join(dir, "secret"), "s");
        expect(run(ways, "open", "./secret")).toMatchObject(DONE);
      }),
    30_000,
  );
});
