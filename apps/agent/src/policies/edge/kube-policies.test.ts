// SPDX-License-Identifier: Apache-2.0
// 10,000 policies of an API server: a change causes exactly one change of the store, and an object that comes again with
// another version and the same content causes none.
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { ApiClient } from "@rthooks/kube";
import { parseTracingPolicy } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import type { PolicyStore } from "../core/policy-store.ts";
import { watchPolicies } from "./kube-policies.ts";
import { createMemoryPolicies } from "./memory-policies.fixture.ts";

const count = 10_000;
const silent = (): void => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };

interface Fields {
  readonly version: number;
  readonly app?: string;
  readonly more?: object;
  readonly spec?: object;
}

const toObject = (at: number, { version, app = "web", more = {}, spec = {} }: Fields): object => ({
  ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy" },
  metadata: { uid: `u-${at}`, name: `p-${at}`, resourceVersion: String(version), ...more },
  spec: { podSelector: { matchLabels: { app } }, ...spec },
});

type Send = (type: string, object: object) => void;

/** A server whose watches are driven by the test: `send` to that of cluster-wide policies. */
function createServer() {
  let send: Send = silent;
  let opened = 0;
  const paths: string[] = [];
  const client: ApiClient = {
    get: () => Promise.reject(new Error("no list is needed")),
    write: () => Promise.reject(new Error("no write is needed")),
    stream: (path, { onDocument, onBytes, signal, accept = "" }) => {
      paths.push(`${path} ${accept}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve());
      onBytes();
      const own: Send = (type, object) =>
        onDocument({ text: JSON.stringify({ type, object }), level: 0, bytes: 0 });
      if (path.includes("/tracingpolicies?")) {
        send = own;
        opened++;
      } else own("BOOKMARK", toEnd(1));
      return promise.then(() => ok(undefined));
    },
    probe: () => Promise.resolve(ok(undefined)),
    silenceMs: () => 0,
    reconnects: { enter: () => Promise.resolve({ answered: silent, refused: silent }) },
  };
  return {
    client,
    paths,
    send: (type: string, object: object) => send(type, object),
    opened: () => opened,
  };
}

const toEnd = (version: number): object => ({
  metadata: { resourceVersion: String(version), annotations: { "k8s.io/initial-events-end": "true" } },
});

let server: ReturnType<typeof createServer>;
let watch: ReturnType<typeof watchPolicies>;
let changes: string[];
let parsed: number;
let whole: number;

beforeEach(() => {
  server = createServer();
  changes = [];
  parsed = 0;
  whole = 0;
  const store = createMemoryPolicies();
  const policies: PolicyStore = {
    ...store,
    put: (domain, policy, change) => {
      changes.push(`put ${policy.name}`);
      return store.put(domain, policy, change);
    },
    remove: (name) => {
      changes.push(`remove ${name.name}`);
      return store.remove(name);
    },
  };
  watch = watchPolicies({
    ...{ client: server.client, nodeName: "node-1", policies, log },
    parser: {
      async parsePolicyObject(written) {
        parsed++;
        const policy = parseTracingPolicy(JSON.parse(String(written)));
        return policy.ok ? policy : err("refused");
      },
    },
    onAll: () => void whole++,
    onTooLarge: silent,
  });
});
afterEach(() => watch.close());

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Until everything that was sent has had its effect: a policy that was sent last has its own. */
async function drain(): Promise<void> {
  const marker = count + 1 + changes.length;
  server.send("ADDED", toObject(marker, { version: 9_000_000 }));
  await until(() => changes.includes(`put p-${marker}`));
  changes.splice(changes.indexOf(`put p-${marker}`), 1);
  parsed--;
}

async function begin(): Promise<void> {
  for (let at = 0; at < count; at++) server.send("ADDED", toObject(at, { version: 100 + at }));
  server.send("BOOKMARK", toEnd(20_000));
  await until(() => whole === 1);
}

test("each of 10,000 policies is parsed and put once, and versions without a change of content do nothing", async () => {
  await begin();
  expect(changes.length).toBe(count);
  expect(parsed).toBe(count);
  changes.length = 0;
  for (let at = 0; at < count; at++) {
    // Labels, annotations, managed fields, status: another version, the same policy.
    const more = { labels: { touched: "yes" }, managedFields: [{ manager: "kubectl" }], generation: 1 };
    const object = { ...toObject(at, { version: 30_000 + at, more }), status: { seen: at } };
    server.send("MODIFIED", object);
  }
  await drain();
  expect(changes).toEqual([]);
  expect(parsed).toBe(count);
}, 60_000);

test("each change of a spec is one put, each deletion one removal", async () => {
  await begin();
  changes.length = 0;
  for (let at = 0; at < 100; at++) server.send("MODIFIED", toObject(at, { version: 30_000 + at, app: "db" }));
  for (let at = 100; at < 200; at++) server.send("DELETED", toObject(at, { version: 40_000 + at }));
  await drain();
  const puts = changes.filter((change) => change.startsWith("put"));
  expect(puts.toSorted()).toEqual(Array.from({ length: 100 }, (_, at) => `put p-${at}`).toSorted());
  expect(changes.length).toBe(200);
}, 60_000);

test("a new list after 410 changes what differs, and nothing else", async () => {
  await begin();
  changes.length = 0;
  server.send("ERROR", { kind: "Status", code: 410, message: "too old resource version" });
  await until(() => server.opened() === 2);
  expect(server.paths.at(-1)).toContain("sendInitialEvents=true");
  // Ten are gone, ten are other ones, ten have the version of before with the content of before.
  for (let at = 10; at < count; at++) {
    const isOther = at < 20;
    server.send("ADDED", toObject(at, { version: isOther ? 50_000 : 100 + at, app: isOther ? "db" : "web" }));
  }
  server.send("BOOKMARK", toEnd(60_000));
  await drain();
  expect(changes.length).toBe(20);
  expect(changes.filter((change) => change.startsWith("remove")).length).toBe(10);
}, 60_000);

test("a generation that was counted in another history does not hide a change", async () => {
  server.send("ADDED", toObject(1, { version: 100, more: { generation: 2 } }));
  server.send("BOOKMARK", toEnd(200));
  await until(() => whole === 1);
  changes.length = 0;
  server.send("MODIFIED", toObject(1, { version: 300, app: "db", more: { generation: 2 } }));
  await drain();
  expect(changes).toEqual(["put p-1"]);
});

test("the node is watched only when a policy asks for its labels, with its metadata alone", async () => {
  server.send("ADDED", toObject(1, { version: 100 }));
  server.send("BOOKMARK", toEnd(200));
  await until(() => whole === 1);
  expect(server.paths.some((path) => path.includes("/nodes"))).toBe(false);
  server.send("ADDED", toObject(2, { version: 300, spec: { nodeSelector: { matchLabels: { a: "b" } } } }));
  await until(() => server.paths.some((path) => path.includes("/nodes")));
  expect(server.paths.at(-1)).toContain("as=PartialObjectMetadata;");
});
