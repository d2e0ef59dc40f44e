// SPDX-License-Identifier: Apache-2.0
// Hosts whose C library cannot run the hook: a root file system with a static busybox and nothing else.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRootFs } from "../harness/bundle.ts";
import { type Finished, runProcess } from "../harness/process.ts";
import { findHook, findSetup, findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("libc");
const root = workspace.path("host");
afterAll(() => workspace.close(), 60_000);
beforeAll(async () => {
  createRootFs(root);
  // The hook reads its own directory there.
  for (const dir of ["proc", "opt", "hooks.d"]) mkdirSync(join(root, dir), { recursive: true });
  await runProcess([findTool("mount"), "-t", "proc", "proc", join(root, "proc")]);
  workspace.onClose(() => runProcess([findTool("umount"), join(root, "proc")]));
});

const install = (libc: string): Promise<Finished> =>
  runProcess(
    [
      ...[findSetup(), "install", "--local-binary", findHook(), "--host-root", root, "--libc", libc],
      ...["--local-install-dir", join(root, "opt/tetragon"), "--host-install-dir", "/opt/tetragon"],
      ...["--oci-hooks.local-dir", join(root, "hooks.d")],
    ],
    { killAfterMs: 60_000 },
  );

interface HookFile {
  readonly hook: { readonly path: string; readonly args: readonly string[]; readonly env: readonly string[] };
}

describe("a host without a C library", () => {
  test("--libc host is an error with the reason", async () => {
    const done = await install("host");
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toContain("the hook does not run");
  }, 60_000);

  test("gets one with the hook, which runs there and finds its configuration", async () => {
    const done = await install("auto");
    expect(done.stderr).toContain("written C library");
    expect(done.exitCode).toBe(0);
    const file: HookFile = JSON.parse(readFileSync(join(root, "hooks.d/tetragon-oci-hook.json"), "utf8"));
    expect(file.hook.path).toMatch(/^\/opt\/tetragon\/ld-linux-[0-9a-f]{12}\.so$/);
    writeFileSync(join(root, "opt/tetragon/tetragon-oci-hook.json"), '{"grpc_timeout": "7s"}');
    // As the runtime would call it; the last flags of the command line count.
    const asked = await runProcess([
      ...[findTool("chroot"), root, file.hook.path, ...file.hook.args.slice(1), "--just-print-config"],
    ]);
    expect(asked.exitCode).toBe(0);
    expect(JSON.parse(asked.stdout)).toMatchObject({
      grpc_timeout: "7s",
      log_fname: "/opt/tetragon/tetragon-oci-hook.log",
    });
  }, 60_000);

  test("gets a new hook file when the hook's configuration changes the timeout, and only then", async () => {
    const path = join(root, "hooks.d/tetragon-oci-hook.json");
    const done = await install("auto");
    expect(done.stderr).toContain("written conf");
    const text = readFileSync(path, "utf8");
    expect(JSON.parse(text)).toMatchObject({ hook: { timeout: 12 } });
    expect((await install("auto")).stderr).toContain("conf is up to date");
    expect(readFileSync(path, "utf8")).toBe(text);
  }, 60_000);
});
