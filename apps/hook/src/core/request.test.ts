// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type Located, toRequest, toTrustedAnnotations } from "./request.ts";

const id = "828977b42e3149b502b31708778d0c057efbce038af80d0882ed3e0cb0ff8796";
const state = { id, pid: 7, bundle: "/run/b", annotations: new Map<string, string>() };

const located = (spec: Partial<Located["spec"]>): Located => ({
  spec: {
    annotations: new Map(),
    rootPath: "rootfs",
    cgroupsPath: `/kubepods/podx/${id}`,
    mounts: [],
    ...spec,
  },
  bundle: "/run/b",
  state,
});

const noCgroup = (): undefined => undefined;
const failed = (result: ReturnType<typeof toRequest>): string => (result.ok ? "made" : result.error);

describe("the root directory", () => {
  test.each([
    { path: "rootfs", sent: "/run/b/rootfs" },
    { path: "/var/lib/containers/merged", sent: "/var/lib/containers/merged" },
    { path: undefined, sent: "" },
    { path: "", sent: "" },
  ])("$path", ({ path, sent }) => {
    const request = toRequest(located({ rootPath: path }), noCgroup);
    expect(request.ok && request.value.rootDir).toBe(sent);
  });
});

describe("the cgroup", () => {
  test("in systemd's form is sent as a path", () => {
    const request = toRequest(located({ cgroupsPath: `kubepods-podx.slice:crio:${id}` }), noCgroup);
    expect(request.ok && request.value.cgroupsPath).toBe(
      `/kubepods.slice/kubepods-podx.slice/crio-${id}.scope`,
    );
  });

  test("that the spec does not name is the one that the first process is in", () => {
    const asked: number[] = [];
    const request = toRequest(located({ cgroupsPath: undefined }), (pid) => {
      asked.push(pid);
      return "/user.slice/c1";
    });
    expect(request.ok && request.value.cgroupsPath).toBe("/user.slice/c1");
    expect(asked).toEqual([7]);
  });

  test.each([
    { what: "no path and no process", cgroupsPath: undefined, found: undefined },
    { what: "no path and a process in the root", cgroupsPath: "", found: "/" },
    { what: "the root itself", cgroupsPath: "/", found: "/a" },
    { what: "a path that leads out", cgroupsPath: "/a/../../b", found: "/a" },
  ])("is never sent as $what", ({ cgroupsPath, found }) => {
    expect(failed(toRequest(located({ cgroupsPath }), () => found))).toContain("cgroupsPath");
  });
});

describe("the annotations that failCheck believes", () => {
  const mine = "io.kubernetes.pod.namespace";
  const foreign = "io.kubernetes.cri.sandbox-namespace";
  const crio = new Map([
    ["io.container.manager", "cri-o"],
    [mine, "shop"],
    [foreign, "kube-system"],
  ]);

  test("have no other runtime's identity", () => {
    const { spec } = located({ annotations: crio, cgroupsPath: `/kubepods/podx/crio-${id}` });
    const believed = toTrustedAnnotations(spec, "/run/b", state);
    expect([believed.get(mine), believed.get(foreign)]).toEqual(["shop", undefined]);
  });

  test("are those of the state where there is no spec", () => {
    const believed = toTrustedAnnotations(undefined, undefined, { ...state, annotations: crio });
    expect([believed.get(mine), believed.get(foreign)]).toEqual(["shop", undefined]);
  });

  test("are none where there is neither", () => {
    expect(toTrustedAnnotations(undefined, undefined, undefined)).toEqual(new Map());
  });
});
