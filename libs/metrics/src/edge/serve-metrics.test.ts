// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveMetrics } from "./serve-metrics.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "rth-metrics-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const serve = async (address: string) => {
  const server = await serveMetrics(address, async () => "up 1\n");
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
    expect(await serveMetrics(`unix://${unix}`, async () => "")).toMatchObject({ ok: false });
    expect((await fetch("http://localhost/metrics", { unix })).status).toBe(200);
    server.close();
  });

  test("is not made where a file or a link is", async () => {
    const file = join(dir, "file");
    writeFileSync(file, "kept");
    symlinkSync(file, join(dir, "link"));
    for (const path of [file, join(dir, "link")]) {
      expect(await serveMetrics(`unix://${path}`, async () => "")).toMatchObject({ ok: false });
      expect(await Bun.file(file).text()).toBe("kept");
    }
  });
});

test.each(["9090", "localhost:", "localhost:99999", "a:b:1", "unix://", ""])(
  "%s is no address",
  async (address) => {
    expect(await serveMetrics(address, async () => "")).toEqual({
      ok: false,
      error: expect.stringContaining(`${address}: `),
    });
  },
);
