// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { ProcCgroupReader } from "@rthooks/oci";
import { ok } from "@rthooks/result";
import { type LocatedSpec, toRequest, toTrustedAnnotations, toWrittenAnnotations } from "./request.ts";

const id = "828977b42e3149b502b31708778d0c057efbce038af80d0882ed3e0cb0ff8796";
const state = { id, pid: 7, bundle: "/run/b", annotations: new Map<string, string>() };

const located = (spec: Partial<LocatedSpec["spec"]>): LocatedSpec => ({
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

const noCgroup: ProcCgroupReader = { ofProcess: () => ok(undefined), ofRuntime: () => ok("0::/\n") };
const failed = (result: ReturnType<typeof toRequest>): string => (result.ok ? "made" : result.error);

describe("the root directory", () => {
  test.each([
    { path: "rootfs", sent: "/run/b/rootfs" },
    { path: "/var/lib/containers/merged", sent: "/var/lib/containers/merged" },
    { path: undefined, sent: "" },
    { path: "", sent: "" },
  ])("$path", ({ path, sent }) => {
    const request = toRequest(located({ rootPath: path }), noCgroup);
    expect(request.ok && request.value.request.rootDir).toBe(sent);
  });
});

describe("the cgroup", () => {
  const sent = (cgroupsPath: string | undefined, cgroups: ProcCgroupReader) => {
    const loaded = toRequest(located({ cgroupsPath }), cgroups);
    if (!loaded.ok) throw new Error(loaded.error);
    return { path: loaded.value.request.cgroupsPath, remark: loaded.value.cgroupRemark };
  };

  test("in systemd's form is sent as a path", () => {
    const path = `/kubepods.slice/kubepods-podx.slice/crio-${id}.scope`;
    const cgroups = { ...noCgroup, ofProcess: () => ok(`0::${path}\n`) };
    expect(sent(`kubepods-podx.slice:crio:${id}`, cgroups)).toEqual({ path, remark: undefined });
  });

  test("is the one that the process of the OCI state is in", () => {
    const asked: number[] = [];
    const cgroups: ProcCgroupReader = {
      ...noCgroup,
      ofProcess(pid) {
        asked.push(pid);
        return ok("0::/user.slice/c1\n");
      },
    };
    expect(sent(undefined, cgroups)).toEqual({ path: "/user.slice/c1", remark: undefined });
    expect(sent("/elsewhere", cgroups)).toEqual({
      path: "/user.slice/c1",
      remark: expect.stringContaining("/elsewhere"),
    });
    expect(asked).toEqual([7, 7]);
  });

  test("that no one knows makes no request", () => {
    expect(failed(toRequest(located({ cgroupsPath: "/" }), noCgroup))).toContain("linux.cgroupsPath");
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

  test("have the identity that the runtime wrote, under every runtime's keys", () => {
    const { spec } = located({ annotations: crio, cgroupsPath: `/kubepods/podx/crio-${id}` });
    const believed = toTrustedAnnotations(spec, "/run/b", state);
    expect([believed.get(mine), believed.get(foreign)]).toEqual(["shop", "shop"]);
  });

  test("name one pod, or there is no request", () => {
    const annotations = new Map([
      ...crio,
      ["io.kubernetes.cri-o.SandboxName", "k8s_web-0_shop_u-1_0"],
      ["io.kubernetes.pod.uid", "u-1"],
      [mine, "kube-system"],
    ]);
    const container = located({ annotations, cgroupsPath: `/kubepods/podx/crio-${id}` });
    expect(failed(toRequest(container, noCgroup))).toContain("contradict");
  });

  test("are those of the state where there is no spec", () => {
    const believed = toTrustedAnnotations(undefined, undefined, { ...state, annotations: crio });
    expect([believed.get(mine), believed.get(foreign)]).toEqual(["shop", "shop"]);
  });

  test("are none where the plugin told the pod, and else all that the spec has, for what may deny", () => {
    const { spec } = located({ annotations: crio });
    const pod = { uid: "u-1", name: "web-0", namespace: "shop", labelsJson: "{}" };
    expect(toWrittenAnnotations(spec, state)).toEqual(crio);
    expect(toWrittenAnnotations(undefined, { ...state, annotations: crio })).toEqual(crio);
    expect(toWrittenAnnotations(spec, state, pod)).toEqual(new Map());
  });

  test("are none where there is neither", () => {
    expect(toTrustedAnnotations(undefined, undefined, undefined)).toEqual(new Map());
  });
});

describe("a pod that the runtime told of itself", () => {
  const pod = { uid: "u-1", name: "web-0", namespace: "shop", labelsJson: '{"app":"web"}' };
  const lies = new Map([
    ["io.kubernetes.cri.sandbox-namespace", "kube-system"],
    ["io.kubernetes.pod.namespace", "kube-system"],
    ["io.kubernetes.cri.sandbox-uid", "other"],
    ["rthooks.v1/pod-labels", '{"app":"liar"}'],
    ["rthooks.v1/later", "x"],
    ["mine", "kept"],
  ]);

  test("comes before what annotations say, with its labels under the reserved key", () => {
    const request = toRequest(located({ annotations: lies }), noCgroup, pod);
    expect(request).toMatchObject({
      ok: true,
      value: { request: { podUID: "u-1", podName: "web-0", podNamespace: "shop" } },
    });
    const annotations = request.ok ? request.value.request.annotations : new Map<string, string>();
    expect(annotations.get("rthooks.v1/pod-labels")).toBe('{"app":"web"}');
    expect(annotations.get("rthooks.v1/learned-by")).toBe("hook");
    expect(annotations.has("rthooks.v1/later")).toBe(false);
    expect(annotations.get("mine")).toBe("kept");
  });

  test("is whose namespace the fail check believes, under every key", () => {
    const trusted = toTrustedAnnotations(located({ annotations: lies }).spec, "/run/b", undefined, pod);
    expect(trusted.get("io.kubernetes.cri.sandbox-namespace")).toBe("shop");
    expect(trusted.get("io.kubernetes.pod.namespace")).toBe("shop");
    expect([...trusted.keys()].filter((key) => key.startsWith("rthooks.v1/"))).toEqual([]);
  });

  test("without one, reserved keys of the spec go all the same", () => {
    const request = toRequest(located({ annotations: lies }), noCgroup);
    expect(request.ok && [...request.value.request.annotations.keys()]).not.toContain(
      "rthooks.v1/pod-labels",
    );
  });
});
