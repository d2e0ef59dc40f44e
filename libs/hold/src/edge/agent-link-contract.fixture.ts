// SPDX-License-Identifier: Apache-2.0
// The contract of AgentLink: one suite, which the tests of each link run against a grpc-js server.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HookEvent } from "@rthooks/machines/hook";
import { type MaybePromise, openSystem } from "@rthooks/sys";
import { type AgentAddress, parseAgentAddress } from "../core/agent-address.ts";
import type { AgentLink } from "./agent-link.ts";
import type { CallDescription } from "./contract-agent.fixture.ts";

export interface LinkUnderTest {
  readonly link: AgentLink;
  /** Releases what stays open beyond the link's own attempts. */
  close(): void;
}

/** `open`: a link whose clock is `monotonicMs` of @rthooks/sys' System. */
export function describeAgentLink(
  name: string,
  kinds: readonly AgentAddress["kind"][],
  open: (address: AgentAddress) => MaybePromise<LinkUnderTest>,
): void {
  describe.each([...kinds])(`the agent link ${name} over %s`, (kind) => {
    let directory = "";
    let agent: ContractAgent;
    let opened: LinkUnderTest;
    let link: AgentLink;
    let nowMs: () => number;
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "rthooks-link-"));
      agent = await startAgent(kind === "unix" ? `unix://${join(directory, "agent.sock")}` : `${TCP_HOST}:0`);
      opened = await open(toAddress(agent.target));
      link = opened.link;
      const system = await openSystem();
      nowMs = () => system.monotonicMs();
    });
    afterAll(async () => {
      link.disconnect();
      opened.close();
      await agent.stop();
      rmSync(directory, { recursive: true });
    });

    const connect = (method: string, call: Partial<CallOptions> = {}): HookEvent | undefined =>
      link.connect({
        path: `/contract.Agent/${method}`,
        message: call.message ?? new Uint8Array([1, 2, 3]),
        userAgent: "contract/1",
        isTrusted: call.isTrusted ?? false,
        deadlineAtMs: nowMs() + BUDGET_MS,
      });

    /** What ends the attempt that is under way. */
    const findEnd = async (): Promise<HookEvent | undefined> => {
      let event = await link.wait(nowMs() + BUDGET_MS);
      if (event?.type === "agent.ready") event = await link.wait(nowMs() + BUDGET_MS);
      return event;
    };

    const attempt = async (method: string, call?: Partial<CallOptions>): Promise<HookEvent | undefined> =>
      connect(method, call) ?? (await findEnd());

    /** Tries again while the connection is not there yet, as the hook does. */
    const reach = async (method: string, call?: Partial<CallOptions>): Promise<HookEvent | undefined> => {
      for (;;) {
        const event = await attempt(method, call);
        if (event?.type !== "agent.lost") return event;
        link.disconnect();
        if (agent.hasExited()) throw new Error("the agent of this test has ended");
        // One of the links blocks the thread.
        await Bun.sleep(5);
      }
    };

    const readAnswer = async (method: string, call?: Partial<CallOptions>): Promise<unknown> => {
      expect(await reach(method, call)).toEqual({ type: "answer.ok" });
      return JSON.parse(new TextDecoder().decode(link.response));
    };
    const describeCall = async (call?: Partial<CallOptions>): Promise<CallDescription> =>
      // The cast: the contract's own agent writes it.
      (await readAnswer("Describe", call)) as CallDescription;

    test("the agent gets the user agent, and a deadline that is not before the caller's", async () => {
      const startedMs = Date.now();
      const { userAgent, deadlineMs } = await describeCall();
      expect(userAgent).toStartWith("contract/1");
      expect(deadlineMs ?? 0).toBeGreaterThan(startedMs + BUDGET_MS / 2);
    });

    test.each([true, false])(
      "the header of a trusted sender is sent as the call says: %p",
      async (isTrusted) => {
        expect((await describeCall({ isTrusted })).trusted).toEqual(isTrusted ? ["1"] : []);
      },
    );

    test.each([0, 1, 20_000, 3_000_000])("a message of %d bytes arrives whole", async (bytes) => {
      const message = Uint8Array.from({ length: bytes }, (_, at) => (at * 7) % 251);
      expect(await describeCall({ message })).toMatchObject({
        messageBytes: bytes,
        messageHash: Bun.hash(message).toString(16),
      });
    });

    test("an agent that refuses is an answer, in the words of Go's client", async () => {
      expect(await reach("Refuse")).toEqual({
        type: "answer.failed",
        failure: {
          kind: "refused",
          reason: "rpc error: code = FailedPrecondition desc = not this one: é",
        },
      });
    });

    test("an agent without the method is an answer", async () => {
      expect(await reach("Nothing")).toMatchObject({
        type: "answer.failed",
        failure: { kind: "refused", reason: expect.stringContaining("code = Unimplemented") },
      });
    });

    test("UNAVAILABLE is an agent that is lost", async () => {
      await describeCall();
      expect(await attempt("Unavailable")).toEqual({ type: "agent.lost" });
    });

    test("an agent that says nothing is no event", async () => {
      await describeCall();
      expect(connect("Silent")).toBeUndefined();
      const first = await link.wait(nowMs() + 50);
      expect([undefined, "agent.ready"]).toContain(first?.type);
      if (first !== undefined) expect(await link.wait(nowMs() + 50)).toBeUndefined();
      link.disconnect();
    });

    test("a disconnected attempt is canceled at the agent, and waiting is a pause then", async () => {
      const before = Number(await readAnswer("CountCanceled"));
      // An attempt that ends before the agent has the call leaves nothing to cancel there.
      do {
        expect(connect("Silent")).toBeUndefined();
        await link.wait(nowMs() + 50);
        link.disconnect();
        expect(await link.wait(nowMs() + 20)).toBeUndefined();
      } while (Number(await readAnswer("CountCanceled")) === before);
    });

    test("a new attempt ends the one before, which brings no event then", async () => {
      await describeCall();
      expect(connect("Refuse")).toBeUndefined();
      expect(await attempt("Describe")).toEqual({ type: "answer.ok" });
      expect(await link.wait(nowMs() + 20)).toBeUndefined();
    });

    test("an agent that dies during a call is lost, and so is one that is not there; one in its place is found", async () => {
      expect(await attempt("Die")).toEqual({ type: "agent.lost" });
      await agent.exited;
      expect(await attempt("Describe")).toEqual({ type: "agent.lost" });
      link.disconnect();
      agent = await startAgent(agent.target);
      await describeCall();
    });
  });
}

/** Not 127.0.0.1, where another program may take the port while the agent is away. */
const TCP_HOST = "127.86.19.4";

/** So long that no test comes near it. */
const BUDGET_MS = 60_000;

interface CallOptions {
  readonly message: Uint8Array;
  readonly isTrusted: boolean;
}

interface ContractAgent {
  /** "unix:///path", "127.0.0.2:12345" */
  readonly target: string;
  readonly exited: Promise<number>;
  hasExited(): boolean;
  stop(): Promise<unknown>;
}

/** With port 0 at any port. */
async function startAgent(target: string): Promise<ContractAgent> {
  if (target.startsWith("unix://")) rmSync(target.slice("unix://".length), { force: true });
  const script = Bun.fileURLToPath(new URL("./contract-agent.fixture.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script, target], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  if (value === undefined) throw new Error(`the agent of this test does not listen on ${target}`);
  return {
    target: new TextDecoder().decode(value).trim(),
    exited: child.exited,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => {
      child.kill();
      return child.exited;
    },
  };
}

function toAddress(target: string): AgentAddress {
  const address = parseAgentAddress(target);
  if (!address.ok) throw new Error(address.error);
  return address.value;
}
