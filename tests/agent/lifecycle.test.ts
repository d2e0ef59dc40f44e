// SPDX-License-Identifier: Apache-2.0
// The whole agent over real cgroups: announced, identified, labelled, gone.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { type CreateContainer, ReportStoppedRequest, RuntimeHookRequest } from "@rthooks/proto";
import { parse } from "yaml";

const directory = mkdtempSync(join(tmpdir(), "rthooks-lifecycle-"));
const socket = join(directory, "agent.sock");
const podsFile = join(directory, "pods.json");
const main = join(import.meta.dir, "../../apps/agent/src/main.ts");
const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
const hierarchy = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((root) =>
  existsSync(`${root}/cgroup.procs`),
);
const own = `rthooks-agent-${process.pid}`;
const made: string[] = [];

const writePods = (labels: Record<string, string>): void => {
  const metadata = { name: "web-0", namespace: "shop", uid, labels };
  writeFileSync(`${podsFile}.new`, JSON.stringify({ kind: "List", items: [{ kind: "Pod", metadata }] }));
  renameSync(`${podsFile}.new`, podsFile);
};

const command = [process.execPath, main];
const flags = ["--server-address", `unix://${socket}`];
writePods({ app: "web" });
const agent = Bun.spawn(
  [
    ...command,
    ...flags,
    "--info-file=",
    "--pods-file",
    podsFile,
    "--sweep-interval",
    "20ms",
    "--log-format",
    "json",
  ],
  { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
);
const log = new Response(agent.stderr).text();
const client = new Client(`unix://${socket}`, credentials.createInsecure());

function makeCgroup(path: string): { readonly id: string; remove(): void } {
  if (hierarchy === undefined) throw new Error("no cgroup v2 hierarchy is mounted");
  const absolute = `${hierarchy}/${path}`;
  mkdirSync(absolute);
  made.push(absolute);
  return {
    id: `${statSync(absolute, { bigint: true }).ino}`,
    remove: () => {
      rmdirSync(absolute);
      made.splice(made.indexOf(absolute), 1);
    },
  };
}

const vouching = new Metadata();
vouching.set("rthooks-vouched", "1");

function report(fields: Partial<CreateContainer>, metadata = new Metadata()): Promise<status> {
  const createContainer: CreateContainer = {
    cgroupsPath: "",
    rootDir: "",
    annotations: new Map([["io.kubernetes.pod.uid", "not-to-be-believed"]]),
    containerName: "app",
    containerID: "",
    podName: "web-0",
    podUID: uid,
    podNamespace: "shop",
    containerImage: "nginx:1",
    mounts: [],
    ...fields,
  };
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/tetragon.FineGuidanceSensors/RuntimeHook",
      (request: RuntimeHookRequest) => Buffer.from(RuntimeHookRequest.encode(request).finish()),
      () => undefined,
      { event: { $case: "createContainer", createContainer } },
      metadata,
      (error) => resolve(error?.code ?? status.OK),
    );
  });
}

function reportStopped(containerIds: string[]): Promise<status> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/rthooks.v1.ContainerEvents/ReportStopped",
      (request: ReportStoppedRequest) => Buffer.from(ReportStoppedRequest.encode(request).finish()),
      () => undefined,
      { containerIds },
      (error) => resolve(error?.code ?? status.OK),
    );
  });
}

async function printStatus(format: string): Promise<string> {
  const child = Bun.spawn([...command, "status", "-o", format, ...flags], {
    stdout: "pipe",
    stderr: "inherit",
  });
  return await new Response(child.stdout).text();
}

const readStatus = async (): Promise<readonly Record<string, unknown>[]> =>
  JSON.parse(await printStatus("json")).containers;

async function waitForStatus(
  condition: (containers: readonly Record<string, unknown>[]) => boolean,
): Promise<void> {
  while (!condition(await readStatus())) await Bun.sleep(10);
}

beforeAll(async () => {
  makeCgroup(own);
  while (!existsSync(socket) && agent.exitCode === null) await Bun.sleep(5);
});
afterAll(() => {
  client.close();
  agent.kill("SIGKILL");
  for (const path of made.reverse()) rmdirSync(path);
  rmSync(directory, { recursive: true });
});

describe("the agent", () => {
  test("tracks a container from the hook call to the end of its cgroup", async () => {
    const cgroup = makeCgroup(`${own}/c1`);
    expect(await report({ cgroupsPath: `/${own}/c1` })).toBe(status.OK);
    expect(await readStatus()).toMatchObject([
      {
        id: "c1",
        name: "app",
        image: "nginx:1",
        podUid: uid,
        podName: "web-0",
        podNamespace: "shop",
        podLabels: { app: "web" },
        cgroupPath: `/${own}/c1`,
        cgroupId: cgroup.id,
        state: "released",
        source: "hook",
        error: "",
      },
    ]);
    writePods({ app: "cart" });
    await waitForStatus(([container]) => JSON.stringify(container?.["podLabels"]) === '{"app":"cart"}');
    cgroup.remove();
    await waitForStatus((containers) => containers.length === 0);
  });

  test("does the work once for calls that come at once, and answers all of them", async () => {
    const cgroup = makeCgroup(`${own}/c2`);
    const codes = await Promise.all(Array.from({ length: 200 }, () => report({ cgroupsPath: `${own}/c2` })));
    expect(new Set(codes)).toEqual(new Set([status.OK]));
    expect(await readStatus()).toMatchObject([{ id: "c2", cgroupId: cgroup.id }]);
    cgroup.remove();
  });

  test("keeps many containers apart", async () => {
    const ids = Array.from({ length: 300 }, (_, i) => `many${i}`);
    const cgroups = ids.map((id) => makeCgroup(`${own}/${id}`));
    const codes = await Promise.all(
      ids.map((id, i) =>
        report({ cgroupsPath: `${own}/${id}`, podUID: `pod-${i >> 1}`, podName: `p-${i >> 1}` }),
      ),
    );
    expect(new Set(codes)).toEqual(new Set([status.OK]));
    const known = (await readStatus()).filter(({ id }) => `${id}`.startsWith("many"));
    expect(new Map(known.map(({ id, cgroupId }) => [id, cgroupId]))).toEqual(
      new Map(ids.map((id, i) => [id, cgroups[i]?.id])),
    );
    for (const cgroup of cgroups) cgroup.remove();
    await waitForStatus((containers) => containers.length === 0);
  });

  test("tracks what `tetra rthooks create-container` announces: a path and nothing else", async () => {
    const cgroup = makeCgroup(`${own}/c3`);
    const nameless = { containerName: "", podName: "", podUID: "", podNamespace: "", containerImage: "" };
    expect(await report({ ...nameless, cgroupsPath: `${own}/c3` })).toBe(status.OK);
    expect(await readStatus()).toMatchObject([{ id: "c3", podUid: "", cgroupId: cgroup.id }]);
    cgroup.remove();
  });

  test("shows a container that it refused, with the reason", async () => {
    expect(await report({ cgroupsPath: `${own}/none`, podUID: "p-none" })).toBe(status.NOT_FOUND);
    await waitForStatus((containers) => containers.some(({ id }) => id === "none"));
    const refused = (await readStatus()).find(({ id }) => id === "none");
    expect(refused).toMatchObject({
      state: "failed",
      error: expect.stringContaining(`${own}/none`),
      errorKind: "cgroup-missing",
      cgroupId: "0",
    });
  });

  test("shows the same in YAML and in JSON, and a table that no name can garble", async () => {
    const podName = "web\u001b[2J\n\u202e日本";
    const cgroup = makeCgroup(`${own}/yaml`);
    expect(await report({ cgroupsPath: `${own}/yaml`, podName, podUID: "p-yaml" })).toBe(status.OK);
    const document = parse(await printStatus("yaml"));
    expect(document).toEqual(JSON.parse(await printStatus("json")));
    expect(document.containers).toContainEqual(expect.objectContaining({ id: "yaml", podName }));
    const table = await printStatus("table");
    expect(table).not.toMatch(/(?!\n)\p{C}/u);
    expect(table).toContain("web\\u{1b}[2J\\u{a}\\u{202e}日本");
    cgroup.remove();
  });

  test("takes labels from a sender that isTrusted for them, and from no pod's author", async () => {
    const cgroups = ["mine", "listed", "hostile"].map((id) => makeCgroup(`${own}/${id}`));
    const call = (id: string) => ({ cgroupsPath: `${own}/${id}`, podUID: `pod-${id}`, podName: id });
    const annotations = (source: string) =>
      new Map([
        ["rthooks.v1/pod-labels", '{"app":"db"}'],
        ["rthooks.v1/learned-by", source],
      ]);
    const codes = [
      await report({ ...call("mine"), annotations: annotations("nri") }, vouching),
      await report({ ...call("listed"), annotations: annotations("synchronize") }, vouching),
      await report({ ...call("hostile"), annotations: annotations("nri") }),
    ];
    expect(codes).toEqual([status.OK, status.OK, status.OK]);
    const known = await readStatus();
    const find = (id: string) => known.find((container) => container["id"] === id);
    expect(find("mine")).toMatchObject({ podLabels: { app: "db" }, source: "nri" });
    expect(find("listed")).toMatchObject({ podLabels: { app: "db" }, source: "synchronize" });
    expect(find("hostile")).toMatchObject({ podLabels: {}, source: "hook" });
    const wrong = new Map([["rthooks.v1/pod-labels", "[]"]]);
    const refused = report({ ...call("mine"), annotations: wrong }, vouching);
    expect(await refused).toBe(status.INVALID_ARGUMENT);
    for (const cgroup of cgroups) cgroup.remove();
  });

  test("ends what is reported to have ended at once, and never what has processes", async () => {
    const cgroup = makeCgroup(`${own}/c4`);
    await report({ cgroupsPath: `${own}/c4`, podUID: "pod-c4", podName: "c4" });
    const isKnown = async () => (await readStatus()).some(({ id }) => id === "c4");
    const process = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
    try {
      writeFileSync(`${hierarchy}/${own}/c4/cgroup.procs`, `${process.pid}`);
      expect(await reportStopped(["c4", "unknown"])).toBe(status.OK);
      expect(await isKnown()).toBeTrue();
    } finally {
      process.kill("SIGKILL");
      await process.exited;
    }
    expect(await reportStopped(["c4"])).toBe(status.OK);
    expect(await isKnown()).toBeFalse();
    cgroup.remove();
  });

  test("has logged each decision as one line, and ends well", async () => {
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
    const lines = (await log)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const about = (id: string): string[] =>
      lines.filter((line) => line.containerID === id).map((line) => line.msg);
    expect(about("c1")).toEqual(["container released", "container gone"]);
    expect(about("none")).toEqual(["container refused"]);
    expect(about("c2").filter((message) => message === "container released")).toHaveLength(1);
    expect(about("c2").filter((message) => message === "container released again")).toHaveLength(199);
  });
});
