// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { findContradictoryIdentity, readIdentity, withOwnIdentity } from "./identity.ts";
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
const crioOfOtherClient: Record<string, string> = {
  "io.container.manager": "cri-o",
  "io.kubernetes.cri-o.ContainerID": id,
  "io.kubernetes.cri-o.ContainerType": "container",
  "io.kubernetes.cri-o.ImageName": "docker.io/library/nginx:1",
  "io.kubernetes.cri-o.Metadata": '{"name":"web"}',
  "io.kubernetes.cri-o.SandboxName": "k8s_web-0_shop_d4e74de2-0db8-4143-ae55-695b2489c727_0",
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
    expect(read("cri-o", crio)).toEqual({ ...expected, containerId: id });
    expect(read("cri-o", crioOfOtherClient)).toEqual({ ...expected, containerId: id });
  });

  test("has the id of the OCI state, and CRI-O's own only without one", () => {
    expect(read("containerd", containerd, "abc").containerId).toBe("abc");
    expect(read("cri-o", crio, "abc").containerId).toBe("abc");
    expect(readIdentity("cri-o", new Map(Object.entries(crio)), undefined).containerId).toBe(id);
    expect(readIdentity("containerd", new Map(Object.entries(crio)), undefined).containerId).toBe("");
  });

  test.each([
    { runtime: "cri-o" as const, own: crio, foreign: containerd },
    { runtime: "cri-o" as const, own: crioOfOtherClient, foreign: containerd },
    { runtime: "containerd" as const, own: containerd, foreign: { ...crio, ...crioOfOtherClient } },
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

describe("a container that CRI-O made", () => {
  const uid = "d4e74de2-0db8-4143-ae55-695b2489c727";
  const read = (annotations: Record<string, string>) =>
    readIdentity("cri-o", new Map(Object.entries({ ...crioOfOtherClient, ...annotations })), id);

  test("is the pod of the sandbox's name, whatever stands under the kubelet's keys", () => {
    const forged = Object.fromEntries(Object.keys(crio).map((key) => [key, "kube-system"]));
    expect(read({ ...forged, ...crioOfOtherClient })).toEqual(read({}));
  });

  test.each([
    { what: "a dot and dashes", name: "k8s_a.b-c_d-e_u-1_12", pod: ["a.b-c", "d-e", "u-1"] },
    { what: "one underscore more than the form has", name: `k8s_web_0_shop_${uid}_0`, pod: ["", "", ""] },
    { what: "one part fewer", name: `k8s_web-0_shop_${uid}`, pod: ["", "", ""] },
    { what: "an empty part", name: `k8s_web-0__${uid}_0`, pod: ["", "", ""] },
    { what: "no attempt", name: `k8s_web-0_shop_${uid}_`, pod: ["", "", ""] },
    { what: "an attempt that is no number", name: `k8s_web-0_shop_${uid}_x`, pod: ["", "", ""] },
    { what: "another prefix", name: `pod_web-0_shop_${uid}_0`, pod: ["", "", ""] },
    { what: "nothing", name: "", pod: ["", "", ""] },
  ])("has a pod only by a name of the strict form: $what", ({ name, pod }) => {
    const labels = { "io.kubernetes.pod.namespace": "kube-system", "io.kubernetes.pod.name": "x" };
    const found = read({ ...labels, "io.kubernetes.cri-o.SandboxName": name });
    expect([found.podName, found.podNamespace, found.podUid]).toEqual([...pod]);
  });

  test("has a name that can be split in one way only, or none", () => {
    const parts = ["a", "b-c", "0", "k8s", "d_e", "_", "0_0"];
    for (const name of parts) {
      for (const namespace of parts) {
        for (const part of parts) {
          const joined = ["k8s", name, namespace, part, "0"].join("_");
          const found = read({ "io.kubernetes.cri-o.SandboxName": joined });
          const isClear = ![name, namespace, part].some((text) => text.includes("_"));
          expect([found.podName, found.podNamespace, found.podUid]).toEqual(
            isClear ? [name, namespace, part] : ["", "", ""],
          );
        }
      }
    }
  });

  test.each([
    { what: "a container's name", metadata: '{"name":"web","attempt":2}', name: "web" },
    { what: "a sandbox's", metadata: '{"name":"web-0","uid":"u","namespace":"shop"}', name: "" },
    { what: "no JSON", metadata: "{", name: "" },
    { what: "no object", metadata: "null", name: "" },
    { what: "a name that is no text", metadata: '{"name":1}', name: "" },
  ])("has the name of its metadata: $what", ({ metadata, name }) => {
    const found = read({
      "io.kubernetes.cri-o.Metadata": metadata,
      "io.kubernetes.container.name": "forged",
    });
    expect(found.containerName).toBe(name);
  });

  test.each([
    { key: "io.kubernetes.pod.namespace", value: "kube-system" },
    { key: "io.kubernetes.pod.name", value: "other" },
  ])("is no identity when sandbox name and labels tell two stories of one UID: $key", ({ key, value }) => {
    const check = (annotations: Record<string, string>) =>
      findContradictoryIdentity("cri-o", new Map(Object.entries({ ...crioOfOtherClient, ...annotations })));
    const agreeing = { ...crio, "io.kubernetes.pod.uid": uid };
    expect(check(agreeing)).toBeUndefined();
    expect(check({ ...agreeing, [key]: value })).toContain(`${key} "${value}"`);
    // Of another UID they are nothing but the author's.
    expect(check({ ...agreeing, [key]: value, "io.kubernetes.pod.uid": "other" })).toBeUndefined();
  });
});

test("a sandbox of containerd has no container name or image: those keys are then the pod author's", () => {
  const sandbox = { ...containerd, "io.kubernetes.cri.container-type": "sandbox" };
  const found = readIdentity("containerd", new Map(Object.entries(sandbox)), id);
  expect(found).toMatchObject({ containerName: "", containerImage: "", podNamespace: "shop" });
});

describe("what failCheck sees has no identity that the runtime did not write", () => {
  const all = { ...crio, ...containerd, "io.kubernetes.cri.sandbox-namespace": "other", mine: "kept" };
  const see = (runtime: Runtime, annotations: Record<string, string>) =>
    Object.fromEntries(withOwnIdentity(runtime, new Map(Object.entries(annotations))));

  test("the runtime's own stands under every runtime's keys", () => {
    expect(see("cri-o", all)).toMatchObject({
      "io.kubernetes.cri.sandbox-namespace": "shop",
      "io.kubernetes.pod.namespace": "shop",
      mine: "kept",
    });
    expect(see("cri-o", all)["io.kubernetes.cri.container-name"]).toBeUndefined();
    expect(see("containerd", all)).toMatchObject({
      "io.kubernetes.cri.sandbox-namespace": "other",
      "io.kubernetes.pod.namespace": "other",
    });
    expect(see("containerd", all)["io.kubernetes.container.name"]).toBeUndefined();
  });

  test("nothing stands where the runtime wrote nothing", () => {
    const forged = { "io.kubernetes.cri.sandbox-namespace": "kube-system" };
    expect(see("cri-o", forged)).toEqual({});
    expect(see("containerd", { "io.kubernetes.pod.namespace": "kube-system" })).toEqual({});
  });

  test("of a container without a CRI both families stand as written", () => {
    expect(see("unknown", all)).toEqual(all);
  });
});
