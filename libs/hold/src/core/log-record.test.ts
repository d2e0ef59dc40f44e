// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { renderJsonLine } from "@rthooks/log/json-line";
import { renderTime, toRequestFields } from "./log-record.ts";

const epoch = { seconds: 0, nanos: 0 };

const request = {
  cgroupsPath: "/kubepods/besteffort/podx/crio-y",
  rootDir: "/run/userdata",
  annotations: new Map([["a", "1"]]),
  containerName: "test",
  containerID: "y",
  podName: "p",
  podUID: "u",
  podNamespace: "n",
  containerImage: "i",
  mounts: [],
};

test("a time has nine digits, also when some are zero", () => {
  expect(renderTime({ seconds: 1_719_831_441, nanos: 435_689_144 })).toBe("2024-07-01T10:57:21.435689144Z");
  expect(renderTime({ seconds: 1_719_831_441, nanos: 0 })).toBe("2024-07-01T10:57:21.000000000Z");
  expect(renderTime({ seconds: 1_719_831_441, nanos: 10 })).toBe("2024-07-01T10:57:21.000000010Z");
});

test("a line has the keys in the documented order, and err last", () => {
  const line = renderJsonLine(renderTime(epoch), "WARN", "hook request to the agent failed", {
    hook: "create-container",
    "start-time": renderTime(epoch),
    ...toRequestFields(request, "info"),
    err: "no",
  });
  expect(line.endsWith("}\n")).toBe(true);
  expect(Object.keys(JSON.parse(line))).toEqual([
    "time",
    "level",
    "msg",
    "hook",
    "start-time",
    "req-cgroups",
    "req-rootdir",
    "req-containerName",
    "req-containerID",
    "req-containerImage",
    "req-podName",
    "req-podUID",
    "req-podNamespace",
    "err",
  ]);
});

test("what an annotation holds stays within its line", () => {
  const line = renderJsonLine(
    renderTime(epoch),
    "INFO",
    "m",
    toRequestFields({ ...request, containerName: 'x"\n{"level":"INFO"}' }, "info"),
  );
  expect(line.split("\n")).toHaveLength(2);
  expect(JSON.parse(line)["req-containerName"]).toBe('x"\n{"level":"INFO"}');
});

test("annotations are logged at level debug only", () => {
  expect(toRequestFields(request, "debug")["req-annotations"]).toEqual({ a: "1" });
  expect(toRequestFields(request, "info")["req-annotations"]).toBeUndefined();
});
