// SPDX-License-Identifier: Apache-2.0
// Generated answers of an agent, each given to the built hook.
import { afterAll, expect, test } from "bun:test";
import type { Socket } from "node:net";
import fc from "fast-check";
import { badAgents, frame, startRawAgent } from "../harness/fake-agents.ts";
import { containerdAnnotations, createSpec, renderState, runHook, writeSpec } from "../harness/hook.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { expectCivil } from "./verdict.ts";

const workspace = createWorkspace("wire");
const lanes = 6;
const deadlineMs = 80;
let runs = 0;
afterAll(() => {
  console.log(`hostile agents: ${runs} processes`);
  return workspace.close();
});

const state = renderState(
  writeSpec(
    workspace.path("bundle"),
    createSpec(containerdAnnotations({ uid: "u", namespace: "shop", name: "web-0" })),
  ),
);

function runAgainst(socketPath: string, limitMs = deadlineMs) {
  runs++;
  return runHook(
    [
      ...["createRuntime", "--log-fname", workspace.path("hook.log")],
      ...["--grpc-address", `unix://${socketPath}`, "--grpc-timeout", `${limitMs}ms`],
    ],
    { stdin: state },
  );
}

// RFC 7541 §6.2.2: a literal without indexing with a new name.
const literal = (name: string, value: string) => [
  0,
  name.length,
  ...Buffer.from(name),
  value.length,
  ...Buffer.from(value),
];
const status200 = 0x88;
const contentType = literal("content-type", "application/grpc");
const pieces = {
  settings: frame(4, 0, 0),
  settingsAck: frame(4, 1, 0),
  zeroWindow: frame(4, 0, 0, [0, 4, 0, 0, 0, 0]),
  hugeWindow: frame(4, 0, 0, [0, 4, 0xff, 0xff, 0xff, 0xff]),
  tableSize: frame(4, 0, 0, [0, 1, 0, 0, 0, 0]),
  ping: frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]),
  shortPing: frame(6, 0, 0, [1]),
  headers: frame(1, 4, 1, [status200, ...contentType]),
  http503: frame(1, 5, 1, [0x0e]),
  data: frame(0, 0, 1, [0, 0, 0, 0, 0]),
  paddedData: frame(0, 8, 1, [2, 0, 0, 0, 0, 0, 0, 0]),
  overPadded: frame(0, 8, 1, [255, 0]),
  hugeMessage: frame(0, 0, 1, [0, 0x7f, 0xff, 0xff, 0xff]),
  compressed: frame(0, 0, 1, [1, 0, 0, 0, 0]),
  endWithoutStatus: frame(0, 1, 1),
  refusal: frame(1, 5, 1, literal("grpc-status", "7")),
  wordsForStatus: frame(1, 5, 1, literal("grpc-status", "zero")),
  continuation: frame(9, 0, 1, [0x88]),
  pushPromise: frame(5, 4, 1, [0, 0, 0, 2, 0x88]),
  goAway: frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]),
  reset: frame(3, 0, 1, [0, 0, 0, 8]),
  zeroIncrement: frame(8, 0, 0, [0, 0, 0, 0]),
  overflow: frame(8, 0, 0, [0x7f, 0xff, 0xff, 0xff]),
  ok: frame(1, 5, 1, literal("grpc-status", "0")),
};

type Piece = keyof typeof pieces;
const names = Object.keys(pieces).filter((name): name is Piece => name in pieces && name !== "ok");
const randomFrame = fc
  .tuple(
    fc.nat(255),
    fc.nat(255),
    fc.constantFrom(0, 1, 1, 2, 3, 0x7fffffff),
    fc.uint8Array({ maxLength: 40 }),
  )
  .map(([type, flags, streamId, payload]) => frame(type, flags, streamId, [...payload]));
const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...names).map((name) => pieces[name]) },
  { weight: 2, arbitrary: randomFrame },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...names), fc.nat(20))
      .map(([name, cut]) => pieces[name].subarray(0, cut)),
  },
);

interface Script {
  readonly parts: readonly Buffer[];
  readonly ending: "stay" | "end" | "destroy";
  /** Bytes a write, so that frames are cut anywhere. */
  readonly chunk: number;
}

const script: fc.Arbitrary<Script> = fc.record({
  parts: fc
    .tuple(fc.boolean(), fc.array(part, { maxLength: 8 }))
    .map(([polite, parts]) => (polite ? [pieces.settings, pieces.settingsAck, ...parts] : parts)),
  ending: fc.constantFrom("stay", "end", "destroy"),
  chunk: fc.constantFrom(1, 3, 9, 10, 64, 100_000),
});

function play({ parts, ending, chunk }: Script): (socket: Socket) => void {
  const bytes = Buffer.concat(parts);
  return (socket) => {
    for (let at = 0; at < bytes.length; at += chunk) socket.write(bytes.subarray(at, at + chunk));
    if (ending === "end") socket.end();
    if (ending === "destroy") setTimeout(() => socket.destroy(), 5);
  };
}

test("an agent that never says OK starts no container, whatever it sends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: lanes, maxLength: lanes }), async (scripts) => {
      await Promise.all(
        scripts.map(async (one) => {
          const result = await runAgainst(await startRawAgent(workspace, play(one)));
          expectCivil(result);
          expect(result.exitCode).toBe(1);
          expect(result.stderr).toContain("failing container: ");
        }),
      );
    }),
    { numRuns: 110 },
  );
}, 300_000);

test("the parts are good ones: put together in order they start a container, in chunks of any size", async () => {
  for (const chunk of [1, 3, 9, 100_000]) {
    const parts = [pieces.settings, pieces.settingsAck, pieces.headers, pieces.data, pieces.ok];
    const result = await runAgainst(
      await startRawAgent(workspace, play({ parts, ending: "stay", chunk })),
      5_000,
    );
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  }
});

test.each(Object.entries(badAgents).map(([name, behave]) => ({ name, behave })))(
  "an agent that is bad for long ends with the deadline: $name",
  async ({ behave }) => {
    const result = await runAgainst(await startRawAgent(workspace, behave), 600);
    expectCivil(result);
    expect(result.exitCode).toBe(1);
  },
  90_000,
);
