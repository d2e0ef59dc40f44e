// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findPodUid, normalisePodUid } from "./pod-uid.ts";

const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
const underscored = uid.replaceAll("-", "_");
const hash = "0123456789abcdef0123456789abcdef";

test.each([
  { name: "cgroupfs", path: `/kubepods/burstable/pod${uid}/abc`, expected: uid },
  {
    name: "systemd, underscores",
    path: `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${underscored}.slice/crio-abc.scope`,
    expected: uid,
  },
  {
    name: "systemd, guaranteed",
    path: `/kubepods.slice/kubepods-pod${underscored}.slice/crio-abc.scope`,
    expected: uid,
  },
  { name: "kubelet in a cgroup of its own", path: `/kubelet/kubepods/pod${uid}/abc`, expected: uid },
  { name: "static pod", path: `/kubepods/pod${hash}/abc`, expected: hash },
  {
    name: "static pod, systemd",
    path: `/kubepods.slice/kubepods-burstable-pod${hash}.slice/crio-abc.scope`,
    expected: hash,
  },
  { name: "inner cgroup of a container", path: `/kubepods/pod${uid}/abc/inner`, expected: uid },
  { name: "no pod", path: "/machine.slice/libpod-abc.scope", expected: undefined },
  { name: "the last element is no pod", path: `/kubepods/pod${uid}`, expected: undefined },
  { name: "pod without uid", path: "/kubepods/podium/abc", expected: undefined },
  {
    name: "mixed separators",
    path: "/kubepods/pod4c9f1974-5c46_44c2-b42f-3bbf0e98eef9/abc",
    expected: undefined,
  },
])("the pod of a path: $name", ({ path, expected }) => {
  expect(findPodUid(path)).toBe(expected);
});

test.each([
  { name: "as the API has it", text: uid, expected: uid },
  { name: "underscores", text: underscored, expected: uid },
  { name: "capitals", text: uid.toUpperCase(), expected: uid },
  { name: "hash", text: hash, expected: hash },
  { name: "another runtime's", text: "pod.1_a", expected: "pod.1_a" },
  { name: "path", text: "../x", expected: undefined },
  { name: "empty", text: "", expected: undefined },
  { name: "too long", text: "a".repeat(129), expected: undefined },
])("a pod UID: $name", ({ text, expected }) => {
  expect(normalisePodUid(text)).toBe(expected);
});
