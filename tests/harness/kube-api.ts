// SPDX-License-Identifier: Apache-2.0
// An API server with pods, as far as one that watches them can tell it from the real one: TLS, tokens, lists with pages,
// watches with bookmarks, initial events and a history that ends (Kubernetes API concepts).
import { answer, failure, type TestPod, toJson, toPodObject } from "./kube-answers.ts";
import { type Certs, createCerts } from "./kube-certs.ts";
import type { Workspace } from "./workspace.ts";

export interface KubeApi {
  readonly url: string;
  readonly certs: Certs;
  /** Requests so far, by path and query. */
  readonly requests: readonly URL[];
  /** Objects of a page at most. */
  pageLimit: number;
  /** What it answers in place of what it would; undefined: as usual. */
  intercept: (url: URL, request: Request) => Promise<Response> | Response | undefined;
  /** Answers for objects that clients write (kube-objects.ts); undefined: it has none. */
  store: (request: Request, url: URL) => Promise<Response> | Response | undefined;
  /** A kind of cilium.io/v1alpha1 is served from now on, without objects. */
  serveKind(plural: string): void;
  /** Accepted as "Bearer"; empty: none is asked for. */
  token: string;
  /** As servers before 1.32. */
  refusesInitialEvents: boolean;
  /** Status that every request gets. */
  failsWith: number | undefined;
  /** Watches that begin from now on speak in pieces of some bytes, one in a millisecond. */
  isSlow: boolean;
  /** Watches say nothing more, not even bookmarks. */
  isSilent: boolean;
  put(pod: TestPod): void;
  putNode(name: string, labels: Readonly<Record<string, string>>): void;
  /** Of another kind, such as "tracingpolicies" of cilium.io/v1alpha1; the kind is there from the first one on. */
  putObject(plural: string, uid: string, object: { readonly metadata: object }): StoredObject;
  /** Of any collection, such as "/apis/apps/v1/namespaces/kube-system/daemonsets"; its UID is the path. */
  putAt(collection: string, object: { readonly metadata: { readonly name: string } }): void;
  delete(uid: string): void;
  /** A line of the server's own making, to all who watch. */
  say(line: string): void;
  /** Every watch is ended, in the middle of a line if that is wanted. */
  cut(inTheMiddle?: boolean): void;
  /** Nobody can go on from before now. */
  forgetHistory(): void;
  /**
   * The storage is that of a backup: versions begin again, and watches end. Pods are what is put from now on. A watch from
   * a version that is not reached yet gets nothing until then.
   */
  restore(): void;
  /** Another server at the same address, which shows the certificate. */
  restart(server: Certs["server"]): Promise<void>;
  bookmark(): void;
  catchUp(): void;
  watchers(): number;
}

interface StoredObject {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

/** Pods are stored by node, and watched by node or all together. */
const isOf = (collection: string, watched: string): boolean =>
  collection === watched || collection.startsWith(`${watched}@`);

interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: object;
  readonly collection: string;
}

interface Watcher {
  readonly collection: string;
  /** It was not told of something: a real server leaves nothing out, so it hears nothing more. */
  isStuck: boolean;
  /** It is sent nothing of this version or before. */
  readonly from: number;
  readonly timer: ReturnType<typeof setInterval> | undefined;
  send(text: string): void;
  end(): void;
}

/**
 * `needsCertificate`: a token alone is not enough to be let in. `addresses`: of this host, by which clients in other network
 * namespaces reach it.
 */
export function startKubeApi(
  workspace: Workspace,
  needsCertificate = false,
  addresses: readonly string[] = [],
): KubeApi {
  const certs = createCerts(workspace, addresses);
  let version = 1_000_000;
  let oldest = version;
  const pods = new Map<
    string,
    { readonly object: { metadata: object }; readonly collection: string; readonly path: string }
  >();
  const history: Change[] = [];
  const watchers = new Set<Watcher>();
  const requests: URL[] = [];
  const kinds = new Set<string>();
  const behind = new Map<string, () => void>();
  /** Of lists and bookmarks while something is behind: a server that is late says how far it is. */
  let lagging = version;
  const shownVersion = (): number => (behind.size === 0 ? version : lagging);
  const toNode = (name: string): string => `/api/v1/nodes@${name}`;
  const toPods = (nodeName: string): string => `/api/v1/pods@${nodeName}`;

  const tell = (change: Change): void => {
    history.push(change);
    for (const watcher of watchers) {
      if (!isOf(change.collection, watcher.collection) || change.version <= watcher.from) continue;
      if (api.isSilent) watcher.isStuck = true;
      if (!watcher.isStuck) watcher.send(`${toJson({ type: change.type, object: change.object })}\n`);
    }
  };
  const store = (
    uid: string,
    object: { metadata: object },
    collection: string,
    path: string,
    isBehind = false,
  ): void => {
    const type = pods.has(uid) ? "MODIFIED" : "ADDED";
    pods.set(uid, { object, collection, path });
    const change = { version, type, object, collection } as const;
    if (isBehind) behind.set(uid, () => tell(change));
    else tell(change);
  };
  const listShown = (collection: string) =>
    [...pods]
      .filter(([uid, pod]) => isOf(pod.collection, collection) && !behind.has(uid))
      .map(([, { object }]) => object);
  const renderBookmark = (isEnd: boolean): string =>
    `${JSON.stringify({
      type: "BOOKMARK",
      object: {
        kind: "Pod",
        metadata: {
          resourceVersion: String(shownVersion()),
          ...(isEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
        },
      },
    })}\n`;

  const watch = (query: URLSearchParams, collection: string): Response => {
    const from = Number(query.get("resourceVersion") ?? "");
    const hasInitial = query.get("sendInitialEvents") === "true";
    if (hasInitial && api.refusesInitialEvents) {
      return failure(
        422,
        "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
      );
    }
    let watcher: Watcher | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const encoder = new TextEncoder();
        const slowly: Uint8Array[] = [];
        const sayNext = (): void => {
          const [first, ...others] = slowly;
          if (first === undefined || !watchers.has(own)) return;
          controller.enqueue(first.subarray(0, 7));
          const rest = first.subarray(7);
          slowly.splice(0, slowly.length, ...(rest.length === 0 ? [] : [rest]), ...others);
        };
        const timer = api.isSlow ? setInterval(sayNext, 1) : undefined;
        const own: Watcher = {
          collection,
          isStuck: false,
          from: hasInitial ? 0 : from,
          timer,
          send: (text) => {
            if (timer !== undefined) slowly.push(encoder.encode(text));
            else controller.enqueue(encoder.encode(text));
          },
          end: () => {
            watchers.delete(own);
            clearInterval(timer);
            controller.close();
          },
        };
        watcher = own;
        if (!hasInitial && from < oldest) {
          const status = {
            kind: "Status",
            code: 410,
            message: `too old resource version: ${from} (${oldest})`,
          };
          own.send(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
          clearInterval(timer);
          controller.close();
          return;
        }
        watchers.add(own);
        if (hasInitial) {
          for (const object of listShown(collection)) {
            own.send(`${toJson({ type: "ADDED", object })}\n`);
          }
          own.send(renderBookmark(true));
        } else {
          for (const change of history) {
            if (change.version > from && isOf(change.collection, collection))
              own.send(`${toJson({ type: change.type, object: change.object })}\n`);
          }
        }
      },
      cancel: () => {
        if (watcher === undefined) return;
        watchers.delete(watcher);
        clearInterval(watcher.timer);
      },
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  };

  const list = (query: URLSearchParams, collection: string): Response => {
    const limit = Math.min(Number(query.get("limit") ?? 500), api.pageLimit);
    const from = Number(query.get("continue") ?? 0);
    const all = listShown(collection);
    const next = from + limit < all.length ? String(from + limit) : undefined;
    const resourceVersion = String(shownVersion());
    const metadata = { resourceVersion, ...(next === undefined ? {} : { continue: next }) };
    return answer({ kind: "PodList", metadata, items: all.slice(from, from + limit) });
  };

  const serve = (port: number, own: Certs["server"]) =>
    Bun.serve({
      hostname: addresses.length === 0 ? "127.0.0.1" : "0.0.0.0",
      port,
      idleTimeout: 0,
      tls: needsCertificate
        ? { ...own, ca: certs.ca, requestCert: true, rejectUnauthorized: true }
        : { ...own },
      fetch(request) {
        const url = new URL(request.url);
        requests.push(url);
        const intercepted = api.intercept(url, request);
        if (intercepted !== undefined) return intercepted;
        if (api.failsWith !== undefined) return failure(api.failsWith, "as it was asked to");
        if (api.token !== "" && request.headers.get("authorization") !== `Bearer ${api.token}`) {
          return failure(401, "Unauthorized");
        }
        const stored = api.store(request, url);
        if (stored !== undefined) return stored;
        const nodeName = /^spec\.nodeName=(.+)$/.exec(url.searchParams.get("fieldSelector") ?? "")?.[1];
        const named = /^metadata\.name=(.+)$/.exec(url.searchParams.get("fieldSelector") ?? "")?.[1];
        const collection = (() => {
          if (kinds.has(url.pathname) && named !== undefined) return `${url.pathname}@${named}`;
          if (url.pathname === "/api/v1/pods" && nodeName !== undefined) return toPods(nodeName);
          if (url.pathname === "/api/v1/nodes" && named !== undefined) return toNode(named);
          return url.pathname;
        })();
        if (/^\/api\/v1\/(pods$|(pods|nodes)@)/.test(collection) || kinds.has(url.pathname)) {
          const serve = url.searchParams.get("watch") === "true" ? watch : list;
          return serve(url.searchParams, collection);
        }
        const pod = [...pods.values()].find(({ path }) => path === url.pathname);
        return pod === undefined ? failure(404, "not found") : answer(pod.object);
      },
    });
  let server = serve(0, certs.server);
  workspace.onClose(() => server.stop(true));

  const api: KubeApi = {
    url: `https://127.0.0.1:${server.port}`,
    certs,
    requests,
    pageLimit: 2,
    intercept: () => undefined,
    store: () => undefined,
    serveKind: (plural) => void kinds.add(`/apis/cilium.io/v1alpha1/${plural}`),
    token: "secret-1",
    refusesInitialEvents: false,
    failsWith: undefined,
    isSlow: false,
    isSilent: false,
    put(pod) {
      const { uid, name, namespace = "shop", nodeName = "node-1", isBehind = false } = pod;
      if (isBehind && behind.size === 0) lagging = version;
      // Others write meanwhile, whom the server is late with as well.
      version += isBehind ? 100 : 1;
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
      store(uid, toPodObject(pod, version), toPods(nodeName), path, isBehind);
    },
    putNode(name, labels) {
      version++;
      const metadata = { uid: `node-${name}`, name, labels, resourceVersion: String(version) };
      const object = { kind: "Node", apiVersion: "v1", metadata };
      store(metadata.uid, object, toNode(name), `/api/v1/nodes/${name}`);
    },
    putObject(plural, uid, object) {
      const collection = `/apis/cilium.io/v1alpha1/${plural}`;
      kinds.add(collection);
      version++;
      const metadata = { ...object.metadata, uid, resourceVersion: String(version) };
      const stored = { ...object, metadata };
      store(uid, stored, collection, `${collection}/${uid}`);
      return stored;
    },
    putAt(collection, object) {
      kinds.add(collection);
      version++;
      const path = `${collection}/${object.metadata.name}`;
      const metadata = { ...object.metadata, uid: path, resourceVersion: String(version) };
      store(path, { ...object, metadata }, `${collection}@${object.metadata.name}`, path);
    },
    delete(uid) {
      const pod = pods.get(uid);
      if (pod === undefined) return;
      version++;
      pods.delete(uid);
      const object = {
        ...pod.object,
        metadata: { ...pod.object.metadata, resourceVersion: String(version) },
      };
      tell({ version, type: "DELETED", object, collection: pod.collection });
    },
    say: (line) => {
      for (const watcher of watchers) watcher.send(`${line}\n`);
    },
    cut(inTheMiddle = false) {
      for (const watcher of [...watchers]) {
        if (inTheMiddle) watcher.send('{"type":"ADDED","object":{"metadata":{"uid":"half');
        watcher.end();
      }
    },
    forgetHistory() {
      if (behind.size === 0) version++;
      else lagging++;
      oldest = shownVersion();
      history.length = 0;
    },
    restore() {
      api.cut();
      pods.clear();
      history.length = 0;
      // What is written from now on does not reach the versions of before.
      version = Math.floor(version / 100_000 - 1) * 100_000;
      oldest = version;
    },
    async restart(own) {
      const { port } = server;
      await server.stop(true);
      watchers.clear();
      server = serve(port ?? 0, own);
    },
    bookmark: () => {
      for (const watcher of watchers)
        if (!watcher.isStuck && version > watcher.from) watcher.send(renderBookmark(false));
    },
    catchUp() {
      for (const tellNow of behind.values()) tellNow();
      behind.clear();
    },
    watchers: () => watchers.size,
  };
  return api;
}
