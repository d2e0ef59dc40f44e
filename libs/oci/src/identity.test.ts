// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { readIdentity, withoutForeignIdentity } from "./identity.ts";
import { detectRuntime, type Runtime } from "./runtime.ts";

const id = "828977b42e3149b502b31708778d0c057efbce038af80d0882ed3e0cb0ff8796";

/** What each runtime writes into the spec of an application container. */
const containerd: Record<string, string> = {
  "io.kubernetes.cri.container-type": "container",
  "io.kubernetes.cri.container-name": "web",
  "io.kubernetes.cri.image-name": "docker.io/library/nginx:1",
  "io.kubernetes.cri.sandbox-id": "5c1b",
  "io.kubernetes.cri.sandbox-name": "web-0",
  "io.kubernetes.cri.sandbox-namespace": "shop",
  "io.kubernetes.cri.sandbox-uid": "d4e74de2-0db8-4143-ae55-695b2489c727",
};
const crio: Record<string, string> = {
  "io.container.manager": "cri-o",
  "io.kubernetes.cri-o.ContainerID": id,
  "io.kubernetes.cri-o.ImageName": "docker.io/library/nginx:1",
  "io.kubernetes.container.name": "web",
  "io.kubernetes.pod.name": "web-0",
  "io.kubernetes.pod.namespace": "shop",
  "io.kubernetes.pod.uid": "d4e74de2-0db8-4143-ae55-695b2489c727",
};
const podman: Record<string, string> = {
  "io.container.manager": "libpod",
  "io.kubernetes.cri-o.TTY": "false",
};

const slice = "kubepods-besteffort-podd4e74de2_0db8_4143_ae55_695b2489c727.slice";
const parent = "/kubepods/besteffort/podd4e74de2-0db8-4143-ae55-695b2489c727";

describe("the runtime that made a container", () => {
  const cases: readonly {
    readonly what: string;
    readonly path: string | undefined;
    readonly annotations: Record<string, string>;
    readonly bundle?: string;
    readonly runtime: Runtime;
  }[] = [
    { what: "containerd, cgroupfs", path: `${parent}/${id}`, annotations: containerd, runtime: "containerd" },
    {
      what: "containerd, systemd",
      path: `${slice}:cri-containerd:${id}`,
      annotations: containerd,
      runtime: "containerd",
    },
    { what: "CRI-O, cgroupfs", path: `${parent}/crio-${id}`, annotations: crio, runtime: "cri-o" },
    { what: "CRI-O, systemd", path: `${slice}:crio:${id}`, annotations: crio, runtime: "cri-o" },
    { what: "podman, cgroupfs", path: `/libpod_parent/libpod-${id}`, annotations: podman, runtime: "podman" },
    { what: "podman, systemd", path: `machine.slice:libpod:${id}`, annotations: podman, runtime: "podman" },
    { what: "no one known", path: "/mine/c1", annotations: {}, runtime: "unknown" },
    { what: "marks alone: containerd", path: undefined, annotations: containerd, runtime: "containerd" },
    { what: "marks alone: CRI-O", path: "/odd", annotations: crio, runtime: "cri-o" },
    { what: "marks alone: podman", path: undefined, annotations: podman, runtime: "podman" },
    {
      what: "the bundle alone",
      path: undefined,
      annotations: {},
      bundle: "/run/containerd/io.containerd.runtime.v2.task/k8s.io/x",
      runtime: "containerd",
    },
    // A pod author's annotations on the runtime that lets them through.
    {
      what: "CRI-O with containerd's marks added",
      path: `${parent}/crio-${id}`,
      annotations: { ...crio, ...containerd },
      runtime: "cri-o",
    },
    {
      what: "the same without a path",
      path: undefined,
      annotations: { ...crio, ...containerd },
      runtime: "cri-o",
    },
    {
      what: "containerd with CRI-O's marks added",
      path: `${parent}/${id}`,
      annotations: { ...crio, ...containerd },
      runtime: "containerd",
    },
    {
      what: "the same, systemd",
      path: `${slice}:cri-containerd:${id}`,
      annotations: { ...crio, ...containerd },
      runtime: "containerd",
    },
  ];
  test.each([...cases])("$what", ({ path, annotations, bundle, runtime }) => {
    const evidence = {
      annotations: new Map(Object.entries(annotations)),
      cgroupsPath: path,
      bundle,
      containerId: id,
    };
    expect(detectRuntime(evidence)).toBe(runtime);
  });
});

describe("the identity of a container", () => {
  const expected = {
    containerName: "web",
    containerImage: "docker.io/library/nginx:1",
    podName: "web-0",
    podNamespace: "shop",
    podUid: "d4e74de2-0db8-4143-ae55-695b2489c727",
  };
  const read = (runtime: Runtime, annotations: Record<string, string>, stateId: string | undefined = id) =>
    readIdentity(runtime, new Map(Object.entries(annotations)), stateId);

  test("is read from the runtime's own keys", () => {
    expect(read("containerd", containerd)).toEqual({ ...expected, containerId: id });
    expect(read("cri-o", crio, "other")).toEqual({ ...expected, containerId: id });
  });

  test("takes the id of the OCI state where the runtime writes none", () => {
    expect(read("containerd", containerd, "abc").containerId).toBe("abc");
    expect(read("cri-o", {}, "abc").containerId).toBe("abc");
    expect(readIdentity("containerd", new Map(), undefined).containerId).toBe("");
  });

  test.each([
    { runtime: "cri-o" as const, own: crio, foreign: containerd },
    { runtime: "containerd" as const, own: containerd, foreign: crio },
  ])("on $runtime no key of another runtime counts, set or missing", ({ runtime, own, foreign }) => {
    const hostile = Object.fromEntries(Object.keys(foreign).map((key) => [key, "kube-system"]));
    expect(read(runtime, { ...hostile, ...own })).toEqual(read(runtime, own));
    expect(read(runtime, hostile)).toEqual(read(runtime, {}));
  });

  test("without a CRI in between either family counts, containerd's first", () => {
    expect(read("podman", { ...crio, ...podman })).toEqual({ ...expected, containerId: id });
    expect(
      read("unknown", { ...crio, ...containerd, "io.kubernetes.cri.sandbox-namespace": "first" })
        .podNamespace,
    ).toBe("first");
  });

  test("an empty value is no value", () => {
    expect(read("unknown", { ...crio, "io.kubernetes.cri.sandbox-uid": "" }).podUid).toBe(expected.podUid);
  });
});

test("what failCheck sees has no identity that the runtime did not write", () => {
  const all = new Map(Object.entries({ ...crio, ...containerd, "example.com/own": "kept" }));
  const seen = withoutForeignIdentity("cri-o", all);
  expect(seen.get("io.kubernetes.cri.sandbox-namespace")).toBeUndefined();
  expect(seen.get("io.kubernetes.pod.namespace")).toBe("shop");
  expect(seen.get("example.com/own")).toBe("kept");
  expect(withoutForeignIdentity("containerd", all).get("io.kubernetes.pod.namespace")).toBeUndefined();
  expect(withoutForeignIdentity("unknown", all)).toEqual(all);
});
