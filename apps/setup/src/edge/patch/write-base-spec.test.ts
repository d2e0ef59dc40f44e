// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHookEntry } from "../../core/hook-entry.ts";
import { removeFromBaseSpec, writeBaseSpec } from "./write-base-spec.ts";

const entry = toHookEntry(["/opt/tetragon/tetragon-oci-hook"], [], 15);
const hooks = { createRuntime: [entry] };
const printed = { ociVersion: "1.2.0", process: { cwd: "/", rlimits: [{ type: "RLIMIT_NOFILE" }] } };

let dir = "";
let path = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "base-spec-"));
  path = join(dir, "etc", "base-spec.json");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const readJson = (): unknown => JSON.parse(readFileSync(path, "utf8"));

function createCtr(script: string): string {
  const ctr = join(dir, "ctr");
  writeFileSync(ctr, `#!/bin/sh\n${script}\n`);
  chmodSync(ctr, 0o755);
  return ctr;
}

const workingCtr = (): string => createCtr(`[ "$*" = "oci spec" ] && echo '${JSON.stringify(printed)}'`);

describe("writing", () => {
  test("begins with what ctr prints, without its limits, and a second time changes nothing", async () => {
    const ctr = workingCtr();
    expect(await writeBaseSpec({ path, entry, ctr })).toEqual({ ok: true, value: { changed: true } });
    expect(readJson()).toEqual({ ociVersion: "1.2.0", process: { cwd: "/" }, hooks });
    expect(await writeBaseSpec({ path, entry, ctr })).toEqual({ ok: true, value: { changed: false } });
    expect(readdirSync(join(dir, "etc"))).toEqual(["base-spec.json"]);
  });

  test("a file that is given is taken as it is", async () => {
    const fromSpec = join(dir, "own.json");
    writeFileSync(fromSpec, JSON.stringify(printed));
    expect((await writeBaseSpec({ path, entry, fromSpec })).ok).toBe(true);
    expect(readJson()).toEqual({ ...printed, hooks });
  });

  test("the file that is there is the base, with its mode, and a link to it stays one", async () => {
    const real = join(dir, "real.json");
    writeFileSync(real, JSON.stringify({ ...printed, hostname: "own" }));
    chmodSync(real, 0o640);
    path = join(dir, "link.json");
    symlinkSync(real, path);
    expect((await writeBaseSpec({ path, entry, ctr: "/no/ctr" })).ok).toBe(true);
    expect(readJson()).toEqual({ ...printed, hostname: "own", hooks });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o640);
  });

  test("a dry run reports a change and writes nothing", async () => {
    const result = await writeBaseSpec({ path, entry, ctr: workingCtr(), dryRun: true });
    expect(result).toEqual({ ok: true, value: { changed: true } });
    expect(readdirSync(dir)).toEqual(["ctr"]);
  });

  test.each([
    { name: "no ctr", ctr: () => "/no/ctr", says: /`\/no\/ctr oci spec` printed no OCI spec.*--from-spec/ },
    { name: "a failing ctr", ctr: () => createCtr("exit 1"), says: /printed no OCI spec.*--from-spec/ },
    {
      name: "a ctr that prints something else",
      ctr: () => createCtr("echo hi"),
      says: /is not a JSON object/,
    },
  ])("$name is an error, and nothing is written", async ({ ctr, says }) => {
    const result = await writeBaseSpec({ path, entry, ctr: ctr() });
    expect(result).toEqual({ ok: false, error: expect.stringMatching(says) });
    expect(readdirSync(dir).filter((name) => name !== "ctr")).toEqual([]);
  });

  test("a file that is not an OCI spec is kept", async () => {
    path = join(dir, "broken.json");
    writeFileSync(path, "{");
    const error = `${path} is not a JSON object`;
    expect(await writeBaseSpec({ path, entry })).toEqual({ ok: false, error });
    expect(readFileSync(path, "utf8")).toBe("{");
  });
});

describe("removing", () => {
  test("leaves the file without the hook", async () => {
    await writeBaseSpec({ path, entry, ctr: workingCtr() });
    const removal = { path, binaryName: "tetragon-oci-hook" };
    expect(await removeFromBaseSpec(removal)).toEqual({ ok: true, value: { changed: true } });
    expect(readJson()).toEqual({ ociVersion: "1.2.0", process: { cwd: "/" } });
    expect(await removeFromBaseSpec(removal)).toEqual({ ok: true, value: { changed: false } });
  });

  test("a missing file is unchanged", async () => {
    const result = await removeFromBaseSpec({ path, binaryName: "tetragon-oci-hook" });
    expect(result).toEqual({ ok: true, value: { changed: false } });
  });
});
