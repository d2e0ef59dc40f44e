// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type HookRequest, parseHookCall } from "./hook-call.ts";

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
  return parseHookCall({ ...none, ...fields }, 7n);
}

describe("a pod that the cgroup does not belong to", () => {
  const other = "5c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
  const fields = { podUid: other, podNamespace: "kube-system", podName: "dns" };

  test.each([`/kubepods/pod${uid}/abc`, `kubepods-besteffort-pod${uid.replaceAll("-", "_")}.slice:crio:abc`])(
    "is not believed: %s",
    (cgroupsPath) => {
      expect(parse({ ...fields, cgroupsPath })).toMatchObject({
        value: {
          podUid: uid,
          disbelieved: `podUID ${other} is not the pod ${uid} of cgroupsPath`,
          report: { podNamespace: "", podName: "" },
        },
      });
    },
  );

  test("is believed where the cgroup says nothing, or the sender took the pod author's words out", () => {
    const trusted = { podLabels: undefined, source: "nri" };
    for (const more of [
      { cgroupsPath: "/kubepods/abc" },
      { cgroupsPath: `/kubepods/pod${other}/abc` },
      { cgroupsPath: `/kubepods/pod${uid}/abc`, trusted },
    ]) {
      expect(parse({ ...fields, ...more })).toMatchObject({
        value: { podUid: other, disbelieved: undefined, report: { podNamespace: "kube-system" } },
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
    const { podUid, report } = call.value;
    expect({ podUid, containerId: report.containerId }).toEqual(expected);
    expect(report.seenAtNanos).toBe(7n);
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

describe("what a sender isTrusted for", () => {
  test("is the pod's labels, and how it came to know of the container", () => {
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
    { name: "for nothing", trusted: undefined },
    { name: "for no labels, and in a word of a later version", trusted: { source: "later" } },
  ])("$name: then a hook told of it, and the labels are not known", ({ trusted }) => {
    const fields = trusted === undefined ? undefined : { podLabels: undefined, ...trusted };
    expect(parse({ cgroupsPath: "/a", trusted: fields })).toMatchObject({
      value: { report: { podLabels: undefined, source: "hook" } },
    });
  });

  test.each([
    { name: "no JSON", podLabels: "app=web", says: "is not JSON" },
    { name: "no object", podLabels: "[]", says: "is no JSON object" },
    { name: "a number", podLabels: '{"app":1}', says: "no text" },
    { name: "a number with a long key", podLabels: JSON.stringify({ ["k".repeat(9999)]: 1 }), says: "k…" },
    { name: "text without end", podLabels: " ".repeat(200_000), says: "200000 characters" },
    {
      name: "labels without end",
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
