// SPDX-License-Identifier: Apache-2.0
// Opens the programs and maps in the kernel that enforce policies.

import { statSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import type { NodeCapabilities } from "@rthooks/policy";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { MapFill } from "../../base/core/agent-state-metrics.ts";
import type { CgroupRoot } from "../../cgroups/edge/find-cgroup-root.ts";
import type { BpfDirectory } from "../../filter/edge/claim-bpf-directory.ts";
import { createEnforcement, createNoEnforcement, type Enforcement } from "../core/enforcement.ts";
import type { RuleLimits } from "../core/rule-numbers.ts";
import { openEngine, toEnforcementDirectory } from "./open-engine.ts";

export interface EnforcementOptions {
  readonly ruleLimits: RuleLimits;
  /** Undefined where nothing is enforced; an error where nothing can be. */
  readonly claimedDirectory: Result<BpfDirectory, string> | undefined;
  readonly log: Logger;
}

export interface OpenedEnforcement {
  readonly enforcement: Enforcement;
  /** Of the pinned maps that have the containers; undefined where nothing is enforced, an error where nothing can be. */
  readonly directory: Result<string, string> | undefined;
  /** What is not in force as it should be, one line each. */
  problems(): readonly string[];
  /** Which programs the kernel takes, by name; empty where that cannot be found out. */
  probes(): Promise<Readonly<Record<string, boolean>>>;
  /** Empty where nothing is enforced. */
  fill(): readonly MapFill[];
  /** What the maps that policies share take in the kernel, in bytes, by name. */
  memory(): ReadonlyMap<string, number>;
  /** Retries what has failed, and pins again what is not pinned any more. */
  sweep(): void;
  /** Detaches all programs. */
  end(): Promise<void>;
  /** Closes descriptors; what is in force stays so. */
  close(): void;
}

/** In the kernel if that is wanted and possible. */
export async function openEnforcement(
  options: EnforcementOptions,
  root: CgroupRoot,
): Promise<OpenedEnforcement> {
  const { claimedDirectory: directory, log } = options;
  if (directory === undefined) return openNothing(undefined);
  const opened = directory.ok ? await openInKernel(options, directory.value, root) : directory;
  if (opened.ok) return opened.value;
  log.error("policies with hooks cannot be in force", { err: opened.error });
  return openNothing(opened.error);
}

async function openInKernel(
  { ruleLimits: limits, log }: EnforcementOptions,
  directory: BpfDirectory,
  root: CgroupRoot,
): Promise<Result<OpenedEnforcement, string>> {
  const place = checkRoot(root);
  if (!place.ok) return place;
  const path = toEnforcementDirectory(directory.path);
  const engine = await openEngine(path, root.path, log);
  if (!engine.ok) return engine;
  const { maps, hooks, keep, memory, close } = engine.value;
  const architecture = process.arch === "arm64" ? "arm64" : "x64";
  const enforcement = createEnforcement({ maps, hooks, limits, architecture, digest, log });
  let pinProblem = "";
  let isKeeping = false;
  const keepPins = async (): Promise<void> => {
    if (isKeeping) return;
    isKeeping = true;
    const kept = await keep();
    isKeeping = false;
    pinProblem = kept.ok ? "" : `programs and rules are not pinned: ${kept.error}`;
    if (kept.ok && kept.value)
      log.warn("pins were missing or replaced: programs and rules are pinned again", {});
  };
  return ok({
    enforcement,
    directory: ok(path),
    problems: () => [...enforcement.problems(), ...(pinProblem === "" ? [] : [pinProblem])],
    async probes() {
      const found = await hooks.capabilities();
      return found.ok ? toProbes(found.value) : {};
    },
    fill: () => [...maps.fill()].map(([map, fill]) => ({ map, ...fill })),
    memory,
    sweep() {
      void keepPins();
      enforcement.retry();
    },
    async end() {
      const done = await enforcement.policies.end();
      if (!done.ok) log.error("cannot detach the programs", { err: done.error });
    },
    close,
  });
}

/** Of the root of a hierarchy (fs/kernfs/dir.c): a root with another id is that of a cgroup namespace. */
const ROOT_ID = 1n;

/** Programs count levels of cgroups from the root of the version 2 hierarchy. */
function checkRoot({ path, mode }: CgroupRoot): Result<void, string> {
  if (mode === "v1") return err("they need the cgroup hierarchy of version 2, which is not mounted");
  try {
    if (statSync(path, { bigint: true }).ino === ROOT_ID) return ok(undefined);
    return err(
      `${path} is not the root of the cgroup hierarchy of version 2, from which programs count levels`,
    );
  } catch (error) {
    return err(`cannot examine ${path}: ${describeError(error)}`);
  }
}

const toProbes = ({ lsm, cgroupProgram, rawTracepoint, tracepoint, kprobe }: NodeCapabilities) => ({
  bpf_lsm: lsm.ok,
  bpf_cgroup_program: cgroupProgram.ok,
  bpf_raw_tracepoint: rawTracepoint.ok,
  bpf_tracepoint: tracepoint.ok,
  bpf_kprobe: kprobe.ok,
});

const digest = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");

function openNothing(reason: string | undefined): OpenedEnforcement {
  const enforcement = createNoEnforcement(reason);
  return {
    enforcement,
    directory: reason === undefined ? undefined : err(reason),
    problems: enforcement.problems,
    probes: () => Promise.resolve({}),
    fill: () => [],
    memory: () => new Map(),
    ...{ sweep: () => {}, end: () => Promise.resolve(), close: () => {} },
  };
}
