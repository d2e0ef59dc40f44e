// SPDX-License-Identifier: Apache-2.0
// A configuration that cannot be read is not "none": its lists may deny what the defaults allow.

import { expect, test } from "bun:test";
import { err, ok } from "@rthooks/result";
import { openSystem, type SysError, type System } from "@rthooks/sys";
import { runHookProgram } from "./run-hook.ts";

const real = await openSystem();

const failing = (code: SysError["code"]) => () => err({ call: "open", subject: "/x", code, message: code });

async function run(broken: Partial<System>) {
  let stderr = "";
  const system: System = {
    ...real,
    readLink: () => ok("/opt/none/tetragon-oci-hook"),
    readRegularFile: failing("ENOENT"),
    readStdin: () => new Uint8Array(),
    openLog: failing("EROFS"),
    writeStderr: (text) => {
      stderr += text;
    },
    ...broken,
  };
  const exitCode = await runHookProgram(system, ["createContainer"], undefined, "test");
  return { exitCode, stderr };
}

test("no configuration file is no error", async () => {
  expect((await run({})).exitCode).toBe(0);
});

test.each(["EACCES", "EIO", "EMFILE", "ENFILE", "ELOOP", "ENOTDIR"] as const)(
  "a configuration file that cannot be read is: %s",
  async (code) => {
    const { exitCode, stderr } = await run({ readRegularFile: failing(code) });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`tetragon-oci-hook: open /x: ${code}`);
  },
);

test.each(["ENOENT", "EACCES"] as const)(
  "and so is a program that does not find itself: %s",
  async (code) => {
    const read: string[] = [];
    const readRegularFile: System["readRegularFile"] = (path) => {
      read.push(path);
      return failing("ENOENT")();
    };
    const { exitCode, stderr } = await run({ readLink: failing(code), readRegularFile });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cannot find the program's directory");
    // Not a file of that name in the root directory.
    expect(read).toEqual([]);
  },
);
