// SPDX-License-Identifier: Apache-2.0
import type { Action, Window } from "./attempt-log.ts";
import type { Stage } from "./stage.ts";
import { type ContainerOptions, type StartedContainer, startContainer } from "./start-container.ts";

export interface Scenario {
  readonly name: string;
  /** Beside its name in the plot. */
  readonly subtitle: string;
  /** Under the table. */
  readonly description: string;
  /** Containers of each action. */
  readonly containers: number;
  run(stage: Stage, wanted: readonly Action[], containers: number): Promise<readonly Window[]>;
}

/** Longer than anything that is expected to stop a container. */
const boundMs = 15_000;
const atOnce = 4;
const noHook = undefined;
const allowed = "shop-allowed";

/** Starts the containers, some at once, the actions in turns. */
async function runAll(
  stage: Stage,
  { wanted, containers, together }: { wanted: readonly Action[]; containers: number; together: number },
  options: Omit<ContainerOptions, "action">,
  follow: (container: StartedContainer) => Promise<void> = async () => {},
): Promise<readonly Window[]> {
  const waiting = Array.from({ length: containers }, () => wanted).flat();
  const windows: Window[] = [];
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (let action = waiting.pop(); action !== undefined; action = waiting.pop()) {
        const container = startContainer(stage, { ...options, action });
        await follow(container);
        windows.push(await container.ended);
      }
    }),
  );
  return windows;
}

/** The container runs, and the watch reports it some time later. */
const watched = (delayMs: number): Scenario["run"] =>
  async function run(stage, wanted, containers) {
    await stage.startAgent();
    const windows = await runAll(
      stage,
      { wanted, containers, together: atOnce },
      { hookFlags: noHook, boundMs },
      async (container) => {
        await container.seen;
        if (delayMs > 0) await Bun.sleep(delayMs);
        container.reportRunning();
      },
    );
    await stage.control.end();
    return windows;
  };

export const scenarios: readonly Scenario[] = [
  {
    name: "no agent",
    subtitle: "",
    description: "no agent, no hook: what the measurement finds without any enforcement",
    containers: 10,
    run: (stage, wanted, containers) =>
      runAll(stage, { wanted, containers, together: atOnce }, { hookFlags: noHook, boundMs: 200 }),
  },
  {
    name: "hook",
    subtitle: "agent up",
    description: "the hook holds the container, the agent is up",
    containers: 150,
    run: async (stage, wanted, containers) => {
      await stage.startAgent();
      const size = { wanted, containers, together: atOnce };
      const windows = await runAll(stage, size, { hookFlags: [], boundMs });
      await stage.control.end();
      return windows;
    },
  },
  {
    name: "hook, kills",
    subtitle: "agent killed and restarted",
    description: "the same, and the agent is killed and restarted all the time",
    containers: 150,
    run: async (stage, wanted, containers) => {
      await stage.startAgent();
      let isDone = false;
      const killing = (async () => {
        while (!isDone) {
          await Bun.sleep(100 + Math.random() * 400);
          await stage.killAgent();
          await stage.startAgent();
        }
      })();
      const size = { wanted, containers, together: atOnce };
      const windows = await runAll(stage, size, { hookFlags: [], boundMs }).finally(() => {
        isDone = true;
      });
      await killing;
      await stage.control.end();
      return windows;
    },
  },
  ...[0, 100, 1_000].map(
    (delayMs): Scenario => ({
      name: `watch, ${delayMs} ms`,
      subtitle: "no hook",
      description: `no hook; the API server reports the container ${delayMs} ms after its first attempt`,
      containers: 50,
      run: watched(delayMs),
    }),
  ),
  {
    name: "agent back",
    subtitle: "down at the start, allowed namespace",
    description:
      "the agent is down, the hook lets the containers of an allowed namespace go; the agent starts 500 ms later",
    containers: 50,
    run: async (stage, wanted, containers) => {
      const windows: Window[] = [];
      // Together: the agent is down for the whole batch.
      for (let left = containers; left > 0; left -= 2) {
        await stage.startAgent();
        await stage.killAgent();
        const hookFlags = ["--fail-allow-namespaces", allowed, "--grpc-timeout-allowed", "100ms"];
        const batch = wanted
          .flatMap((action) => [action, action].slice(0, left))
          .map((action) => startContainer(stage, { action, hookFlags, namespace: allowed, boundMs }));
        for (const container of batch) {
          await container.seen;
          container.reportRunning();
        }
        await Bun.sleep(500);
        await stage.startAgent();
        windows.push(...(await Promise.all(batch.map(({ ended }) => ended))));
        await stage.control.end();
      }
      return windows;
    },
  },
];
