// SPDX-License-Identifier: Apache-2.0
// Whatever comes in on its socket, the agent answers, says why, writes whole log lines, and goes on.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, status } from "@grpc/grpc-js";
import { type Mount, RuntimeHookRequest } from "@rthooks/proto";
import fc from "fast-check";
import { listContainers } from "../harness/agent-client.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-hostile-agent-"));
const socket = join(directory, "agent.sock");
const method = "/tetragon.FineGuidanceSensors/RuntimeHook";
/** The agent's whole hierarchy is made by this test, and what else is on the machine does not count. */
const ownRoot = `/rthooks-hostile-${crypto.randomUUID().slice(0, 8)}`;
const main = join(import.meta.dir, "../../apps/agent/src/main.ts");
mkdirSync(findCgroupDirectory(ownRoot));
const agent = Bun.spawn(
  [
    ...[
      process.execPath,
      main,
      "--server-address",
      `unix://${socket}`,
      "--info-file=",
      "--log-format",
      "json",
    ],
    ...["--cgroup-root", findCgroupDirectory(ownRoot)],
  ],
  { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
);
const log = new Response(agent.stderr).text();
const client = new Client(`unix://${socket}`, credentials.createInsecure());

beforeAll(async () => {
  while (!existsSync(socket) && agent.exitCode === null) await Bun.sleep(5);
});
afterAll(() => {
  client.close();
  agent.kill("SIGKILL");
  removeCgroup(ownRoot);
  rmSync(directory, { recursive: true });
});

function call(bytes: Uint8Array): Promise<{ readonly code: status; readonly details: string }> {
  const same = (buffer: Buffer): Buffer => buffer;
  return new Promise((resolve) => {
    client.makeUnaryRequest(method, same, same, Buffer.from(bytes), (error) =>
      resolve(error ?? { code: status.OK, details: "" }),
    );
  });
}

const refusals = [status.INVALID_ARGUMENT, status.NOT_FOUND, status.FAILED_PRECONDITION];

const element = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "",
    "kubepods",
    "memory",
    "cgroup.procs",
    "system.slice",
    "a\0b",
    "~",
    "%2e%2e",
    "-.slice",
  ),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 20 }),
);
const path = fc.oneof(
  fc.array(element, { maxLength: 8 }).map((elements) => elements.join("/")),
  fc.array(element, { maxLength: 4 }).map((elements) => elements.join(":")),
  fc.string({ unit: "binary", minLength: 4000, maxLength: 5000 }),
);
const text = fc.oneof(
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9",
    "kube-system",
    "a\nb=c",
  ),
  fc.string({ unit: "binary", maxLength: 300 }),
);
const toRequest = (paths: fc.Arbitrary<string>, ids: fc.Arbitrary<string>) =>
  fc
    .record({
      cgroupsPath: paths,
      rootDir: text,
      annotations: fc.array(fc.tuple(text, text), { maxLength: 5 }).map((entries) => new Map(entries)),
      containerName: text,
      containerID: ids,
      podName: text,
      podUID: text,
      podNamespace: text,
      containerImage: text,
      mounts: fc.constant<Mount[]>([]),
    })
    .map((createContainer) =>
      RuntimeHookRequest.encode({ event: { $case: "createContainer", createContainer } }).finish(),
    );
const request = toRequest(path, text);

const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
const slice = `kubepods-besteffort-pod${uid.replaceAll("-", "_")}.slice`;
const id = "ab".repeat(32);
/** As the kubelet, systemd and docker make them, and one below the other. */
const names = [
  ...["kubepods", "besteffort", `pod${uid}`, id, "container", "kubelet", "docker"],
  ...["kubepods.slice", "kubepods-besteffort.slice", slice, `cri-containerd-${id}.scope`],
];
const tree = [
  `kubepods/besteffort/pod${uid}/${id}/container`,
  `kubelet/kubepods/besteffort/pod${uid}/${id}`,
  `kubepods.slice/kubepods-besteffort.slice/${slice}/cri-containerd-${id}.scope/container`,
  `docker/${id}/kubepods/pod${uid}/${id}`,
];
const placed = fc.oneof(
  fc.constantFrom(
    ...tree.flatMap((leaf) => leaf.split("/").map((_, at, all) => all.slice(0, at + 1).join("/"))),
  ),
  fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }).map((elements) => elements.join("/")),
);
const isPods = (path: string): boolean =>
  /(?:^|[/-])(?:kubepods|besteffort|pod[-_0-9a-f]{36})(?:\.slice)?$/.test(path);

describe("the agent", () => {
  test("refuses every request that names no cgroup", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 10, maxLength: 10 }), async (requests) => {
        for (const { code, details } of await Promise.all(requests.map(call))) {
          expect({ code, isRefusal: refusals.includes(code) }).toEqual({ code, isRefusal: true });
          expect(details).not.toBe("");
        }
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  test("gives no container a cgroup that holds pods or another container's", async () => {
    for (const leaf of tree) mkdirSync(findCgroupDirectory(`${ownRoot}/${leaf}`), { recursive: true });
    const ids = fc.oneof(fc.constantFrom("", "c1", "c2", ...names), text);
    let held = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(toRequest(placed, ids), { minLength: 10, maxLength: 10 }),
        async (requests) => {
          await Promise.all(requests.map(call));
          const containers = await listContainers(`unix://${socket}`);
          const paths = containers
            .filter(({ state }) => state === "released")
            .map(({ cgroupPath }) => cgroupPath);
          held = Math.max(held, paths.length);
          for (const one of paths) {
            expect({ one, isPods: isPods(one) }).toEqual({ one, isPods: false });
            for (const other of paths)
              expect({ one, other, isAbove: other.startsWith(`${one}/`) }).toMatchObject({ isAbove: false });
          }
          expect(new Set(paths).size).toBe(paths.length);
        },
      ),
      { numRuns: 150 },
    );
    expect(held).toBeGreaterThan(2);
  }, 60_000);

  test("refuses bytes that are no request", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(request, fc.nat({ max: 400 })).map(([whole, length]) => whole.slice(0, length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 10, maxLength: 10 }), async (requests) => {
        for (const { code } of await Promise.all(requests.map(call))) {
          expect({ code, isRefusal: refusals.includes(code) }).toEqual({ code, isRefusal: true });
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test("survives connections that do not speak HTTP/2", async () => {
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const noise = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 300 }));
    await fc.assert(
      fc.asyncProperty(noise, async ([withPreface, bytes]) => {
        await new Promise<void>((resolve) => {
          const peer = connect(socket, () =>
            peer.end(Buffer.concat([withPreface ? preface : Buffer.alloc(0), bytes])),
          );
          peer.on("error", () => {});
          peer.on("close", () => resolve());
          peer.resume();
          peer.setTimeout(200, () => peer.destroy());
        });
        expect(agent.exitCode).toBeNull();
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test("then still answers, ends well, and has written whole lines only", async () => {
    const { code } = await call(RuntimeHookRequest.encode({ event: undefined }).finish());
    expect(code).toBe(status.INVALID_ARGUMENT);
    agent.kill("SIGTERM");
    expect(await agent.exited).toBe(0);
    const lines = (await log).trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1000);
    const levels = new Set(lines.map((line) => JSON.parse(line).level));
    expect(levels).toEqual(new Set(["info", "warn"]));
  });
});
