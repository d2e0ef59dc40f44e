// SPDX-License-Identifier: Apache-2.0
// The part of a played API server that stores what clients write: CustomResourceDefinitions, Leases and PodInfo objects, with
// the resource versions, conflicts and conditions of the real one.
import { type CustomResourceDefinition, SCHEMA_VERSION_LABEL } from "@rthooks/policy/crd";
import { createCrdValidator } from "./crd-validation.ts";
import { answer, failure } from "./kube-answers.ts";
import type { KubeApi } from "./kube-api.ts";

interface Stored {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [member: string]: unknown;
}

export interface KubeObjects {
  /** What was carried out, in order: "POST /apis/…/leases/NAME". */
  readonly writes: readonly string[];
  find(path: string): Stored | undefined;
  /** As another client writes it. */
  put(path: string, object: object): void;
  /** Whether the kind of a new CRD is served at once. */
  establishes: boolean;
  /** The condition NamesAccepted of new CRDs is False. */
  refusesNames: boolean;
  /** All CRDs are Established from now on. */
  establish(): void;
}

export const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const PODINFO = /^\/apis\/cilium\.io\/v1alpha1\/namespaces\/[^/]+\/podinfo$/;
const COLLECTIONS: readonly RegExp[] = [
  new RegExp(`^${CRDS}$`),
  /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/[^/]+\/leases$/,
  PODINFO,
];
const isCollection = (path: string): boolean => COLLECTIONS.some((pattern) => pattern.test(path));

export function serveKubeObjects(api: KubeApi): KubeObjects {
  const stored = new Map<string, Stored>();
  const writes: string[] = [];
  let version = 5_000_000;

  const conditionsOf = () => {
    const accepted = objects.refusesNames ? "False" : "True";
    const names = { type: "NamesAccepted", status: accepted, reason: "ListKindConflict", message: "taken" };
    const isServed = objects.establishes && !objects.refusesNames;
    return { conditions: [names, { type: "Established", status: isServed ? "True" : "False" }] };
  };
  const serveKind = (crd: Stored): void => {
    const name = String(crd.metadata["name"]);
    api.serveKind(name.slice(0, name.indexOf(".")));
  };
  const store = (path: string, object: Stored): Stored => {
    const collection = path.slice(0, path.lastIndexOf("/"));
    const before = stored.get(path);
    const uid = String(before?.metadata["uid"] ?? object.metadata["uid"] ?? crypto.randomUUID());
    const isCrd = collection === CRDS;
    const own = isCrd ? { status: before?.["status"] ?? conditionsOf() } : {};
    version++;
    const next: Stored = PODINFO.test(collection)
      ? api.putObject("podinfo", uid, object)
      : { ...object, ...own, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
    stored.set(path, next);
    if (isCrd && objects.establishes) serveKind(next);
    return next;
  };
  const findFault = (collection: string, object: Stored): string | undefined => {
    if (!PODINFO.test(collection)) return undefined;
    const crd = stored.get(`${CRDS}/podinfo.cilium.io`);
    if (crd === undefined) return "404";
    // The cast: the operator under test wrote it.
    const [fault] = createCrdValidator(crd as unknown as CustomResourceDefinition)(object);
    return fault;
  };

  const write = async (request: Request, { pathname }: URL): Promise<Response> => {
    // The cast: a client that sends anything else fails the test.
    const object = (await request.json()) as Stored;
    const isNew = request.method === "POST";
    const collection = isNew ? pathname : pathname.slice(0, pathname.lastIndexOf("/"));
    const path = `${collection}/${String(object.metadata["name"])}`;
    const fault = findFault(collection, object);
    if (fault === "404") return new Response("404 page not found\n", { status: 404 });
    if (fault !== undefined) return failure(422, `invalid: ${fault}`);
    const before = stored.get(path);
    if (isNew && before !== undefined) return failure(409, `${path} already exists`);
    if (!isNew) {
      const sent = object.metadata["resourceVersion"];
      if (before === undefined) return failure(404, `${path} not found`);
      if (sent === undefined)
        return failure(422, "metadata.resourceVersion: must be specified for an update");
      if (sent !== before.metadata["resourceVersion"])
        return failure(409, "Operation cannot be fulfilled: the object has been modified");
    } else if (object.metadata["resourceVersion"] !== undefined) {
      return failure(400, "resourceVersion should not be set on objects to be created");
    }
    writes.push(`${request.method} ${path}`);
    return answer(store(path, object));
  };

  const objects: KubeObjects = {
    writes,
    find: (path) => stored.get(path),
    // The cast: tests write objects.
    put: (path, object) => void store(path, object as Stored),
    establishes: true,
    refusesNames: false,
    establish() {
      objects.establishes = true;
      objects.refusesNames = false;
      for (const [path, object] of stored) {
        if (!path.startsWith(CRDS)) continue;
        stored.set(path, { ...object, status: conditionsOf() });
        serveKind(object);
      }
    },
  };
  api.store = (request, url) => {
    if (request.method !== "GET") return write(request, url);
    const parent = url.pathname.slice(0, url.pathname.lastIndexOf("/"));
    if (!isCollection(parent)) return undefined;
    const found = stored.get(url.pathname);
    return found === undefined ? failure(404, `${url.pathname} not found`) : answer(found);
  };
  return objects;
}

/** The version label of the CRD in the server; undefined without the CRD. */
export function versionOf(objects: KubeObjects, name: string): unknown {
  const labels = Object(objects.find(`${CRDS}/${name}`)?.metadata["labels"]);
  return labels[SCHEMA_VERSION_LABEL];
}
