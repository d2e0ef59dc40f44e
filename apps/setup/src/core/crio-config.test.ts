// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createMemoryFiles } from "@rthooks/runtime-config/memory-files";
import { readCrioConfig, readPodmanConfig } from "./crio-config.ts";

const MAIN = "/etc/crio/crio.conf";

test("without a file CRI-O's defaults apply", () => {
  expect(readCrioConfig(createMemoryFiles({}), MAIN)).toEqual({
    files: [],
    problems: [],
    listen: "/var/run/crio/crio.sock",
    hooksDirs: ["/usr/share/containers/oci/hooks.d"],
    enableNri: undefined,
    enableNriIn: undefined,
    nriListen: "/var/run/nri/nri.sock",
    nriDisableConnections: false,
  });
});

test("for each key, the last of CRI-O's drop-in files counts, in the order of their names", () => {
  const found = readCrioConfig(
    createMemoryFiles({
      [MAIN]: `[crio.runtime]\nhooks_dir = ["/a"]\n[crio.nri]\nenable_nri = false`,
      "/etc/crio/crio.conf.d/20-b.conf": `[crio.nri]\nenable_nri = true\nnri_listen = "/run/n.sock"`,
      "/etc/crio/crio.conf.d/10-a.conf": `[crio.runtime]\nhooks_dir = ["/b", "/c"]\n[crio.nri]\nenable_nri = false`,
      "/etc/crio/crio.conf.d/30-c": "x",
    }),
    MAIN,
  );
  expect(found).toMatchObject({ hooksDirs: ["/b", "/c"], enableNri: true, nriListen: "/run/n.sock" });
  expect(found.problems).toEqual([expect.stringMatching(/^\/etc\/crio\/crio\.conf\.d\/30-c: line 1/)]);
});

test("podman's drop-in files override the administrator's file, which overrides the vendor's", () => {
  const texts = {
    "/usr/share/containers/containers.conf": `[engine]\nhooks_dir = ["/vendor"]`,
    "/etc/containers/containers.conf": `[engine]\nhooks_dir = ["/admin"]`,
    "/etc/containers/containers.conf.d/a.conf": `[engine]\nhooks_dir = ["/drop-in"]`,
    "/etc/containers/containers.conf.d/a.txt": `[engine]\nhooks_dir = ["/none"]`,
  };
  expect(readPodmanConfig(createMemoryFiles(texts)).hooksDirs).toEqual(["/drop-in"]);
  expect(readPodmanConfig(createMemoryFiles({})).hooksDirs).toEqual([
    "/usr/share/containers/oci/hooks.d",
    "/etc/containers/oci/hooks.d",
  ]);
});
