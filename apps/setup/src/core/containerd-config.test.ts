// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createMemoryFiles } from "@rthooks/runtime-config/memory-files";
import { readContainerdConfig } from "./containerd-config.ts";

const MAIN = "/etc/containerd/config.toml";
const read = (texts: Readonly<Record<string, string>>, release: string | null = null) =>
  readContainerdConfig(createMemoryFiles(texts), MAIN, release);
const readOne = (text: string) => read({ [MAIN]: text });

const NRI = `[plugins."io.containerd.nri.v1.nri"]`;

test("without a file the defaults of the version apply, and runc is a runtime", () => {
  expect(read({})).toEqual({
    version: undefined,
    files: [],
    problems: [],
    address: undefined,
    nri: {
      disable: undefined,
      disableConnections: false,
      isPluginDisabled: false,
      socketPath: "/var/run/nri/nri.sock",
      decidedIn: [],
      rejectsHooks: false,
    },
    isCriDisabled: false,
    runcRuntimes: [{ name: "runc", baseSpec: undefined, file: undefined }],
    otherRuntimes: [],
  });
});

test.each([
  { name: "version 2", text: `version = 2\n${NRI}\ndisable = false\nsocket_path = "/run/n.sock"` },
  { name: "version 3", text: `version = 3\n${NRI}\ndisable = false\nsocket_path = "/run/n.sock"` },
  { name: "version 1", text: `[plugins.nri]\ndisable = false\nsocket_path = "/run/n.sock"` },
])("NRI's table is found in $name", ({ text }) => {
  expect(readOne(text).nri).toMatchObject({ disable: false, socketPath: "/run/n.sock" });
});

test.each([
  { name: "NRI, by its id", list: ["io.containerd.nri.v1.nri"], nri: true, cri: false },
  { name: "CRI, by its old name", list: ["cri"], nri: false, cri: true },
  { name: "CRI, by its id", list: ["io.containerd.grpc.v1.cri"], nri: false, cri: true },
  { name: "another plugin", list: ["io.containerd.snapshotter.v1.zfs"], nri: false, cri: false },
])("disabled_plugins: $name", ({ list, nri, cri }) => {
  const found = readOne(`version = 2\ndisabled_plugins = ${JSON.stringify(list)}`);
  expect([found.nri.isPluginDisabled, found.isCriDisabled]).toEqual([nri, cri]);
});

describe("imports", () => {
  const texts = {
    [MAIN]: `version = 2\nimports = ["conf.d/*.toml", "/run/own.toml", "conf.d/b.toml"]
${NRI}\ndisable = false\nsocket_path = "/run/n.sock"`,
    "/etc/containerd/conf.d/a.toml": `${NRI}\ndisable_connections = true`,
    "/etc/containerd/conf.d/b.toml": `imports = ["${MAIN}"]`,
    "/etc/containerd/conf.d/b.toml.bak": `${NRI}\ndisable = true`,
  };

  test("are read breadth first, each file once; a missing one is reported", () => {
    const { files, problems } = read(texts, "2.1.9");
    expect(files).toEqual([MAIN, "/etc/containerd/conf.d/a.toml", "/etc/containerd/conf.d/b.toml"]);
    expect(problems).toEqual(["/run/own.toml: imported file does not exist: containerd fails to start"]);
  });

  test("containerd 2 merges a plugin's tables", () => {
    expect(read(texts, "2.1.9").nri).toMatchObject({
      disable: false,
      disableConnections: true,
      socketPath: "/run/n.sock",
    });
  });

  test("containerd 1.7 replaces them, which is reported", () => {
    const { nri, problems } = read(texts, "1.7.24");
    expect(nri).toMatchObject({ disable: undefined, socketPath: "/var/run/nri/nri.sock" });
    expect(problems).toContainEqual(
      `/etc/containerd/conf.d/a.toml: replaces the whole table [plugins."io.containerd.nri.v1.nri"] of ${MAIN} (containerd 1.x)`,
    );
  });

  test("are limited in number", () => {
    const many = Array.from({ length: 100 }, (_, at) => `/etc/${at}.toml`);
    const found = read({
      [MAIN]: `imports = ${JSON.stringify(many)}`,
      ...Object.fromEntries(many.map((path) => [path, ""])),
    });
    expect(found.files).toHaveLength(64);
    expect(found.problems).toEqual([`${MAIN} imports more than 64 files: only the first 64 are read`]);
  });
});

test("lists the runtimes of runc with their base specs", () => {
  const { runcRuntimes } = readOne(`version = 3
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
base_runtime_spec = "/etc/base.json"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]
runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]
runtime_type = "io.containerd.kata.v2"`);
  expect(runcRuntimes).toEqual([
    { name: "runc", baseSpec: "/etc/base.json", file: MAIN },
    { name: "crun", baseSpec: undefined, file: MAIN },
  ]);
});

test("finds the gRPC socket in each version", () => {
  expect(readOne(`version = 2\n[grpc]\naddress = "/run/a.sock"`).address).toBe("/run/a.sock");
  const four = `version = 4\n[plugins."io.containerd.server.v1.grpc"]\naddress = "/run/b.sock"`;
  expect(readOne(four).address).toBe("/run/b.sock");
});

test.each([
  { name: "not TOML", text: "version = \n", problem: /^\S+config\.toml: line 1, column \d+: / },
  { name: "nested very deeply", text: `a = ${"[".repeat(200_000)}`, problem: /^\S+config\.toml: / },
])("a file that is $name is a problem with its position", ({ text, problem }) => {
  expect(readOne(text).problems).toEqual([expect.stringMatching(problem)]);
});

test.each(["plugins = 3", "[plugins]\ncri = 1", `version = "2"`, "imports = 7", "disabled_plugins = {}"])(
  "ignores values of an unexpected type: %s",
  (text) => {
    expect(readOne(text).runcRuntimes).toEqual([{ name: "runc", baseSpec: undefined, file: undefined }]);
  },
);
