// SPDX-License-Identifier: Apache-2.0
// Runs the session machine and performs its actions on a real connection.

import { performance } from "node:perf_hooks";
import type { Logger } from "@rthooks/log";
import { createTableLogic } from "@rthooks/machines/actor-logic";
import type { Inspect } from "@rthooks/machines/inspection";
import { nriSessionMachine } from "@rthooks/machines/nri";
import {
  type NriConnection,
  type NriHandlers,
  type NriPort,
  openNriConnection,
  type TtrpcStatus,
} from "@rthooks/nri";
import { createActor } from "xstate";
import { dialSocket, openInherited, type StreamEvents } from "./byte-streams.ts";
import { watchSocket } from "./watch-socket.ts";

/** A socket to connect to, or the file descriptor that a launched plugin inherits from the runtime. */
export type Transport =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "launched"; readonly fd: number };

export interface SessionSetup {
  readonly transport: Transport;
  readonly name: string;
  readonly index: string;
  readonly log: Logger;
  readonly handlers: Omit<NriHandlers, "closed" | "tooLarge">;
  readonly inspect?: Inspect | undefined;
  onServing(): void;
  /** It connects again. */
  onReconnect(): void;
  /** One sentence on why the runtime sends no events; empty once it does. */
  onProblem(problem: string): void;
  /** The session has ended and is not started again. */
  onStopped(reason: string): void;
}

export interface Session {
  configured(): void;
  synchronized(): void;
  isServing(): boolean;
  /** The machine's state. */
  state(): string;
  /** Configured by the runtime but not synchronized, so that it sends no events. */
  isUnsynchronized(): boolean;
  stop(): void;
}

/** Interval of the check for a message that stopped in the middle. */
const STALL_CHECK_MS = 1000;

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0;

export function startSession(setup: SessionSetup): Session {
  const { transport, log } = setup;
  let connection: NriConnection | undefined;
  let hasLoggedLoss = false;
  let hasDialed = false;

  const tooLarge = ({ message }: TtrpcStatus): void =>
    log.warn("container or pod denied: its NRI event is too large", {
      reason: "too-large",
      err: message,
    });

  /** Events of a closed connection are ignored. */
  const dial = (): void => {
    if (hasDialed) setup.onReconnect();
    hasDialed = true;
    let mine: NriConnection | undefined;
    const lose = (reason: string): void => {
      if (connection === mine) actor.send({ type: "connection.lost", reason });
    };
    const events: StreamEvents = {
      opened: () => actor.send({ type: "dialed" }),
      received: (bytes) => mine?.receive(bytes),
      ended: (reason) => mine?.close(reason),
    };
    const port: NriPort =
      transport.kind === "socket" ? dialSocket(transport.path, events) : openInherited(transport.fd, events);
    mine = openNriConnection(port, { ...setup.handlers, tooLarge, closed: lose }, () => performance.now());
    connection = mine;
  };

  const register = async (): Promise<void> => {
    const mine = connection;
    const answer = await mine?.register(setup.name, setup.index);
    if (mine === undefined || mine !== connection || answer === undefined) return;
    if (answer.ok) actor.send({ type: "registered" });
    // The runtime keeps the connection open but never configures the plugin.
    else mine.close(`the runtime refused the registration: ${answer.error.message}`);
  };

  const stallCheck = setInterval(() => connection?.endStalled(), STALL_CHECK_MS);
  stallCheck.unref();

  const watcher =
    transport.kind === "socket"
      ? watchSocket(transport.path, () => actor.send({ type: "socket.changed" }))
      : undefined;

  const machine = nriSessionMachine.provide({
    actions: {
      dial: () => dial(),
      register: () => void register(),
      disconnect: () => {
        const mine = connection;
        connection = undefined;
        mine?.close("left");
      },
      reportServing: () => {
        hasLoggedLoss = false;
        log.info("serving", { plugin: `${setup.index}-${setup.name}` });
        setup.onServing();
        setup.onProblem("");
      },
      reportLost: ({ context }) => {
        watcher?.renew();
        const fields = { err: context.lostReason };
        if (hasLoggedLoss) log.debug("no session with the runtime", fields);
        else
          log.warn(
            "no session with the runtime; containers start unheld until the plugin reconnects",
            fields,
          );
        hasLoggedLoss = true;
        setup.onProblem(`no session with the runtime (${context.lostReason}): containers start unheld`);
      },
      reportUnsynchronized: ({ context }) => {
        watcher?.renew();
        const fields = {
          err: context.lostReason,
          attempts: context.attempts,
          remedy:
            'search the runtime\'s log for "synchronize"; most often the containers of this node are too large for an ' +
            "NRI synchronization: remove the largest, those with the most environment variables",
        };
        // This repeats until a container ends, so that it is logged at growing intervals.
        const level = isPowerOfTwo(context.attempts) ? "error" : "debug";
        log[level]("the runtime did not synchronize this plugin; containers start unheld", fields);
        setup.onProblem(
          `the runtime did not synchronize the NRI plugin (${context.lostReason}): containers start unheld`,
        );
      },
      reportStopped: ({ context }) => {
        clearInterval(stallCheck);
        watcher?.close();
        setup.onStopped(context.lostReason ?? "stopped");
      },
    },
  });
  const actor = createActor(createTableLogic(machine), {
    id: "nriSession",
    input: { isLaunched: transport.kind === "launched" },
    ...(setup.inspect === undefined ? {} : { inspect: setup.inspect }),
  });
  actor.start();

  return {
    configured: () => actor.send({ type: "configured" }),
    synchronized: () => actor.send({ type: "synchronized" }),
    state: () => actor.getSnapshot().state,
    isServing: () => actor.getSnapshot().state === "serving",
    isUnsynchronized: () => actor.getSnapshot().context.isUnsynchronized,
    stop: () => actor.send({ type: "stop" }),
  };
}
