// SPDX-License-Identifier: Apache-2.0
// The watch of a node's pods against an API server with TLS that behaves, misbehaves and comes back.
import { afterAll, describe, expect, test } from "bun:test";
import type { WatchTiming } from "@rthooks/kube";
import fc from "fast-check";
import { startKubeApi } from "../harness/kube-api.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { accessOf, connected, observe } from "./observer.ts";

const workspace = createWorkspace("kube");
afterAll(() => workspace.close());
describe("the pods of a node", () => {
  for (const refuses of [false, true]) {
    test(`are told at the beginning and as they change, ${refuses ? "by list and watch" : "by one stream"}`, async () => {
      const api = startKubeApi(workspace);
      api.refusesInitialEvents = refuses;
      for (let at = 0; at < 5; at++) api.put({ uid: `u${at}`, name: `web-${at}`, labels: { app: "web" } });
      api.put({ uid: "elsewhere", name: "x", nodeName: "node-2" });
      const seen = observe(workspace, accessOf(api));
      await connected(seen);
      expect([...seen.pods().keys()].toSorted()).toEqual(["u0", "u1", "u2", "u3", "u4"]);
      await waitFor("it watches", () => api.watchers() === 1);
      api.put({ uid: "u0", name: "web-0", labels: { app: "db" } });
      api.delete("u1");
      api.put({ uid: "new", name: "web-9", namespace: "ops" });
      await waitFor("the new pod", () => seen.pods().has("new"));
      expect(seen.labels("u0")).toEqual({ app: "db" });
      expect(seen.pods().has("u1")).toBe(false);
      // The server was asked for this node's pods only, and for the list once.
      expect(
        api.requests.every(({ search }) => search.includes("fieldSelector=spec.nodeName%3Dnode-1")),
      ).toBe(true);
      seen.watch.close();
    }, 20_000);
  }

  test("of static pods say which hash they mirror, but not because somebody wrote it", async () => {
    const api = startKubeApi(workspace);
    const annotations = { "kubernetes.io/config.mirror": "0123456789abcdef0123456789abcdef" };
    api.put({
      uid: "mirror",
      name: "etcd",
      annotations,
      ownerReferences: [{ kind: "Node", name: "node-1" }],
    });
    api.put({ uid: "liar", name: "liar", annotations });
    const seen = observe(workspace, accessOf(api));
    await connected(seen);
    expect(seen.pods().get("mirror")?.staticPodHash).toBe("0123456789abcdef0123456789abcdef");
    expect(seen.pods().get("liar")?.staticPodHash).toBeUndefined();
    seen.watch.close();
  });
});

describe("a watch that", () => {
  const begin = async (timing: Partial<WatchTiming> = {}) => {
    const api = startKubeApi(workspace);
    api.put({ uid: "u1", name: "web-1" });
    const seen = observe(workspace, accessOf(api), timing);
    await connected(seen);
    await waitFor("it watches", () => api.watchers() === 1);
    return { api, seen };
  };

  test.each([false, true])(
    "is cut goes on from where it was (in the middle of a line: %p)",
    async (inTheMiddle) => {
      const { api, seen } = await begin();
      const before = api.requests.length;
      api.cut(inTheMiddle);
      api.put({ uid: "u2", name: "web-2" });
      await waitFor("what happened meanwhile", () => seen.pods().has("u2"));
      expect([...seen.pods().keys()]).toEqual(["u1", "u2"]);
      expect(api.requests.slice(before).some(({ search }) => search.includes("sendInitialEvents"))).toBe(
        false,
      );
      seen.watch.close();
    },
  );

  test("is too old is begun anew, and what is gone by then is gone", async () => {
    const { api, seen } = await begin();
    api.isSilent = true;
    api.delete("u1");
    api.put({ uid: "u2", name: "web-2" });
    api.forgetHistory();
    api.isSilent = false;
    api.cut();
    await waitFor("the new list", () => seen.pods().has("u2"));
    expect([...seen.pods().keys()]).toEqual(["u2"]);
    seen.watch.close();
  });

  test("is told that it is too old in its midst is begun anew", async () => {
    const { api, seen } = await begin();
    api.isSilent = true;
    api.put({ uid: "u2", name: "web-2" });
    api.isSilent = false;
    api.say(JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, message: "gone" } }));
    await waitFor("the new list", () => seen.pods().has("u2"));
    seen.watch.close();
  });

  test("is silent is given up, and the next one has what was missed", async () => {
    const { api, seen } = await begin({ idleMs: 300 });
    api.isSilent = true;
    api.put({ uid: "u2", name: "web-2" });
    await waitFor("another request", () => api.requests.length > 1);
    await waitFor("what was missed", () => seen.pods().has("u2"));
    seen.watch.close();
  });

  test("hears bookmarks goes on behind them", async () => {
    const { api, seen } = await begin();
    api.forgetHistory();
    api.bookmark();
    await Bun.sleep(20);
    api.cut();
    api.put({ uid: "u2", name: "web-2" });
    await waitFor("the pod", () => seen.pods().has("u2"));
    expect(seen.tellings.filter(({ kind }) => kind === "all").length).toBe(1);
    seen.watch.close();
  });

  test("is slow is read in whatever pieces come", async () => {
    const api = startKubeApi(workspace);
    api.isSlow = true;
    const annotations = { note: "größer als ein Byte ☃" };
    for (let at = 0; at < 3; at++)
      api.put({ uid: `u${at}`, name: `web-${at}`, labels: { app: "web" }, annotations });
    const seen = observe(workspace, accessOf(api), { idleMs: 300 });
    await waitFor("all of the list", () => seen.pods().size === 3);
    api.put({ uid: "u9", name: "web-9", labels: { app: "db" }, annotations });
    await waitFor("the pod", () => seen.pods().has("u9"));
    // Slow is not silent.
    expect(api.requests.length).toBe(1);
    seen.watch.close();
  }, 20_000);

  test("hears of ends late, and of pods that it never knew, keeps those that are", async () => {
    const { api, seen } = await begin();
    const gone = { metadata: { uid: "unheard-of", name: "x", namespace: "shop", resourceVersion: "1" } };
    api.say(JSON.stringify({ type: "DELETED", object: gone }));
    // Another pod has the name before the end of the first is told.
    api.put({ uid: "u2", name: "web-1" });
    api.delete("u1");
    api.put({ uid: "u3", name: "web-3" });
    await waitFor("the last one", () => seen.pods().has("u3"));
    expect([...seen.pods().keys()].toSorted()).toEqual(["u2", "u3"]);
    seen.watch.close();
  });

  test("hears nonsense passes it over", async () => {
    const { api, seen } = await begin();
    for (const line of [
      "{",
      "null",
      "[]",
      '{"type":"ADDED","object":{"metadata":{"uid":7}}}',
      '{"type":"NEW","object":{}}',
    ]) {
      api.say(line);
    }
    api.put({ uid: "u2", name: "web-2", labels: { app: "web" } });
    await waitFor("the pod behind it", () => seen.pods().has("u2"));
    expect(seen.pods().size).toBe(2);
    seen.watch.close();
  });

  test("has no server for a while keeps its pods, and comes back", async () => {
    const { api, seen } = await begin();
    api.failsWith = 503;
    api.cut();
    await waitFor("it notices", () => !seen.watch.isConnected());
    expect(seen.pods().has("u1")).toBe(true);
    api.failsWith = undefined;
    api.put({ uid: "u2", name: "web-2" });
    await waitFor("it is back", () => seen.pods().has("u2"), 20_000);
    seen.watch.close();
  }, 30_000);
});

test("whatever happens to pods and connections, in the end both sides have the same", async () => {
  type Act =
    | { readonly kind: "put"; readonly uid: string; readonly app: string }
    | { readonly kind: "delete" | "put large"; readonly uid: string }
    | {
        readonly kind:
          | "restore"
          | "cut"
          | "cut in the middle"
          | "forget"
          | "bookmark"
          | "silence"
          | "speak"
          | "nonsense";
      };
  const uid = fc.constantFrom("u1", "u2", "u3", "u4");
  const act: fc.Arbitrary<Act> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("put" as const), uid, app: fc.constantFrom("a", "b") }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "put large" as const), uid }),
    },
    fc.record({
      kind: fc.constantFrom(
        ...([
          "restore",
          "cut",
          "cut in the middle",
          "forget",
          "bookmark",
          "silence",
          "speak",
          "nonsense",
        ] as const),
      ),
    }),
  );
  const large = "<".repeat(200_000);
  const api = startKubeApi(workspace);
  const expected = new Map<string, string>();
  const seen = observe(workspace, accessOf(api), { idleMs: 300, beginMs: 300 });
  await connected(seen);
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
      for (const one of acts) {
        switch (one.kind) {
          case "put":
            expected.set(one.uid, one.app);
            api.put({ uid: one.uid, name: `pod-${one.uid}`, labels: { app: one.app } });
            break;
          case "put large":
            expected.set(one.uid, "large");
            api.put({
              uid: one.uid,
              name: `pod-${one.uid}`,
              labels: { app: "large" },
              env: { LARGE: large },
            });
            break;
          case "restore":
            expected.clear();
            api.restore();
            break;
          case "delete":
            expected.delete(one.uid);
            api.delete(one.uid);
            break;
          case "cut":
          case "cut in the middle":
            api.cut(one.kind !== "cut");
            break;
          case "forget":
            api.forgetHistory();
            break;
          case "bookmark":
            if (!api.isSilent) api.bookmark();
            break;
          case "silence":
          case "speak":
            api.isSilent = one.kind === "silence";
            break;
          case "nonsense":
            api.say("{]");
        }
        if (Math.random() < 0.3) await Bun.sleep(1);
      }
      api.isSilent = false;
      const agrees = () =>
        seen.pods().size === expected.size &&
        [...expected].every(([id, app]) => seen.labels(id)?.["app"] === app);
      await waitFor("both sides agree", agrees, 20_000);
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
  seen.watch.close();
}, 120_000);
