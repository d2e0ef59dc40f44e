// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createActor, SimulatedClock } from "xstate";
import { createTableLogic } from "../runners/actor-logic.ts";
import type { NriSessionEvent } from "./session-logic.ts";
import { nriSessionMachine } from "./session-machine.ts";

describe.each(["by XState", "by the table"] as const)("the NRI session machine, %s:", (way) => {
  function start(isLaunched = false) {
    const done: string[] = [];
    const note = (name: string) => () => void done.push(name);
    const clock = new SimulatedClock();
    const machine = nriSessionMachine.provide({
      actions: {
        dial: note("dial"),
        register: note("register"),
        disconnect: note("disconnect"),
        reportServing: note("reportServing"),
        reportLost: note("reportLost"),
        reportUnsynchronized: note("reportUnsynchronized"),
        reportStopped: note("reportStopped"),
      },
    });
    const options = { input: { isLaunched }, clock };
    const actor =
      way === "by XState" ? createActor(machine, options) : createActor(createTableLogic(machine), options);
    actor.start();
    const send = (...types: readonly NriSessionEvent["type"][]): void => {
      for (const type of types) {
        actor.send(type === "connection.lost" ? { type, reason: "gone" } : { type });
      }
    };
    /** The innermost state. */
    const state = (): string => JSON.stringify(actor.getSnapshot().value).match(/(\w+)"?\}*$/)?.[1] ?? "";
    return { actor, clock, done, send, state };
  }

  describe("the way to serving", () => {
    for (const [name, events] of [
      ["in the usual order", ["dialed", "registered", "configured", "synchronized"]],
      [
        "configured before the registration is answered",
        ["dialed", "configured", "registered", "synchronized"],
      ],
      [
        "synchronized before the registration is answered",
        ["dialed", "configured", "synchronized", "registered"],
      ],
    ] as const) {
      test(name, () => {
        const { send, state, done } = start();
        send(...events);
        expect(state()).toBe("serving");
        expect(done).toEqual(["dial", "register", "reportServing"]);
      });
    }
  });

  test("each step is a state of its own, in either order", () => {
    const { send, state } = start();
    const seen = (["dialed", "configured", "registered", "synchronized"] as const).map((event) => {
      send(event);
      return state();
    });
    expect(seen).toEqual(["registering", "registering", "synchronizing", "serving"]);
  });

  test("a new connection waits for its own configuration", () => {
    const { send, state } = start();
    send("dialed", "configured", "registered", "connection.lost", "socket.changed", "dialed", "registered");
    expect(state()).toBe("configuring");
  });

  describe("a connection that is lost", () => {
    const before: readonly (readonly NriSessionEvent["type"][])[] = [
      [],
      ["dialed"],
      ["dialed", "registered"],
      ["dialed", "registered", "configured", "synchronized"],
    ];
    for (const events of before) {
      test(`after ${events.at(-1) ?? "nothing"} is dialled again after a pause`, () => {
        const { send, state, clock, done, actor } = start();
        send(...events, "connection.lost");
        expect(state()).toBe("backingOff");
        expect(actor.getSnapshot().context.lostReason).toBe("gone");
        expect(done.slice(-2)).toEqual(["disconnect", "reportLost"]);
        clock.increment(25);
        expect(state()).toBe("dialing");
        expect(done.filter((name) => name === "dial")).toHaveLength(2);
      });
    }

    test("is dialled again at once when the socket changes", () => {
      const { send, state } = start();
      send("connection.lost", "socket.changed");
      expect(state()).toBe("dialing");
    });

    test("ends the session of a launched plugin", () => {
      const { send, actor, done } = start(true);
      send("dialed", "registered", "configured", "synchronized", "connection.lost");
      expect(actor.getSnapshot().status).toBe("done");
      expect(done.at(-1)).toBe("reportStopped");
    });
  });

  test("the pause grows to 150 ms, and is 25 ms again after a session that served", () => {
    const { send, clock, state } = start();
    const pause = (): number => {
      let ms = 0;
      while (state() === "backingOff" && ms < 1000) {
        clock.increment(1);
        ms++;
      }
      return ms;
    };
    const pauses = Array.from({ length: 5 }, () => {
      send("connection.lost");
      return pause();
    });
    expect(pauses).toEqual([25, 50, 100, 150, 150]);
    send("dialed", "registered", "configured", "synchronized", "connection.lost");
    expect(pause()).toBe(25);
  });

  describe("a plugin that is configured and not synchronized", () => {
    const fail = ["dialed", "registered", "configured", "connection.lost"] as const;

    test("is in a state of its own, with the reason, until it serves", () => {
      const { send, state, clock, done, actor } = start();
      send(...fail);
      expect(state()).toBe("unsynchronized");
      expect(done.slice(-2)).toEqual(["disconnect", "reportUnsynchronized"]);
      expect(actor.getSnapshot().context).toMatchObject({ isUnsynchronized: true, lostReason: "gone" });
      clock.increment(150);
      expect(state()).toBe("dialing");
      expect(actor.getSnapshot().context.isUnsynchronized).toBe(true);
      send("dialed", "registered", "configured", "synchronized");
      expect(state()).toBe("serving");
      expect(actor.getSnapshot().context.isUnsynchronized).toBe(false);
    });

    test("is in it also where the runtime keeps the connection and sends nothing more", () => {
      const { send, state, clock, actor } = start();
      send("dialed", "configured", "registered");
      clock.increment(10_000);
      expect(state()).toBe("unsynchronized");
      expect(actor.getSnapshot().context.lostReason).toBe("the runtime did not finish the handshake in time");
    });

    test("leaves it when the runtime is gone", () => {
      const { send, state, clock, actor } = start();
      send(...fail);
      clock.increment(150);
      send("connection.lost");
      expect(state()).toBe("backingOff");
      expect(actor.getSnapshot().context.isUnsynchronized).toBe(false);
      clock.increment(25);
      expect(state()).toBe("dialing");
    });

    test("reconnects after 150 ms, then at growing intervals up to 5 s, and at once when the socket changes", () => {
      const { send, state, clock } = start();
      const pauses = Array.from({ length: 8 }, () => {
        send(...fail);
        let ms = 0;
        for (; state() === "unsynchronized"; ms += 50) clock.increment(50);
        return ms;
      });
      expect(pauses).toEqual([150, 300, 600, 1200, 2400, 4800, 5000, 5000]);
      send(...fail, "socket.changed");
      expect(state()).toBe("dialing");
    });

    test("stops where the runtime launched it", () => {
      const { send, actor, done } = start(true);
      send(...fail);
      expect(actor.getSnapshot().status).toBe("done");
      expect(done.slice(-2)).toEqual(["reportUnsynchronized", "reportStopped"]);
    });
  });

  test("a handshake that does not finish ends after ten seconds, with the reason", () => {
    const { send, clock, state, actor } = start();
    send("dialed", "registered");
    clock.increment(9_999);
    expect(state()).toBe("configuring");
    clock.increment(1);
    expect(state()).toBe("backingOff");
    expect(actor.getSnapshot().context.lostReason).toBe("the runtime did not finish the handshake in time");
  });

  test("a session that serves has no time limit", () => {
    const { send, clock, state } = start();
    send("dialed", "registered", "configured", "synchronized");
    clock.increment(1_000_000);
    expect(state()).toBe("serving");
  });

  test("it stops from every state, and disconnects where it was connected", () => {
    for (const events of [
      [],
      ["dialed"],
      ["connection.lost"],
      ["dialed", "configured", "synchronized"],
    ] as const) {
      const { send, actor, done } = start();
      send(...events, "stop");
      expect(actor.getSnapshot().status).toBe("done");
      expect(done).toContain("disconnect");
      expect(done.at(-1)).toBe("reportStopped");
    }
  });
});
