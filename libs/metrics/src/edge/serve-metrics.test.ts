// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveMetrics } from "./serve-metrics.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "rth-metrics-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const silent = (): void => {};
let warnings: unknown[] = [];
const log = {
  debug: silent,
  info: silent,
  warn: (message: string, fields = {}) => void warnings.push([message, fields]),
  error: silent,
};
beforeEach(() => {
  warnings = [];
});

const serve = async (address: string) => {
  const server = await serveMetrics(address, log, async () => "up 1\n");
  if (!server.ok) throw new Error(server.error);
  return server.value;
};

describe("a socket", () => {
  test("serves the metrics and nothing else, and is gone afterwards", async () => {
    const unix = join(dir, "a.sock");
    const server = await serve(`unix://${unix}`);
    const found = await fetch("http://localhost/metrics", { unix });
    expect([found.status, await found.text()]).toEqual([200, "up 1\n"]);
    expect((await fetch("http://localhost/", { unix })).status).toBe(404);
    server.close();
    expect(existsSync(unix)).toBe(false);
  });

  test("that a killed program left is taken over", async () => {
    const unix = join(dir, "stale.sock");
    const killed = createServer();
    await new Promise<void>((resolve) => killed.listen(`${unix}.first`, resolve));
    renameSync(`${unix}.first`, unix);
    await new Promise((resolve) => killed.close(resolve));
    const server = await serve(`unix://${unix}`);
    expect((await fetch("http://localhost/metrics", { unix })).status).toBe(200);
    server.close();
  });

  test("that somebody serves is left to them", async () => {
    const unix = join(dir, "busy.sock");
    const server = await serve(`unix://${unix}`);
    expect(await serveMetrics(`unix://${unix}`, log, async () => "")).toMatchObject({ ok: false });
    expect((await fetch("http://localhost/metrics", { unix })).status).toBe(200);
    server.close();
  });

  test("is not made where a file or a link is", async () => {
    const file = join(dir, "file");
    writeFileSync(file, "kept");
    symlinkSync(file, join(dir, "link"));
    for (const path of [file, join(dir, "link")]) {
      expect(await serveMetrics(`unix://${path}`, log, async () => "")).toMatchObject({ ok: false });
      expect(await Bun.file(file).text()).toBe("kept");
    }
  });
});

test.each(["9090", "localhost:", "localhost:99999", "a:b:1", "unix://", ""])(
  "%s is no address",
  async (address) => {
    expect(await serveMetrics(address, log, async () => "")).toEqual({
      ok: false,
      error: expect.stringContaining(`${address}: `),
    });
  },
);

describe("connections", () => {
  const openSilent = async (unix: string, count: number, ended: Set<number>): Promise<readonly Socket[]> => {
    const sockets: Socket[] = [];
    for (let at = 0; at < count; at++) {
      const socket = connect(unix);
      socket.on("error", silent);
      socket.on("close", () => ended.add(at));
      socket.resume();
      sockets.push(socket);
      await new Promise((resolve) => socket.once("connect", resolve));
      if (at % 2 === 0) socket.write("GET /metrics HTTP/1.1\r\nX: ");
    }
    return sockets;
  };

  test("beyond the bound end, the oldest first, and a scrape is answered", async () => {
    const unix = join(dir, "many.sock");
    const server = await serve(`unix://${unix}`);
    const ended = new Set<number>();
    const sockets = await openSilent(unix, 100, ended);
    expect((await fetch("http://localhost/metrics", { unix })).status).toBe(200);
    while (ended.size < 68) await Bun.sleep(1);
    expect(ended.has(0)).toBeTrue();
    expect(ended.has(99)).toBeFalse();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test("that say nothing, or half a request, end", async () => {
    const unix = join(dir, "silent.sock");
    const server = await serve(`unix://${unix}`);
    const ended = new Set<number>();
    await openSilent(unix, 4, ended);
    while (ended.size < 4) await Bun.sleep(10);
    server.close();
  }, 60_000);
});

test.each([
  { address: "0.0.0.0:0", warned: true },
  { address: ":0", warned: true },
  { address: "[::]:0", warned: true },
  { address: "127.0.0.1:0", warned: false },
  { address: "localhost:0", warned: false },
  { address: "[::1]:0", warned: false },
])("$address is warned about: $warned", async ({ address, warned }) => {
  const server = await serve(address);
  expect(warnings).toHaveLength(warned ? 1 : 0);
  server.close();
});
