// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSystem } from "@rthooks/sys";
import { locateSpec } from "./spec-source.ts";

const system = await openSystem();
const home = process.cwd();
let directory = "";
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "rthooks-spec-")));
});
afterEach(() => process.chdir(home));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A folder with the files; each text is a spec's cgroupsPath, or the file's content if it begins with a brace. */
function lay(files: Record<string, string>, root = "rootfs"): string {
  const base = mkdtempSync(join(directory, "case-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(base, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(
      path,
      text.startsWith("{") ? text : JSON.stringify({ root: { path: root }, linux: { cgroupsPath: text } }),
    );
  }
  return base;
}

const found = (cwd: string, bundle?: string): string => {
  process.chdir(cwd);
  const state =
    bundle === undefined ? undefined : { id: "c", pid: 1, bundle, annotations: new Map<string, string>() };
  const located = locateSpec(system, state);
  return located.ok ? `${located.value.spec.cgroupsPath} in ${located.value.bundle}` : located.error;
};

describe("where the spec is", () => {
  test("the state's bundle, whatever the working directory is", () => {
    const base = lay({ "bundle/config.json": "/right", "cwd/config.json": "/wrong" });
    expect(found(join(base, "cwd"), join(base, "bundle"))).toBe(`/right in ${base}/bundle`);
  });

  test("nowhere else when the state's bundle has none", () => {
    const base = lay({ "bundle/other": "{}", "cwd/config.json": "/wrong" });
    expect(found(join(base, "cwd"), join(base, "bundle"))).toContain("no such file");
  });

  test("that it was the runtime who named the bundle stands in the error, also for the root", () => {
    expect(found(lay({}), "/")).toBe(
      "reading /config.json: no such file or directory; the OCI state names / as the bundle",
    );
    const base = lay({ "config.json": "{" });
    expect(found("/", base)).toEndWith(`; the OCI state names ${base} as the bundle`);
    expect(found(base)).not.toContain("the runtime named");
  });

  test("the working directory without a state", () => {
    const base = lay({ "bundle/config.json": "/right" });
    expect(found(join(base, "bundle"))).toBe(`/right in ${base}/bundle`);
  });

  test.each([
    { what: "beside the root file system", name: "config.json", bundle: "" },
    { what: "in userdata beside it", name: "userdata/config.json", bundle: "/userdata" },
  ])("$what, and never in it", ({ name, bundle }) => {
    const root = bundle === "" ? "rootfs" : "../rootfs";
    const base = lay({ "rootfs/config.json": "/hostile" });
    mkdirSync(join(base, bundle), { recursive: true });
    const absolute = bundle === "" ? root : join(base, "rootfs");
    writeFileSync(
      join(base, name),
      JSON.stringify({ root: { path: absolute }, linux: { cgroupsPath: "/right" } }),
    );
    expect(found(join(base, "rootfs"))).toBe(`/right in ${base}${bundle}`);
  });

  test("an unreadable one beside the root file system ends the search", () => {
    const base = lay({ "config.json": "{truncated", "rootfs/config.json": "/hostile" });
    expect(found(join(base, "rootfs"))).toContain("not valid JSON");
  });

  test("a bundle in the folder of another is its own", () => {
    const base = lay({ "config.json": "/other", "bundle/config.json": "/right" });
    expect(found(join(base, "bundle"))).toBe(`/right in ${base}/bundle`);
  });

  test("not behind a link", () => {
    const base = lay({ "elsewhere.json": "/hostile" });
    mkdirSync(join(base, "bundle"));
    symlinkSync("../elsewhere.json", join(base, "bundle/config.json"));
    expect(found(join(base, "bundle"))).toContain("is a symbolic link");
  });
});
