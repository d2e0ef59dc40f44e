// SPDX-License-Identifier: Apache-2.0
// What enforcement costs a hook call: two agents, one with programs in the kernel and one without, are called in turns.
import type { AgentProcess } from "../agent/agent-process.ts";
import { findCgroupRoot, withCgroups } from "../cgroups.ts";
import { reportAll } from "../policies/agent-calls.ts";
import { findMedian, findQuantile } from "../stats.ts";
import type { Table } from "../table.ts";
import { writePolicies } from "./bench-policies.ts";
import { startEnforcing } from "./start-enforcing.ts";

/** RTHOOKS_HELD_CALLS_ROUNDS */
const rounds = Number(process.env["RTHOOKS_HELD_CALLS_ROUNDS"] ?? 60);
const warmUpRounds = 10;
const perRound = 40;
/** Between two calls: 200 starts a second, far more than a node has. */
const pauseMs = 5;

const variants = ["without programs", "without programs, another agent", "with programs"] as const;

export async function benchHeldCalls(dir: string, bpfDir: string): Promise<Table> {
  const results = variants.map((): { medianMs: number; slowMs: number }[] => []);
  const agents: AgentProcess[] = [];
  try {
    for (const [at, variant] of variants.entries()) {
      const policies = `${dir}/policies-${at}`;
      writePolicies(policies, 10, variant === "with programs" ? "system calls" : "nothing", "own");
      agents.push(await startEnforcing(dir, `${bpfDir}-${at}`, policies, 10));
    }
    for (let round = -warmUpRounds; round < rounds; round++) {
      const names = Array.from(
        { length: perRound },
        (_, at) => `c-${(round + warmUpRounds) * perRound + at}`,
      );
      await withCgroups(findCgroupRoot(), names, async (paths) => {
        const containers = names.map((name, at) => ({
          name,
          cgroupPath: paths[at] ?? "",
          labels: { app: "own" },
        }));
        for (let turn = 0; turn < variants.length; turn++) {
          // Each is first, second, … equally often.
          const at = (turn + round + warmUpRounds) % variants.length;
          const agent = agents[at];
          if (agent === undefined) continue;
          const times: number[] = [];
          for (const container of containers) {
            times.push(...(await reportAll(agent.socketPath, 1, [container])));
            await Bun.sleep(pauseMs);
          }
          if (round >= 0)
            results[at]?.push({ medianMs: findMedian(times), slowMs: findQuantile(times, 0.9) });
        }
      });
    }
  } finally {
    for (const agent of agents) await agent.stop();
  }
  return toTable(results);
}

function toTable(results: readonly (readonly { medianMs: number; slowMs: number }[])[]): Table {
  const cells = (
    at: number,
    pick: (round: { medianMs: number; slowMs: number }) => number,
  ): readonly string[] => {
    const own = results[at] ?? [];
    const ratios = own.map((round, n) => pick(round) / pick(results[0]?.[n] ?? round));
    return [findMedian(own.map(pick)).toFixed(2), findMedian(ratios).toFixed(2)];
  };
  return {
    title: "What enforcement costs a hook call",
    columns: ["agent", "call ms", "ratio", "p90 ms", "ratio"],
    rows: variants.map((name, at) => [
      name,
      ...cells(at, ({ medianMs }) => medianMs),
      ...cells(at, ({ slowMs }) => slowMs),
    ]),
    notes: [
      `RuntimeHook calls for new containers, each over a connection of its own and ${pauseMs} ms after the one before. Medians of ${rounds} rounds, in each of which every agent has ${perRound} calls, in turns; a ratio is the median of the rounds' own ratios to the first line. Each agent has 10 policies about all of the containers, with hooks on two system calls or without hooks.`,
    ],
  };
}
