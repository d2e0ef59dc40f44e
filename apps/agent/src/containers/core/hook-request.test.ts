// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type HookRequest, parseHookRequest } from "./hook-request.ts";

const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
const none: HookRequest = {
  cgroupsPath: "",
  containerName: "",
  containerId: "",
  containerImage: "",
  podName: "",
  podUid: "",
  podNamespace: "",
  trusted: undefined,
};

function parse(fields: Partial<HookRequest>) {
  return parseHookRequest({ ...none, ...fields }, 7n);
}

describe("a pod UID that contradicts the cgroup path", () => {
  const other = "5c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
  const fields = { podUid: other, podNamespace: "kube-system", podName: "dns" };

  test.each([`/kubepods/pod${uid}/abc`, `kubepods-besteffort-pod${uid.replaceAll("-", "_")}.slice:crio:abc`])(
    "is corrected: %s",
    (cgroupsPath) => {
      expect(parse({ ...fields, cgroupsPath })).toMatchObject({
        value: {
          correction: `podUID ${other} is not the pod ${uid} of cgroupsPath`,
          report: { podUid: uid, podNamespace: "", podName: "" },
        },
      });
    },
  );

  test("is kept where the path names no other pod, or the sender's fields are trusted", () => {
    const trusted = { podLabels: undefined, source: "nri" };
    for (const more of [
      { cgroupsPath: "/kubepods/abc" },
      { cgroupsPath: `/kubepods/pod${other}/abc` },
      { cgroupsPath: `/kubepods/pod${uid}/abc`, trusted },
    ]) {
      expect(parse({ ...fields, ...more })).toMatchObject({
        value: { correction: undefined, report: { podUid: other, podNamespace: "kube-system" } },
      });
    }
  });
});

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
    const { podUid, containerId, seenAtNanos } = call.value.report;
    expect({ podUid, containerId }).toEqual(expected);
    expect(seenAtNanos).toBe(7n);
  });
});

describe("an invalid request is refused, and the message names the field", () => {
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
    {
      name: "a name that is too long",
      fields: { cgroupsPath: "/a", podName: "x".repeat(254) },
      says: "podName",
    },
    {
      name: "an image that is too long",
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

describe("trusted fields", () => {
  test("are the pod's labels and the source", () => {
    const trusted = { podLabels: '{"app":"web","example.com/tier":""}', source: "nri" };
    const call = parse({ cgroupsPath: "/a", trusted });
    if (!call.ok) throw new Error(call.error.message);
    const labels = new Map([
      ["app", "web"],
      ["example.com/tier", ""],
    ]);
    expect(call.value.report).toMatchObject({ podLabels: labels, source: "nri" });
  });

  test.each([
    { name: "none", trusted: undefined },
    { name: "no labels, and a source of a later version", trusted: { source: "later" } },
  ])("$name: the source is the hook, and the labels are unknown", ({ trusted }) => {
    const fields = trusted === undefined ? undefined : { podLabels: undefined, ...trusted };
    expect(parse({ cgroupsPath: "/a", trusted: fields })).toMatchObject({
      value: { report: { podLabels: undefined, source: "hook" } },
    });
  });

  test.each([
    { name: "no JSON", podLabels: "app=web", says: "is not JSON" },
    { name: "no object", podLabels: "[]", says: "is not a JSON object" },
    { name: "a number", podLabels: '{"app":1}', says: "not a string" },
    { name: "a number with a long key", podLabels: JSON.stringify({ ["k".repeat(9999)]: 1 }), says: "k…" },
    { name: "a text that is too long", podLabels: " ".repeat(200_000), says: "200000 characters" },
    {
      name: "too many labels",
      podLabels: JSON.stringify(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`l${i}`, ""]))),
      says: "1001 labels",
    },
    { name: "no key", podLabels: '{"":"x"}', says: 'the key ""' },
    { name: "no prefix", podLabels: '{"/app":"x"}', says: 'the key "/app"' },
    { name: "no name", podLabels: '{"example.com/":"x"}', says: "example.com/" },
    { name: "a long name", podLabels: JSON.stringify({ ["n".repeat(64)]: "" }), says: "63 characters" },
    { name: "a long prefix", podLabels: JSON.stringify({ [`${"p".repeat(254)}/a`]: "" }), says: "253" },
    { name: "a long value", podLabels: JSON.stringify({ app: "v".repeat(64) }), says: "64 characters" },
  ])("refused: $name", ({ podLabels, says }) => {
    const call = parse({ cgroupsPath: "/a", trusted: { podLabels, source: undefined } });
    if (call.ok) throw new Error("not refused");
    const { kind, message } = call.error;
    expect(kind).toBe("bad-request");
    expect(message).toContain(says);
    expect(message.length).toBeLessThan(400);
  });

  test("labels at Kubernetes' bounds are taken", () => {
    const podLabels = JSON.stringify({ [`${"p".repeat(253)}/${"n".repeat(63)}`]: "v".repeat(63) });
    expect(parse({ cgroupsPath: "/a", trusted: { podLabels, source: "nri" } }).ok).toBeTrue();
  });
});
