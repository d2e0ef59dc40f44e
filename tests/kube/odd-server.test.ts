// SPDX-License-Identifier: Apache-2.0
// The watch against an API server that refuses, loses its history, goes back in time or cannot be reached.
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { failure } from "../harness/kube-answers.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { createCerts } from "../harness/kube-certs.ts";
import { startTcpRelay } from "../harness/tcp-relay.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { accessOf, connected, observe } from "./observer.ts";

const workspace = createWorkspace("odd");
afterAll(() => workspace.close());

const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const tooOld = { kind: "Status", code: 410, message: "too old resource version" };
const internal = { kind: "Status", code: 500, message: "an error on the server" };
const bookmark = (version: string) => ({ kind: "Pod", metadata: { resourceVersion: version } });

describe("requests become rarer while each watch", () => {
  let version = 1000;
  test.each([
    ["is too old, by an event", () => new Response(line("ERROR", tooOld))],
    ["is too old, by the status", () => failure(410, "Expired")],
    ["fails in its midst", () => new Response(line("ERROR", internal))],
    ["ends at once", () => new Response("")],
    ["ends after a bookmark", () => new Response(line("BOOKMARK", bookmark(String(++version))))],
    ["is refused", () => failure(403, "forbidden")],
    ["gets what is no watch", () => new Response("<html>")],
  ])("%s", async (_, answer) => {
    const api = startKubeApi(workspace);
    api.put({ uid: "u1", name: "web-1" });
    const times: number[] = [];
    api.intercept = (url) => {
      if (!url.searchParams.has("watch") || !url.searchParams.has("resourceVersion")) return undefined;
      times.push(performance.now());
      return answer();
    };
    api.refusesInitialEvents = true;
    const seen = observe(workspace, accessOf(api), { settledMs: 10_000 }, () => 1);
    await waitFor("some watches", () => times.length >= 6);
    // The second follows soon, the others after 200, 400, 800, 1600 ms at least.
    const pauses = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    expect(pauses[4]).toBeGreaterThanOrEqual(1600 - 5);
    expect(seen.pods().has("u1")).toBe(true);
    seen.watch.close();
  });
});

describe("a storage that is restored from a backup leads to a new list, where the server", () => {
  const begin = async (prepare: (api: KubeApi) => void, idleMs = 60_000) => {
    const api = startKubeApi(workspace);
    api.put({ uid: "old", name: "web-1" });
    const seen = observe(workspace, accessOf(api), { idleMs, beginMs: idleMs });
    await connected(seen);
    await waitFor("it watches", () => api.watchers() === 1);
    prepare(api);
    api.restore();
    api.put({ uid: "restored", name: "web-2" });
    return { api, seen };
  };
  const isRestored = async ({ seen }: Awaited<ReturnType<typeof begin>>) => {
    await waitFor("the restored pods", () => seen.pods().has("restored") && !seen.pods().has("old"));
    seen.watch.close();
  };

  test("sends nothing to a watch from the future", async () => isRestored(await begin(() => {}, 300)));

  test("says that the version is too large", async () => {
    const seen = await begin((api) => {
      api.intercept = ({ searchParams }) =>
        Number(searchParams.get("resourceVersion")) > 950_000
          ? failure(504, "Timeout: Too large resource version: 1000001, current: 900001")
          : undefined;
    });
    await isRestored(seen);
  });

  test.each(["BOOKMARK", "MODIFIED"])("sends a %s of an earlier version", async (type) => {
    const begun = await begin(() => {});
    const metadata = { ...bookmark("11").metadata, uid: "restored", name: "web-2", namespace: "shop" };
    await waitFor("it watches", () => begun.api.watchers() === 1);
    begun.api.say(JSON.stringify({ type, object: { metadata } }));
    await isRestored(begun);
  });
});

test("a partition that ends no connection is a problem with its reason, and what was missed comes after it", async () => {
  const api = startKubeApi(workspace);
  api.put({ uid: "u1", name: "web-1" });
  const relay = await startTcpRelay(workspace, Number(new URL(api.url).port));
  const seen = observe(workspace, accessOf(api, { server: `https://127.0.0.1:${relay.port}` }), {
    ...{ idleMs: 60_000, probeAfterMs: 200, beginMs: 500 },
  });
  await connected(seen);
  expect(seen.watch.problem()).toBe("");
  relay.freeze();
  api.put({ uid: "u2", name: "web-2" });
  const problem = await waitFor("it is noticed", () => seen.watch.problem() || undefined, 30_000);
  expect(problem).toContain("watch on pods lost, pods may be out of date: no bytes for");
  expect(problem).toContain(`https://127.0.0.1:${relay.port}`);
  expect(seen.watch.isConnected()).toBe(false);
  expect(seen.pods().has("u1")).toBe(true);
  relay.thaw();
  await waitFor("what was missed", () => seen.pods().has("u2"), 40_000);
  expect(seen.watch.problem()).toBe("");
  seen.watch.close();
}, 90_000);

test("silence of a server that answers is none of its problems", async () => {
  const api = startKubeApi(workspace);
  api.put({ uid: "u1", name: "web-1" });
  const seen = observe(workspace, accessOf(api), { idleMs: 60_000, probeAfterMs: 20 });
  await connected(seen);
  const probes = () => api.requests.filter(({ pathname }) => pathname === "/livez").length;
  await waitFor("some probes", () => probes() > 3);
  expect(seen.watch.problem()).toBe("");
  expect(api.requests.filter(({ pathname }) => pathname === "/api/v1/pods").length).toBe(1);
  seen.watch.close();
});

describe("a server that shows a certificate of another authority is trusted when the authority's file is replaced,", () => {
  test.each(["token", "exec"] as const)("with credentials of kind %s", async (kind) => {
    const api = startKubeApi(workspace);
    api.put({ uid: "u1", name: "web-1" });
    const plugin = workspace.path(`${kind}-plugin.sh`);
    writeFileSync(
      plugin,
      `#!/bin/sh\nprintf '{"kind":"ExecCredential","status":{"token":"${api.token}"}}'\n`,
    );
    chmodSync(plugin, 0o755);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugin, args: [], env: {} };
    const credentials = kind === "exec" ? { kind, ...exec } : { kind, token: api.token };
    const seen = observe(workspace, accessOf(api, { credentials }));
    await connected(seen);
    const next = createCerts(workspace);
    await api.restart(next.server);
    await waitFor("it is not trusted", () => seen.watch.problem().includes("certificate"));
    copyFileSync(next.caPath, api.certs.caPath);
    api.put({ uid: "u2", name: "web-2" });
    await waitFor("it is trusted", () => seen.pods().has("u2"));
    seen.watch.close();
  });
});
