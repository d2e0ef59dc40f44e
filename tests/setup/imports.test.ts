// SPDX-License-Identifier: Apache-2.0
// Configurations of several files: the tool reports the values that the real containerd uses, and its advice takes
// effect, whichever file decides.
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "smol-toml";
import { createRootFs } from "../harness/bundle.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { type Finished, runProcess } from "../harness/process.ts";
import { findSetup, findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { findValue } from "../toml/model.ts";

const workspace = createWorkspace("imports");
afterAll(() => workspace.close(), 60_000);

const seed = Math.floor(Math.random() * 2 ** 31);
const ROUNDS = 25;
const DIRECTORY = "etc/containerd";
const NRI = "io.containerd.nri.v1.nri";

interface Random {
  below(bound: number): number;
  chance(percent: number): boolean;
  pick<T>(list: readonly T[]): T;
}

/** Park and Miller's generator: the same trees for the same seed. */
function createRandom(start: number): Random {
  let state = (start % 2147483646) + 1;
  const below = (bound: number): number => {
    state = (state * 48271) % 2147483647;
    return state % bound;
  };
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick(list) {
      const found = list[below(list.length)];
      if (found === undefined) throw new Error("nothing to pick from");
      return found;
    },
  };
}

type Tree = Readonly<Record<string, string>>;

const patterns = [
  "conf.d/*.toml",
  "conf.d/[0-9]*.toml",
  "*.d/5?-*.toml",
  "./conf.d/../conf.d/9*.toml",
  "conf.d/[^5]*",
  "more/*/*.toml",
  "conf.d/50-b.toml",
  "config.toml",
];
const names = ["conf.d/50-b.toml", "conf.d/90-c.toml", "conf.d/x.toml", "more/a/1.toml", "more/b/1.toml"];

/** A main file and some others; in most trees all of one version, as containerd wants it. */
function createTree(random: Random, is1: boolean): Tree {
  const version = is1 ? random.pick([2, 2, 2, 1]) : random.pick([2, 3, 3, 1]);
  const tree: Record<string, string> = { "config.toml": createFile(random, is1, version, version, 70) };
  for (const name of names) {
    if (!random.chance(60)) continue;
    const own = random.chance(60) ? version : random.chance(80) ? 0 : is1 ? 2 : random.pick([2, 3]);
    tree[name] = createFile(random, is1, own, version, 15);
  }
  if (tree["conf.d/50-b.toml"] === undefined) tree["conf.d/50-b.toml"] = "";
  return tree;
}

function createFile(random: Random, is1: boolean, version: number, ofMain: number, imports: number): string {
  const shortNames = (is1 ? ofMain : version || ofMain) === 1;
  const lines: string[] = [];
  if (version > 1 || (version === 1 && random.chance(50))) lines.push(`version = ${version}`);
  if (random.chance(imports)) {
    const some = Array.from({ length: 1 + random.below(2) }, () => random.pick(patterns));
    lines.push(`imports = [${some.map((one) => JSON.stringify(one)).join(", ")}]`);
  }
  if (random.chance(10)) lines.push(`disabled_plugins = ["${shortNames && is1 ? "nri" : NRI}"]`);
  const nri = shortNames && is1 ? "nri" : `"${NRI}"`;
  const keys = [
    `disable = ${random.pick(["true", "false"])}`,
    `disable_connections = ${random.pick(["true", "false", "false"])}`,
    `socket_path = "/run/nri-${random.below(9)}.sock"`,
    `plugin_request_timeout = "${1 + random.below(5)}s"`,
  ].filter(() => random.chance(50));
  if (random.chance(60)) {
    if (random.chance(70)) lines.push(`[plugins.${nri}]`, ...keys.map((key) => `  ${key} # mine`));
    else lines.push(`[plugins]`, `  ${nri} = { ${keys.join(", ")} }`);
  }
  const cri = shortNames
    ? "cri"
    : (is1 ? 2 : version || ofMain) >= 3
      ? `'io.containerd.cri.v1.runtime'`
      : `"io.containerd.grpc.v1.cri"`;
  for (const name of ["runc", "gpu", "kata"]) {
    if (!random.chance(25)) continue;
    lines.push(`[plugins.${cri}.containerd.runtimes.${name}]`);
    lines.push(`  runtime_type = "io.containerd.${name === "kata" ? "kata" : "runc"}.v2"`);
    if (random.chance(30)) lines.push('  base_runtime_spec = ""');
  }
  // A table must not be opened by a header and again by [plugins].
  const isTwice = lines.includes("[plugins]") && lines.some((line) => line.startsWith("[plugins."));
  return `${(isTwice ? [...lines.filter((line) => !line.startsWith("[plugins]") && !line.startsWith(`  ${nri} =`))] : lines).join("\n")}\n`;
}

const show = (tree: Tree): string =>
  Object.entries(tree)
    .map(([name, text]) => `--- ${name}\n${text}`)
    .join("");

interface InForce {
  readonly nri: boolean;
  readonly connections: boolean;
  readonly socket: string;
  /** Base specs of runc's runtimes, by name. */
  readonly runc: Readonly<Record<string, string>>;
  readonly others: readonly string[];
}

class Node {
  readonly root: string;
  readonly containerd: string;
  readonly is1: boolean;

  constructor(release: ContainerdRelease, saysVersion = true) {
    this.root = workspace.path(`node-${release.version}-${saysVersion}`);
    this.containerd = join(release.binDir, "containerd");
    this.is1 = release.version.startsWith("1");
    createRootFs(this.root);
    const program = join(this.root, "usr/bin/containerd");
    mkdirSync(dirname(program), { recursive: true });
    const says = saysVersion ? `containerd x ${release.version} y` : "";
    writeFileSync(program, `#!/bin/sh\necho "${says}"\n`);
    chmodSync(program, 0o755);
    writeFileSync(join(this.root, "spec.json"), JSON.stringify({ ociVersion: "1.1.0", process: {} }));
  }

  write(tree: Tree): void {
    rmSync(join(this.root, DIRECTORY), { recursive: true, force: true });
    for (const [name, text] of Object.entries(tree)) {
      const path = join(this.root, DIRECTORY, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  run(...argv: readonly string[]): Promise<Finished> {
    return runProcess([findSetup(), ...argv], { killAfterMs: 60_000 });
  }

  /** Undefined where containerd itself refuses the files. */
  async askContainerd(root = this.root): Promise<InForce | undefined> {
    const config = join(root, DIRECTORY, "config.toml");
    const { stdout, exitCode } = await runProcess([this.containerd, "-c", config, "config", "dump"]);
    if (exitCode !== 0) return undefined;
    const values = parse(stdout);
    const disabled = findValue(values, ["disabled_plugins"]);
    const isOff = Array.isArray(disabled) && disabled.some((id) => id === NRI || id === "nri");
    const nri = Object(findValue(values, ["plugins", NRI]));
    const cri = this.is1 ? "io.containerd.grpc.v1.cri" : "io.containerd.cri.v1.runtime";
    const runtimes = Object.entries(Object(findValue(values, ["plugins", cri, "containerd", "runtimes"])));
    const isRunc = (table: unknown): boolean => Object(table)["runtime_type"] === "io.containerd.runc.v2";
    return {
      nri: !isOff && nri["disable"] === false,
      // What a disabled plugin would have is of no account, and containerd 1.7 does not print it.
      connections: isOff || nri["disable_connections"] !== true,
      socket: isOff ? "" : String(nri["socket_path"] ?? "/var/run/nri/nri.sock"),
      runc: Object.fromEntries(
        runtimes
          .filter(([, table]) => isRunc(table))
          .map(([name, table]) => [name, String(Object(table)["base_runtime_spec"] ?? "")]),
      ),
      others: runtimes
        .filter(([, table]) => !isRunc(table))
        .map(([name]) => name)
        .toSorted(),
    };
  }

  async askTool(): Promise<InForce> {
    const { stdout } = await this.run("detect", "--root", this.root, "-o", "json");
    const [runtime] = JSON.parse(stdout).runtimes;
    const isOff = runtime.nri.decided_by === "disabled_plugins";
    const toEntry = ({ name, base_spec }: { name: string; base_spec: string | null }) => [
      name,
      base_spec ?? "",
    ];
    return {
      nri: runtime.nri.enabled,
      connections: isOff || runtime.nri.connections,
      socket: isOff ? "" : runtime.nri.socket.path,
      runc: Object.fromEntries(runtime.runc_runtimes.map(toEntry)),
      others: runtime.other_runtimes.map(({ name }: { name: string }) => name).toSorted(),
    };
  }

  /** Commands for containerd's files that doctor advises for such a finding; undefined if there is no such finding. */
  async findAdvice(pattern: RegExp): Promise<readonly string[] | undefined> {
    const { stdout } = await this.run("doctor", "--root", this.root, "-o", "json");
    const { findings }: { findings: readonly { message: string; fix: readonly string[] }[] } =
      JSON.parse(stdout);
    const found = findings.find(({ message }) => pattern.test(message));
    return found?.fix.filter((command) => command.includes("patch-containerd-conf"));
  }

  async follow(commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      const env = { PATH: `${dirname(findSetup())}:/usr/sbin:/usr/bin:/sbin:/bin` };
      const words = command.includes("add-oci-hook")
        ? `${command} --from-spec ${this.root}/spec.json`
        : command;
      const done = await runProcess([findTool("sh"), "-c", words], { env, killAfterMs: 60_000 });
      expect({ command, exitCode: done.exitCode, stderr: done.stderr }).toMatchObject({ exitCode: 0 });
    }
  }
}

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  const node = new Node(release);

  test(`reports the values that take effect, and gives advice that works (seed ${seed})`, async () => {
    let judged = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const tree = createTree(createRandom(seed + round), node.is1);
      const say = (more: object) => ({ seed: seed + round, tree: show(tree), ...more });
      node.write(tree);
      const before = await node.askContainerd();
      if (before === undefined) continue;
      judged++;
      expect(say({ found: await node.askTool() })).toEqual(say({ found: before }));

      const advised = await node.findAdvice(/^NRI (is off|accepts no connections)/);
      expect(say({ advised: advised !== undefined })).toEqual(
        say({ advised: !(before.nri && before.connections) }),
      );
      if (advised !== undefined) {
        expect(say({ count: advised.length })).toEqual(say({ count: 1 }));
        await node.follow(advised);
        const after = await node.askContainerd();
        expect(say({ after })).toEqual(
          say({ after: { ...before, socket: after?.socket ?? "", nri: true, connections: true } }),
        );
        expect(say({ again: await node.findAdvice(/^NRI (is off|accepts no connections)/) })).toEqual(
          say({ again: undefined }),
        );
      }
    }
    expect(judged).toBeGreaterThan(ROUNDS / 4);
  }, 600_000);

  test(`adds the hook to every runc runtime (seed ${seed})`, async () => {
    const add = [
      "patch-containerd-conf",
      "add-oci-hook",
      "--in-place",
      "--containerd-version",
      release.version,
    ];
    const path = join(node.root, DIRECTORY, "config.toml");
    const flags = [
      "--config-file",
      path,
      "--host-root",
      node.root,
      "--from-spec",
      join(node.root, "spec.json"),
    ];
    const base = "/etc/containerd/tetragon-base-spec.json";
    let judged = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const tree = createTree(createRandom(seed + 1000 + round), node.is1);
      const say = (more: object) => ({ seed: seed + 1000 + round, tree: show(tree), ...more });
      node.write(tree);
      const before = await node.askContainerd();
      if (before === undefined) continue;
      const done = await node.run(...add, ...flags);
      if (!node.is1 && !/^version = [23]$/m.test(tree["config.toml"] ?? "")) {
        expect(say({ done: done.exitCode })).toEqual(say({ done: 1 }));
        continue;
      }
      judged++;
      expect(say({ done: done.exitCode, stderr: done.stderr })).toMatchObject({ done: 0 });
      const after = await node.askContainerd();
      const runc = Object.keys({ ...before.runc, runc: "" }).map((name) => [name, base]);
      expect(say({ after })).toEqual(say({ after: { ...before, runc: Object.fromEntries(runc) } }));
      expect(say({ again: await node.findAdvice(/bypass the hook/) })).toEqual(say({ again: undefined }));
    }
    expect(judged).toBeGreaterThan(ROUNDS / 5);
  }, 600_000);

  test("a runtime in a later import is named with its file, and gets the hook", async () => {
    const version = node.is1 ? 2 : 3;
    const cri = node.is1 ? '"io.containerd.grpc.v1.cri"' : "'io.containerd.cri.v1.runtime'";
    const runc = `[plugins.${cri}.containerd.runtimes.runc]\n  runtime_type = "io.containerd.runc.v2"\n`;
    node.write({
      "config.toml": `version = ${version}\nimports = ["conf.d/*.toml"]\n[plugins."${NRI}"]\n  disable = true\n${runc}`,
    });
    const base = ["--host-root", node.root, "--from-spec", join(node.root, "spec.json")];
    const path = join(node.root, DIRECTORY, "config.toml");
    await node.run("patch-containerd-conf", "add-oci-hook", "--in-place", "--config-file", path, ...base);
    const gpu = `[plugins.${cri}.containerd.runtimes.gpu]\n  runtime_type = "io.containerd.runc.v2"\n`;
    mkdirSync(join(node.root, DIRECTORY, "conf.d"));
    const imported = join(node.root, DIRECTORY, "conf.d/99-gpu.toml");
    // In containerd 1.x the table has to be there whole.
    const kept = readFileSync(path, "utf8");
    const whole = kept.slice(kept.indexOf(`[plugins.${cri}`));
    writeFileSync(imported, `version = ${version}\n${node.is1 ? whole : ""}${gpu}`);
    const { stdout } = await node.run("doctor", "--root", node.root);
    expect(stdout).toContain("bypass the hook: gpu (/etc/containerd/conf.d/99-gpu.toml)");
    await node.follow((await node.findAdvice(/bypass the hook/)) ?? []);
    expect(await node.findAdvice(/bypass the hook/)).toBeUndefined();
    expect(readFileSync(imported, "utf8")).toContain("tetragon-base-spec.json");
    const { runc: specs } = (await node.askContainerd()) ?? { runc: {} };
    expect(new Set(Object.values(specs))).toEqual(new Set(["/etc/containerd/tetragon-base-spec.json"]));
  }, 60_000);
});

test(`advice for a containerd of unknown version works on both (seed ${seed})`, async () => {
  const nodes = containerdReleases.map((release) => new Node(release, false));
  let judged = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const tree = createTree(createRandom(seed + 2000 + round), true);
    const say = (more: object) => ({ seed: seed + 2000 + round, tree: show(tree), ...more });
    // Others are not read alike by both.
    if (!Object.values(tree).every((text) => !text.includes("plugins.nri") && !text.includes("plugins.cri")))
      continue;
    if (!tree["config.toml"]?.startsWith("version = 2")) continue;
    const [node, ...others] = nodes;
    if (node === undefined) throw new Error("no containerd");
    node.write(tree);
    const advised = await node.findAdvice(
      /^NRI (is off|accepts no connections)|cannot determine whether NRI is on/,
    );
    if (advised === undefined) continue;
    judged++;
    expect(say({ count: advised.length })).toEqual(say({ count: 1 }));
    await node.follow(advised);
    const asked = [node, ...others].map((one) => one.askContainerd(node.root));
    for (const after of await Promise.all(asked)) {
      if (after !== undefined)
        expect(say({ after })).toMatchObject({ after: { nri: true, connections: true } });
    }
    expect(say({ again: await node.findAdvice(/^NRI (is off|accepts no connections)/) })).toEqual(
      say({ again: undefined }),
    );
  }
  expect(judged).toBeGreaterThan(0);
}, 600_000);
