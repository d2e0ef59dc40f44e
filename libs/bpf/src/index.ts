// SPDX-License-Identifier: Apache-2.0
// BPF maps and programs, through bpf(2).

export { type BpfError, renderBpfError } from "./core/bpf-error.ts";
export type {
  CgroupGoneRecord,
  EventRecord,
  ExecRecord,
  ExitRecord,
  ForkRecord,
  MatchRecord,
} from "./core/event-records.ts";
export { findMismatch, type MapInfo, type MapSpec } from "./core/map-spec.ts";
export type { PlacedRule } from "./core/placed-rule.ts";
export type { ProgramError } from "./core/program-error.ts";
export type { RecordKind } from "./core/record-layout.ts";
export { RULES, type RuleCounts, type RuleSet } from "./core/rule-layout.ts";
export type { RuleOwner } from "./core/rule-owner.ts";
export { ensureBpfFs } from "./edge/bpf-fs.ts";
export type { BpfMap } from "./edge/bpf-map.ts";
export { type EventReader, openEventReader } from "./edge/event-reader.ts";
export {
  type AttachedHook,
  type HookPrograms,
  type HookProgramsOptions,
  openHookPrograms,
} from "./edge/hook-programs.ts";
export { openMapSet } from "./edge/map-set.ts";
export { type Bpf, openBpf } from "./edge/open-bpf.ts";
export { probeBpf } from "./edge/probe-bpf.ts";
export { type ProgramCapabilities, probePrograms } from "./edge/probe-programs.ts";
export { openProgramSet, type ProgramSet, type ProgramSetOptions } from "./edge/program-set.ts";
export { openRuleMaps, type RuleMaps } from "./edge/rule-maps.ts";
