// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { findContainerId, findContainerPath, isContainerPath } from "./container-path.ts";

const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
const slice = `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid.replaceAll("-", "_")}.slice`;
const id = "ab".repeat(32);

describe("the path of a container's root cgroup", () => {
  test.each([
    { name: "named by its id", path: `/kubepods/burstable/pod${uid}/${id}`, own: undefined },
    { name: "a scope", path: `${slice}/cri-containerd-${id}.scope`, own: undefined },
    { name: "with any name", path: "/a/b", own: undefined },
    { name: "crun's child", path: `${slice}/crio-${id}.scope/container`, own: `${slice}/crio-${id}.scope` },
    { name: "where its process is", path: `/kubepods/pod${uid}/${id}/x/y`, own: `/kubepods/pod${uid}/${id}` },
    { name: "with a cgroup of the same name below", path: `/k/${id}/${id}`, own: `/k/${id}` },
    {
      name: "crun's child, without the id",
      path: `/kubepods/pod${uid}/x/container`,
      own: `/kubepods/pod${uid}/x`,
    },
    {
      name: "inside of a pod's, without the id",
      path: `/kubepods/pod${uid}/x/y/z`,
      own: `/kubepods/pod${uid}/x`,
    },
    {
      name: "of the inner pod",
      path: `/kubepods/pod${uid}/x/kubepods/pod${uid}/y/z`,
      own: `/kubepods/pod${uid}/x/kubepods/pod${uid}/y`,
    },
    { name: "with the name of crun's child, and no scope above", path: "/group/container", own: undefined },
  ])("is found: $name", ({ path, own = path }) => {
    expect(findContainerPath(path, id)).toEqual({ ok: true, value: own });
  });

  test.each([
    "/kubepods",
    "/kubelet/kubepods",
    "/kubepods/burstable",
    "/kubepods/besteffort",
    `/kubepods/pod${uid}`,
    "/kubepods/besteffort/podx",
    "/kubepods/pod0123456789abcdef0123456789abcdef",
    "/kubepods.slice",
    "/kubelet.slice/kubelet-kubepods.slice",
    "/kubepods.slice/kubepods-burstable.slice",
    slice,
    "/system.slice",
  ])("is not one that holds other cgroups: %s", (path) => {
    for (const containerId of [id, path.slice(path.lastIndexOf("/") + 1)]) {
      expect(findContainerPath(path, containerId)).toMatchObject({
        error: { kind: "bad-request", message: expect.stringContaining(`cgroupsPath ${path} is `) },
      });
    }
  });

  test.each([
    { path: `${slice}/crio-${id}.scope/container`, found: id },
    { path: `/kubepods/pod${uid}/c1/container`, found: "c1" },
    { path: "/x/container", found: "container" },
  ])("has the id in its name: $path", ({ path, found }) => {
    expect(findContainerId(path)).toBe(found);
  });

  test("is recognized by its name, or by its parent", () => {
    expect(isContainerPath(`/docker/${id}`)).toBe(true);
    expect(isContainerPath(`/kubepods/pod${uid}/c1`)).toBe(true);
    expect(isContainerPath("/c1")).toBe(false);
  });
});
