// SPDX-License-Identifier: Apache-2.0
// Starts containers on nodes all the time, in a namespace that is allowed without an agent and in one that is not, and says of
// each whether the agent had acknowledged it before its first instruction.
import { existsSync } from "node:fs";
import { readLog } from "../../harness/records.ts";

/** Of the two namespaces of a loop. */
export const ALLOWED = "kube-system";
export const OTHER = "shop";

/** Starts one container, and gives what came of it when its first instruction ran, or was refused. */
interface Starter {
  start(): Promise<{
    /** As the hook's log has it: the container's id or its name. */
    readonly id: string;
    /** The runtime's error; empty for a container that ran. */
    readonly failure: string;
    /** Of its first instruction, in Unix time; undefined if there was none. */
    readonly actedAtMs: number | undefined;
  }>;
  close(): Promise<void>;
}

export interface LoopStart extends Awaited<ReturnType<Starter["start"]>> {
  readonly node: string;
  readonly namespace: string;
  readonly beganAtMs: number;
}

export interface StartLoop {
  starts(): readonly LoopStart[];
  /** Ends the loop after the containers that are being started. */
  stop(): Promise<readonly LoopStart[]>;
}

export type CreateStarter = (namespace: string) => Promise<Starter>;

export function startLoop(nodes: Readonly<Record<string, CreateStarter>>): StartLoop {
  const starts: LoopStart[] = [];
  let isStopping = false;
  const loop = async (node: string, namespace: string, create: CreateStarter): Promise<void> => {
    const starter = await create(namespace);
    while (!isStopping) {
      const beganAtMs = Date.now();
      starts.push({ node, namespace, beganAtMs, ...(await starter.start()) });
    }
    await starter.close();
  };
  const loops = Promise.all(
    Object.entries(nodes).flatMap(([node, create]) => [
      loop(node, ALLOWED, create),
      loop(node, OTHER, create),
    ]),
  );
  // An error is that of `stop`.
  loops.catch(() => {});
  return {
    starts: () => starts,
    async stop() {
      isStopping = true;
      await loops;
      return starts;
    },
  };
}

interface UnheldStart extends LoopStart {
  /** "never acknowledged", or how much later than the first instruction. */
  readonly why: string;
}

export interface Verdict {
  readonly starts: readonly LoopStart[];
  /** Ran, and were not acknowledged before. */
  readonly unheld: readonly UnheldStart[];
  readonly failed: readonly LoopStart[];
  /** Acknowledged more than once. */
  readonly twice: number;
}

/** `logPaths`: of the hook, on this host. */
export function judge(starts: readonly LoopStart[], logPaths: readonly string[]): Verdict {
  const acknowledged = new Map<string, number>();
  let twice = 0;
  for (const record of logPaths.filter(existsSync).flatMap(readLog)) {
    if (record["msg"] !== "hook request to agent succeeded") continue;
    const time = Date.parse(String(record["time"]));
    const id = String(record["req-containerID"]);
    if (acknowledged.has(id)) twice++;
    for (const key of [id, String(record["req-containerName"])]) {
      acknowledged.set(key, Math.min(time, acknowledged.get(key) ?? time));
    }
  }
  const findUnheld = (start: LoopStart): readonly UnheldStart[] => {
    const { id, actedAtMs } = start;
    const atMs = acknowledged.get(id);
    if (actedAtMs === undefined || (atMs !== undefined && atMs <= actedAtMs)) return [];
    return [{ ...start, why: atMs === undefined ? "never acknowledged" : `${atMs - actedAtMs} ms too late` }];
  };
  return {
    starts,
    unheld: starts.flatMap(findUnheld),
    failed: starts.filter(({ failure }) => failure !== ""),
    twice,
  };
}

/** The time in which containers started unheld, from the first one's beginning to the last one's, on one node. */
export function findWindowMs(unheld: readonly LoopStart[], node: string): number {
  const times = unheld.filter((start) => start.node === node).map(({ beganAtMs }) => beganAtMs);
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
}
