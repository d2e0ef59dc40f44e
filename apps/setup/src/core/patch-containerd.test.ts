// SPDX-License-Identifier: Apache-2.0
// Rules of releases newer than the containerds of the tests, and errors. tests/setup covers the rest with real ones.
import { describe, expect, test } from "bun:test";
import { createMemoryFiles } from "@rthooks/runtime-config/memory-files";
import { readContainerdConfig } from "./containerd-config.ts";
import type { ContainerdPatch } from "./patch.ts";
import { planNode } from "./plan-node.ts";

const MAIN = "/etc/containerd/config.toml";
const DROP_IN = "/etc/containerd/conf.d/a.toml";
const NRI = `[plugins."io.containerd.nri.v1.nri"]`;
const enable: ContainerdPatch = {
  kind: "enable-nri",
  requirePlugin: undefined,
  containerdVersion: undefined,
};
const add: ContainerdPatch = { kind: "add-oci-hook", baseSpecPath: "/etc/base.json" };

const plan = (texts: Readonly<Record<string, string>>, release: string | undefined, patch: ContainerdPatch) =>
  planNode({ files: createMemoryFiles(texts), path: MAIN, release }, patch);

/** The node's files after the change. */
function change(
  texts: Readonly<Record<string, string>>,
  release: string | undefined,
  patch: ContainerdPatch,
): Readonly<Record<string, string>> {
  const planned = plan(texts, release, patch);
  if (!planned.ok) throw new Error(JSON.stringify(planned.error));
  const changed = { ...texts };
  for (const { path, after } of planned.value.changes) changed[path] = after;
  expect(plan(changed, release, patch)).toMatchObject({ ok: true, value: { changes: [] } });
  return changed;
}

const read = (texts: Readonly<Record<string, string>>, release: string) =>
  readContainerdConfig(createMemoryFiles(texts), MAIN, release);

describe("containerd 2.3 and later", () => {
  const imports = `imports = ["conf.d/*.toml"]\n`;

  test("a configuration of version 4", () => {
    const texts = { [MAIN]: `version = 4\n${imports}${NRI}\ndisable = true\n` };
    const after = change(texts, "2.4.0", enable);
    expect(read(after, "2.4.0").nri).toMatchObject({ disable: false, decidedIn: [MAIN] });
    const hooked = change(after, "2.4.0", add);
    expect(hooked[MAIN]).toContain(`[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]`);
    expect(read(hooked, "2.4.0").runcRuntimes).toMatchObject([{ name: "runc", baseSpec: "/etc/base.json" }]);
  });

  test("a file of an older version is migrated before the merge, which 2.1 does not do", () => {
    const texts = {
      [MAIN]: `version = 3\n${imports}`,
      [DROP_IN]: `version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.gpu]\nruntime_type = "io.containerd.runc.v2"\n`,
    };
    expect(read(texts, "2.3.4").runcRuntimes.map(({ name }) => name)).toEqual(["runc", "gpu"]);
    const hooked = change(texts, "2.3.4", add);
    expect(hooked[DROP_IN]).toContain("base_runtime_spec");
    expect(read(hooked, "2.3.4").runcRuntimes.map(({ baseSpec }) => baseSpec)).toEqual([
      "/etc/base.json",
      "/etc/base.json",
    ]);
  });
});

test("a required plugin is added to the list that takes effect", () => {
  const texts = {
    [MAIN]: `version = 3\nimports = ["conf.d/*.toml"]\n${NRI}\ndisable = false\n`,
    [DROP_IN]: `[plugins."io.containerd.nri.v1.nri".default_validator]\nrequired_plugins = ["mine"]\n`,
  };
  const after = change(texts, "2.2.0", {
    kind: "enable-nri",
    requirePlugin: "tetragon",
    containerdVersion: "2.2.0",
  });
  expect(after[DROP_IN]).toContain(`required_plugins = ["mine", "tetragon"]`);
});

test("a runtime with another base spec keeps it, the others get this one", () => {
  const runtimes = `plugins."io.containerd.cri.v1.runtime".containerd.runtimes`;
  const texts = {
    [MAIN]: `version = 3\n[${runtimes}.runc]\nbase_runtime_spec = "/etc/own.json"\n[${runtimes}.gpu]\nruntime_type = "io.containerd.runc.v2"\n`,
  };
  const planned = plan(texts, "2.1.9", add);
  expect(planned).toMatchObject({
    ok: true,
    value: { notes: [expect.stringContaining("--base-spec /etc/own.json")] },
  });
  const after = change(texts, "2.1.9", add);
  expect(read(after, "2.1.9").runcRuntimes.map(({ baseSpec }) => baseSpec)).toEqual([
    "/etc/own.json",
    "/etc/base.json",
  ]);
});

describe("a patch that no change of these files can bring into effect is an error that names the file", () => {
  test.each([
    {
      name: "the deciding file is generated at each start",
      texts: {
        [MAIN]: `version = 3\nimports = ["/run/k0s/x.toml"]\n`,
        "/run/k0s/x.toml": `${NRI}\ndisable = true\n`,
      },
      patch: enable,
      path: "/run/k0s/x.toml",
      says: "generated at each start",
    },
    {
      name: "CRI's tables in a file of version 1, for containerd 2",
      texts: { [MAIN]: "[plugins.cri]\n" },
      patch: add,
      path: MAIN,
      says: "containerd config migrate",
    },
    {
      name: "an import of a version that does not exist",
      texts: { [MAIN]: `version = 3\nimports = ["conf.d/a.toml"]\n`, [DROP_IN]: "version = 9\n" },
      patch: enable,
      path: DROP_IN,
      says: "version 9",
    },
  ])("$name", ({ texts, patch, path, says }) => {
    expect(plan(texts, "2.1.9", patch)).toMatchObject({
      ok: false,
      error: { kind: "rejected", path, message: expect.stringContaining(says) },
    });
  });
});

test("the backup is not written where an import would match it", () => {
  const texts = { [MAIN]: `version = 3\nimports = ["conf.d/*"]\n`, [DROP_IN]: `${NRI}\ndisable = true\n` };
  const directory = (pattern: string): unknown => {
    const planned = plan({ ...texts, [MAIN]: `version = 3\nimports = ["${pattern}"]\n` }, "2.1.9", enable);
    return planned.ok ? planned.value.changes[0]?.backupDirectory : planned.error;
  };
  expect(directory("conf.d/*.toml")).toBe("/etc/containerd/conf.d");
  expect(directory("conf.d/*")).toBe("/etc/containerd");
  expect(directory("*/*")).toBe("/etc/containerd");
});
