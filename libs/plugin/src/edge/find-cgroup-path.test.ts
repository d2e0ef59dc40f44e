// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Container } from "@rthooks/proto/nri";
import { createFindCgroupPath } from "./find-cgroup-path.ts";

const id = "c".repeat(64);
let procfs = "";
beforeEach(() => {
  procfs = mkdtempSync(join(tmpdir(), "procfs-"));
});
afterEach(() => rmSync(procfs, { recursive: true }));

function find(cgroupsPath: string, cgroups?: readonly string[], times = 1) {
  const warnings: string[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (message: string) => void warnings.push(message),
    error: () => {},
  };
  if (cgroups !== undefined) {
    mkdirSync(join(procfs, "42"), { recursive: true });
    writeFileSync(join(procfs, "42", "cgroup"), cgroups.map((line) => `${line}\n`).join(""));
  }
  const findPath = createFindCgroupPath(procfs, log);
  const container = { ...Container.decode(new Uint8Array()), id, pid: 42, linux: { cgroupsPath } };
  for (let n = 1; n < times; n++) findPath(container);
  const found = findPath(container);
  return { path: found.ok ? found.value : undefined, warnings };
}

const slice = "kubepods-besteffort-podx.slice";

describe("without its process", () => {
  test("a container is where the runtime says", () => {
    expect(find(`/kubepods/pod1/${id}`).path).toBe(`/kubepods/pod1/${id}`);
    expect(find(`${slice}:cri-containerd:${id}`).path).toBe(
      `/kubepods.slice/kubepods-besteffort.slice/${slice}/cri-containerd-${id}.scope`,
    );
  });

  test("it is nowhere where the runtime says nothing of use", () => {
    expect(find("").path).toBeUndefined();
    expect(find("/").path).toBeUndefined();
  });

  test("it is where the runtime says, if the number is another process's", () => {
    expect(find(`/kubepods/pod1/${id}`, ["0::/kubepods/pod2/other"]).path).toBe(`/kubepods/pod1/${id}`);
  });
});

describe("with its process", () => {
  test("a container is where that is, and the difference is told once", () => {
    const asked = `${slice}:cri-containerd:${id}`;
    const { path, warnings } = find(asked, ["4:memory:/x", `0::/${asked}`], 3);
    expect(path).toBe(`/${asked}`);
    expect(warnings).toHaveLength(1);
  });

  test("nothing is told where both are the same", () => {
    const { path, warnings } = find(`/kubepods/pod1/${id}`, [`0::/kubepods/pod1/${id}`]);
    expect([path, warnings.length]).toEqual([`/kubepods/pod1/${id}`, 0]);
  });

  test("it is not in a cgroup below its own, into which its process may have moved", () => {
    expect(find("/elsewhere", [`0::/kubepods/pod1/${id}/container`]).path).toBe(`/kubepods/pod1/${id}`);
  });

  test("a hierarchy in which the runtime made none does not count", () => {
    const lines = ["0::/system.slice/containerd.service", `5:memory:/kubepods/pod1/${id}`];
    expect(find("/elsewhere", lines).path).toBe(`/kubepods/pod1/${id}`);
  });
});
