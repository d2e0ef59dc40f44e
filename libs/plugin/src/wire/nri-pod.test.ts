// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { Container, PodSandbox } from "@rthooks/proto/nri";
import { toPod, toRequest, toTrustedAnnotations } from "./nri-pod.ts";

const id = "c".repeat(64);
const sandbox = (labels: Record<string, string> = {}): PodSandbox => ({
  ...PodSandbox.decode(new Uint8Array()),
  id: "sandbox-1",
  uid: "uid-1",
  name: "web-0",
  namespace: "shop",
  labels: new Map(Object.entries(labels)),
});
const container = (annotations: Record<string, string> = {}, more: Partial<Container> = {}): Container => ({
  ...Container.decode(new Uint8Array()),
  id,
  podSandboxId: "sandbox-1",
  name: "app",
  annotations: new Map(Object.entries(annotations)),
  linux: { cgroupsPath: `/kubepods/pod1/${id}` },
  ...more,
});
const request = (made: Container, labels: Record<string, string> = {}) => {
  const result = toRequest(toPod(sandbox(labels)), made, "nri", () => ({
    ok: true,
    value: "/kubepods/pod1/c",
  }));
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

describe("a pod's labels", () => {
  test("are the sandbox's without what kubelet and the runtime add", () => {
    const pod = toPod(
      sandbox({
        app: "web",
        "io.cri-containerd.kind": "sandbox",
        "io.kubernetes.pod.uid": "uid-1",
        "io.kubernetes.container.name": "POD",
      }),
    );
    expect([...pod.labels]).toEqual([["app", "web"]]);
  });

  test("are not the container's, which may come from its image", () => {
    const made = container({}, { labels: new Map([["app", "other"]]) });
    expect(request(made, { app: "web" }).annotations.get("rthooks.v1/pod-labels")).toBe('{"app":"web"}');
  });
});

describe("a request", () => {
  test("has the identity that NRI tells, whatever the annotations say", () => {
    const made = request(
      container({
        "io.kubernetes.cri.sandbox-uid": "victim",
        "io.kubernetes.pod.namespace": "kube-system",
        "rthooks.v1/pod-labels": '{"app":"victim"}',
        "rthooks.v1/anything": "x",
        kept: "yes",
      }),
    );
    expect(made).toMatchObject({
      podUID: "uid-1",
      podName: "web-0",
      podNamespace: "shop",
      containerName: "app",
      containerID: id,
      rootDir: "",
    });
    expect(made.annotations.get("rthooks.v1/pod-labels")).toBe("{}");
    expect(made.annotations.get("rthooks.v1/learned-by")).toBe("nri");
    expect(made.annotations.has("rthooks.v1/anything")).toBe(false);
    expect(made.annotations.get("kept")).toBe("yes");
  });

  test("has the container's mounts, as the hook's has", () => {
    const mounts = [{ destination: "/d", type: "bind", source: "/s", options: ["ro"] }];
    expect(request(container({}, { mounts })).mounts).toEqual(mounts);
  });

  test("names the cgroup that is found for it, and is not made without one", () => {
    expect(request(container()).cgroupsPath).toBe("/kubepods/pod1/c");
    const lost = { ok: false, error: "no cgroup" } as const; // const: a Result
    expect(toRequest(toPod(sandbox()), container(), "nri", () => lost)).toEqual(lost);
  });

  const images: Readonly<Record<string, readonly [Container, string]>> = {
    "what NRI says": [
      container({ "io.kubernetes.cri.image-name": "annotated" }, { image: { name: "told" } }),
      "told",
    ],
    "containerd's key": [container({ "io.kubernetes.cri.image-name": "web:1" }), "web:1"],
    "CRI-O's key, though a pod author wrote containerd's": [
      container(
        { "io.kubernetes.cri-o.ImageName": "web:1", "io.kubernetes.cri.image-name": "trusted:1" },
        { linux: { cgroupsPath: `/kubepods/pod1/crio-${id}` } },
      ),
      "web:1",
    ],
    "containerd's key, though a pod author wrote CRI-O's": [
      container({ "io.kubernetes.cri-o.ImageName": "trusted:1", "io.kubernetes.cri.image-name": "web:1" }),
      "web:1",
    ],
  };
  for (const [name, [made, image]] of Object.entries(images)) {
    test(`has its image from ${name}`, () => expect(request(made).containerImage).toBe(image));
  }
});

test("the fail check believes NRI's namespace and handler, and no annotation's", () => {
  const trusted = toTrustedAnnotations(
    toPod(sandbox()),
    container({
      "io.kubernetes.pod.namespace": "kube-system",
      "io.kubernetes.cri.sandbox-namespace": "kube-system",
      "rthooks.v1/x": "y",
      "rthooks.v1/runtime-handler": "kata",
    }),
    "runc",
  );
  expect(trusted.get("io.kubernetes.pod.namespace")).toBe("shop");
  expect(trusted.get("io.kubernetes.cri.sandbox-namespace")).toBe("shop");
  expect(trusted.has("rthooks.v1/x")).toBe(false);
  expect(trusted.get("rthooks.v1/runtime-handler")).toBe("runc");
});
