// SPDX-License-Identifier: Apache-2.0
// The processes of the node that events are about, and their parents. It is bounded: when it is full, the container that
// takes the most room loses its oldest entries, so that what one container does costs no other its events.

import { toExecId } from "./exec-id.ts";
import type { ProcessEntry } from "./process-entry.ts";
import { countBytes, type Program, unknownProgram } from "./program.ts";
import { isSameTick } from "./start-ticks.ts";

/** What is put into the cache. */
export interface NewProcess
  extends Pick<
    ProcessEntry,
    "pid" | "startTime" | "programTime" | "uid" | "namespacePid" | "origin" | "container"
  > {
  readonly program: Program;
  readonly parent: ProcessEntry | undefined;
  /** The container whose events need the entry: it takes room of this one. */
  readonly chargedTo: bigint;
}

export interface ProcessCache {
  find(pid: number, startTime: bigint): ProcessEntry | undefined;
  /** The process that has the number now, as far as records tell. */
  findNow(pid: number): ProcessEntry | undefined;
  /** Replaces what the process was before. */
  put(added: NewProcess): ProcessEntry;
  /** The process has ended. It is forgotten a while later, when `forgetEnded` says so; its children keep it as their parent. */
  end(entry: ProcessEntry, nowMs: number): void;
  /** Forgets processes that ended `retentionMs` ago. */
  forgetEnded(nowMs: number): void;
  readonly size: number;
  /** Entries that were removed to make room. */
  readonly evicted: number;
}

export interface CacheOptions {
  readonly nodeName: string;
  readonly maxBytes: number;
  readonly retentionMs: number;
  /** Unix time of the boot in nanoseconds: what it is now, since the clock of the node may be set. */
  bootTimeNs(): bigint;
}

/** About the memory of an entry without its texts, with the facts that are made of it. */
const ENTRY_BYTES = 800;

/** `earlier`: what it was before it began its program, or its parent (Tetragon bpf/process/bpf_process_event.h). */
const isInInitTree = (
  { container, namespacePid }: Pick<NewProcess, "container" | "namespacePid">,
  earlier: ProcessEntry | undefined,
): boolean => container !== 0n && (namespacePid === 1 || earlier?.inInitTree === true);

/** The entries of one container, from the oldest to the newest, with the bytes that each takes. */
interface Group {
  readonly entries: Map<ProcessEntry, number>;
  bytes: number;
}

export function createProcessCache(options: CacheOptions): ProcessCache {
  const { nodeName, maxBytes, retentionMs, bootTimeNs } = options;
  const byPid = new Map<number, ProcessEntry>();
  const groups = new Map<bigint, Group>();
  const groupOf = new Map<ProcessEntry, bigint>();
  /** In the order of their ends. */
  const ended = new Map<ProcessEntry, number>();
  let bytes = 0;
  let evicted = 0;

  const account = (entry: ProcessEntry, container: bigint): void => {
    const group = groups.get(container) ?? { entries: new Map<ProcessEntry, number>(), bytes: 0 };
    groups.set(container, group);
    // Also for a program that it has in common with others: its last user may be the only one that is left.
    const room = ENTRY_BYTES + countBytes(entry.program);
    group.entries.set(entry, room);
    group.bytes += room;
    bytes += room;
    groupOf.set(entry, container);
  };

  const release = (entry: ProcessEntry): void => {
    const container = groupOf.get(entry);
    const group = container === undefined ? undefined : groups.get(container);
    if (container === undefined || group === undefined) return;
    const room = group.entries.get(entry) ?? 0;
    group.entries.delete(entry);
    group.bytes -= room;
    bytes -= room;
    groupOf.delete(entry);
    if (group.entries.size === 0) groups.delete(container);
    leaveParent(entry);
  };

  const leaveParent = (entry: ProcessEntry): void => {
    const { parent } = entry;
    if (parent === undefined) return;
    entry.parent = undefined;
    parent.children--;
    releaseIfUnused(parent);
  };

  const isFindable = (entry: ProcessEntry): boolean => byPid.get(entry.pid) === entry;
  const releaseIfUnused = (entry: ProcessEntry): void => {
    if (entry.children === 0 && !isFindable(entry)) release(entry);
  };

  /** No record finds it any more. Its children need it, and not its own parent: else a chain of forks would stay forever. */
  const forget = (entry: ProcessEntry): void => {
    ended.delete(entry);
    if (isFindable(entry)) byPid.delete(entry.pid);
    if (entry.children === 0) release(entry);
    else leaveParent(entry);
  };

  const evict = (): void => {
    let largest: Group | undefined;
    for (const group of groups.values()) if (group.bytes > (largest?.bytes ?? 0)) largest = group;
    const [oldest] = largest?.entries.keys() ?? [];
    if (oldest === undefined) return;
    evicted++;
    ended.delete(oldest);
    if (isFindable(oldest)) byPid.delete(oldest.pid);
    release(oldest);
    // Its children may still have it as their parent.
    oldest.program = unknownProgram;
    oldest.facts = undefined;
  };

  return {
    find(pid, startTime) {
      const entry = byPid.get(pid);
      if (entry === undefined || entry.startTime === startTime) return entry;
      const isSame = entry.origin === "procfs" && isSameTick(entry.startTime, startTime);
      return isSame ? entry : undefined;
    },
    findNow: (pid) => byPid.get(pid),
    put({ chargedTo, parent, ...added }) {
      const before = byPid.get(added.pid);
      const entry: ProcessEntry = {
        ...added,
        programUnixNs: bootTimeNs() + added.programTime,
        inInitTree: isInInitTree(added, before?.startTime === added.startTime ? before : parent),
        execId: toExecId(nodeName, added.programTime, added.pid),
        // What has been evicted is not counted.
        parent: parent !== undefined && groupOf.has(parent) ? parent : undefined,
        parentExecId: parent?.execId ?? "",
        ...{ children: 0, facts: undefined, isRunning: true },
      };
      if (entry.parent !== undefined) entry.parent.children++;
      byPid.set(entry.pid, entry);
      account(entry, chargedTo);
      if (before !== undefined) {
        before.isRunning = false;
        forget(before);
      }
      while (bytes > maxBytes && byPid.size > 0) evict();
      return entry;
    },
    end(entry, nowMs) {
      entry.isRunning = false;
      if (isFindable(entry)) ended.set(entry, nowMs);
    },
    forgetEnded(nowMs) {
      for (const [entry, endedMs] of ended) {
        if (endedMs > nowMs - retentionMs) break;
        forget(entry);
      }
    },
    get size() {
      return groupOf.size;
    },
    get evicted() {
      return evicted;
    },
  };
}
