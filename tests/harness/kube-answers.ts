// SPDX-License-Identifier: Apache-2.0
// What an API server sends: pods and answers, written as the real one writes them.

interface TestContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageID?: string;
}

export interface TestPod {
  readonly uid: string;
  readonly name: string;
  readonly namespace?: string;
  readonly nodeName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly object[];
  readonly generateName?: string;
  /** Those that run, as the kubelet reports them. */
  readonly containers?: readonly TestContainer[];
  /** Whoever asks for it by name is told; lists and watches are behind, until `catchUp`. */
  readonly isBehind?: boolean;
  readonly ip?: string;
  readonly isHostNetwork?: boolean;
  /** Of its container's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** As Go writes JSON: these characters take six bytes each. */
export const toJson = (value: unknown): string =>
  ["<", ">", "&", "\u2028", "\u2029"].reduce(
    (text, character) =>
      text.replaceAll(character, `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`),
    JSON.stringify(value),
  );

export const answer = (value: unknown): Response =>
  new Response(toJson(value), { headers: { "content-type": "application/json" } });

export const failure = (code: number, message: string): Response =>
  Response.json({ kind: "Status", apiVersion: "v1", status: "Failure", message, code }, { status: code });

export function toPodObject(pod: TestPod, version: number) {
  const { uid, name, namespace = "shop", nodeName = "node-1", containers = [], env = {} } = pod;
  const { labels = {}, annotations = {}, ownerReferences = [], generateName } = pod;
  const resourceVersion = String(version);
  const containerStatuses = containers.map(({ id, name, image, imageID = "" }) => ({
    ...{ name, image, imageID, containerID: `containerd://${id}` },
    state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
  }));
  const { ip, isHostNetwork = false } = pod;
  const addresses = ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] };
  const environment = Object.entries(env).map(([key, value]) => ({ name: key, value }));
  return {
    ...{ kind: "Pod", apiVersion: "v1" },
    metadata: { uid, name, namespace, resourceVersion, labels, annotations, ownerReferences, generateName },
    ...{ spec: { nodeName, hostNetwork: isHostNetwork, containers: [{ name: "app", env: environment }] } },
    status: { phase: "Running", ...addresses, containerStatuses },
  };
}
