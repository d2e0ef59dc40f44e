// SPDX-License-Identifier: Apache-2.0
// Runs the session machine: what it asks for, done with a real connection.

import { performance } from "node:perf_hooks";
import type { Logger } from "@rthooks/log";
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

/** A socket to dial, or the file descriptor that the runtime left to a plugin which it launched. */
export type Transport =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "launched"; readonly fd: number };

export interface SessionSetup {
  readonly transport: Transport;
  readonly name: string;
  readonly index: string;
  readonly log: Logger;
  readonly handlers: Omit<NriHandlers, "closed" | "tooLarge">;
  onServing(): void;
  /** One line for people on what keeps events from coming; empty once they come. */
  onProblem(problem: string): void;
  /** The session is over for good. */
  onStopped(reason: string): void;
}

export interface Session {
  configured(): void;
  synchronized(): void;
  isServing(): boolean;
  /** Configured by the runtime, and not synchronized: no event comes. */
  isUnsynchronized(): boolean;
  stop(): void;
}

/** How often a connection is checked for a message that does not go on. */
const STALL_CHECK_MS = 1000;

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0;

export function startSession(setup: SessionSetup): Session {
  const { transport, log } = setup;
  let connection: NriConnection | undefined;
  let hasSaidAway = false;

  const tooLarge = ({ message }: TtrpcStatus): void =>
    log.warn("container refused: its description is too large for an event", {
      reason: "too-large",
      err: message,
    });

  /** A connection that was given up has no say any more. */
  const dial = (): void => {
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
    // The runtime would leave the connection open and never go on.
    else mine.close(`the runtime refused the registration: ${answer.error.message}`);
  };

  const stallCheck = setInterval(() => connection?.endStalled(), STALL_CHECK_MS);
  stallCheck.unref();

  const watcher =
    transport.kind === "socket"
      ? watchSocket(transport.path, () => actor.send({ type: "socket.changed" }))
      : undefined;

  const actor = createActor(
    nriSessionMachine.provide({
      actions: {
        dial: () => dial(),
        register: () => void register(),
        disconnect: () => {
          const mine = connection;
          connection = undefined;
          mine?.close("left");
        },
        reportServing: () => {
          hasSaidAway = false;
          log.info("serving", { plugin: `${setup.index}-${setup.name}` });
          setup.onServing();
          setup.onProblem("");
        },
        reportLost: ({ context }) => {
          watcher?.renew();
          const fields = { err: context.lostBecause };
          if (hasSaidAway) log.debug("no session with the runtime", fields);
          else
            log.warn(
              "no session with the runtime; containers start without this plugin until it is back",
              fields,
            );
          hasSaidAway = true;
          setup.onProblem(`no session with the runtime (${context.lostBecause}): containers start unheld`);
        },
        reportUnsynchronized: ({ context }) => {
          watcher?.renew();
          const fields = {
            err: context.lostBecause,
            attempts: context.attempts,
            remedy:
              'look for "synchronize" in the runtime\'s log; most often the containers of this node are too large to be ' +
              "described in one message of NRI: remove the largest, those with the most environment variables",
          };
          // It goes on until a container ends: said at ever longer intervals.
          const level = isPowerOfTwo(context.attempts) ? "error" : "debug";
          log[level]("the runtime did not synchronize this plugin; containers start unheld", fields);
          setup.onProblem(
            `the runtime did not synchronize it (${context.lostBecause}): containers start unheld`,
          );
        },
        reportStopped: ({ context }) => {
          clearInterval(stallCheck);
          watcher?.close();
          setup.onStopped(context.lostBecause ?? "stopped");
        },
      },
    }),
    { input: { isLaunched: transport.kind === "launched" } },
  );
  actor.start();

  return {
    configured: () => actor.send({ type: "configured" }),
    synchronized: () => actor.send({ type: "synchronized" }),
    isServing: () => actor.getSnapshot().matches({ connected: "serving" }),
    isUnsynchronized: () => actor.getSnapshot().context.isUnsynchronized,
    stop: () => actor.send({ type: "stop" }),
  };
}
