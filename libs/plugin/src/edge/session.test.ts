// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeInspection } from "@rthooks/machines/inspection";
import { type Session, startSession } from "./session.ts";

test("an inspector gets each state of the session", async () => {
  const dir = mkdtempSync(join(tmpdir(), "rthooks-session-"));
  const walk: string[] = [];
  const ignore = () => {};
  const accept = () => ({ ok: true, value: undefined }) as const; // const: the tag
  try {
    await new Promise<string>((resolve) => {
      const session: Session = startSession({
        transport: { kind: "socket", path: join(dir, "nri.sock") },
        name: "tetragon",
        index: "10",
        log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
        handlers: {
          configure: () => ({ ok: true, value: 0 }),
          synchronize: accept,
          event: accept,
        },
        inspect(inspected) {
          const { actor, machine, type, what, state } = describeInspection(inspected);
          if (type === "@xstate.snapshot") walk.push(`${machine} ${actor} ${what} → ${state}`);
        },
        onReconnect: () => {},
        onServing: ignore,
        onProblem: () => session.stop(),
        onStopped: resolve,
      });
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  expect(walk).toEqual([
    "nriSession nriSession xstate.init → connected.handshaking.dialing",
    "nriSession nriSession connection.lost → backingOff",
    "nriSession nriSession stop → stopped",
  ]);
});
