// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { isLogged, renderLogLine, renderTime, toRequestFields } from "./log-record.ts";

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
  const line = renderLogLine(epoch, "WARN", "hook request to the agent failed", {
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
  const line = renderLogLine(
    epoch,
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

test("a level below the threshold is not logged", () => {
  expect(isLogged("INFO", "info")).toBe(true);
  expect(isLogged("DEBUG", "info")).toBe(false);
  expect(isLogged("WARN", "error")).toBe(false);
  expect(isLogged("ERROR", "error")).toBe(true);
});

test.each([
  { what: "DEL alone", name: "a\u007fb" },
  { what: "a C1 control", name: "a\u009bb" },
  { what: "a bidirectional mark", name: "a\u202eb" },
  { what: "a line separator", name: "a\u2028b" },
  { what: "ESC", name: "a\u001bb" },
  { what: "a character outside of the BMP that is none", name: "a\u{e0001}b" },
])("what a terminal obeys is written as an escape, and read back: $what", ({ name }) => {
  const line = renderLogLine({ seconds: 0, nanos: 0 }, "INFO", "m", { name });
  expect(line).toMatch(/^[ -~]*\n$/);
  expect(JSON.parse(line)).toMatchObject({ name });
});

test("letters of any script stay as they are", () => {
  const line = renderLogLine({ seconds: 0, nanos: 0 }, "INFO", "m", { name: "naïve ✓ 名" });
  expect(line).toContain("naïve ✓ 名");
});
