// SPDX-License-Identifier: Apache-2.0
// Pod UIDs in requests and in names of cgroups.

/** With dashes as in the API, or with underscores as in a systemd slice, where a dash separates the parent's name. */
const uuidPattern = /^[0-9a-f]{8}([-_])[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}$/i;
/** The kubelet names its static pods by a hash (pkg/kubelet/config/common.go). */
const staticPodPattern = /^[0-9a-f]{32}$/;
const otherPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** The API never gives a pod such a UID: the pod is of a manifest on the node. */
export const isStaticPodUid = (uid: string): boolean => staticPodPattern.test(uid);

/**
 * A UUID in the API's form; a static pod's hash or another UID, as runtimes without a kubelet use them, unchanged. Undefined
 * for a text that cannot be a UID.
 */
export function normalisePodUid(text: string): string | undefined {
  if (uuidPattern.test(text)) return text.replaceAll("_", "-").toLowerCase();
  return otherPattern.test(text) ? text : undefined;
}

/**
 * The UID in a path such as `/kubepods/burstable/pod<uid>/<id>` or
 * `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope`.
 * The last element is the container.
 */
export function findPodUid(cgroupsPath: string): string | undefined {
  const elements = cgroupsPath.split("/");
  for (let i = elements.length - 2; i > 0; i--) {
    const uid = parsePodElement(elements[i] ?? "");
    if (uid !== undefined) return uid;
  }
  return undefined;
}

/** The UID of a pod in the name of its cgroup; undefined for other cgroups. */
export function parsePodElement(element: string): string | undefined {
  const start = element.startsWith("pod") ? 3 : element.lastIndexOf("-pod") + 4;
  if (start === 3 && !element.startsWith("pod")) return undefined;
  const name = element.slice(start, element.endsWith(".slice") ? -".slice".length : undefined);
  return uuidPattern.test(name) || staticPodPattern.test(name) ? normalisePodUid(name) : undefined;
}
