// SPDX-License-Identifier: Apache-2.0
// Whatever comes in on its socket, the agent answers, says why, writes whole log lines, and goes on.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, status } from "@grpc/grpc-js";
import { type Mount, RuntimeHookRequest } from "@rthooks/proto";
import fc from "fast-check";

const directory = mkdtempSync(join(tmpdir(), "rthooks-hostile-agent-"));
const socket = join(directory, "agent.sock");
const method = "/tetragon.FineGuidanceSensors/RuntimeHook";
const main = join(import.meta.dir, "../../apps/agent/src/main.ts");
const agent = Bun.spawn(
  [process.execPath, main, "--server-address", `unix://${socket}`, "--info-file=", "--log-format", "json"],
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
const request = fc
  .record({
    cgroupsPath: path,
    rootDir: text,
    annotations: fc.array(fc.tuple(text, text), { maxLength: 5 }).map((entries) => new Map(entries)),
    containerName: text,
    containerID: text,
    podName: text,
    podUID: text,
    podNamespace: text,
    containerImage: text,
    mounts: fc.constant<Mount[]>([]),
  })
  .map((createContainer) =>
    RuntimeHookRequest.encode({ event: { $case: "createContainer", createContainer } }).finish(),
  );

describe("the agent", () => {
  test("refuses every request that names no cgroup of this machine", async () => {
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
