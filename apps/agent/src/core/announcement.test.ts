// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type HookFields, parseHookCall } from "./announcement.ts";

const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
const none: HookFields = {
  cgroupsPath: "",
  containerName: "",
  containerId: "",
  containerImage: "",
  podName: "",
  podUid: "",
  podNamespace: "",
};

function parse(fields: Partial<HookFields>) {
  return parseHookCall({ ...none, ...fields }, 7n);
}

describe("a hook call names its container and pod", () => {
  test.each([
    {
      name: "everything in the request",
      fields: { cgroupsPath: `/kubepods/pod${uid}/abc`, containerId: "abc", podUid: uid },
      expected: { podUid: uid, containerId: "abc" },
    },
    {
      name: "containerd's hook: no container id",
      fields: { cgroupsPath: `/kubepods/pod${uid}/abc`, podUid: uid },
      expected: { podUid: uid, containerId: "abc" },
    },
    {
      name: "pod from the cgroup path",
      fields: { cgroupsPath: `kubepods-pod${uid.replaceAll("-", "_")}.slice:cri-containerd:abc` },
      expected: { podUid: uid, containerId: "abc" },
    },
    {
      name: "CRI-O's scope",
      fields: { cgroupsPath: "/kubepods.slice/crio-abc.scope" },
      expected: { podUid: undefined, containerId: "abc" },
    },
    {
      name: "podman's scope",
      fields: { cgroupsPath: "machine.slice:libpod:abc" },
      expected: { podUid: undefined, containerId: "abc" },
    },
    {
      name: "an id with dashes is kept whole",
      fields: { cgroupsPath: "/a/my-app-1" },
      expected: { podUid: undefined, containerId: "my-app-1" },
    },
    {
      name: "only an id, as tetra sends it",
      fields: { cgroupsPath: "abc" },
      expected: { podUid: undefined, containerId: "abc" },
    },
  ])("$name", ({ fields, expected }) => {
    const call = parse(fields);
    if (!call.ok) throw new Error(call.error.message);
    const { podUid, announcement } = call.value;
    expect({ podUid, containerId: announcement.containerId }).toEqual(expected);
    expect(announcement.seenAtNanos).toBe(7n);
  });
});

describe("a call that cannot be meant is refused with what is wrong", () => {
  test.each([
    { name: "no cgroup", fields: { containerId: "abc" }, says: "cgroupsPath" },
    { name: "the root", fields: { cgroupsPath: "/" }, says: "root" },
    { name: "a way out", fields: { cgroupsPath: "/a/../../etc" }, says: ".." },
    { name: "an id that is a path", fields: { cgroupsPath: "/a", containerId: "../b" }, says: "containerID" },
    {
      name: "an id that is a directory",
      fields: { cgroupsPath: "/a", containerId: ".." },
      says: "containerID",
    },
    { name: "a pod UID that is a path", fields: { cgroupsPath: "/a", podUid: "a/b" }, says: "podUID" },
    { name: "a name without end", fields: { cgroupsPath: "/a", podName: "x".repeat(254) }, says: "podName" },
    {
      name: "an image without end",
      fields: { cgroupsPath: "/a", containerImage: "x".repeat(5000) },
      says: "containerImage",
    },
  ])("$name", ({ fields, says }) => {
    const call = parse(fields);
    expect(call.ok ? call : call.error).toMatchObject({
      kind: "bad-request",
      message: expect.stringContaining(says),
    });
  });
});
