// SPDX-License-Identifier: Apache-2.0
// An error that no one foresaw is a failure like any other: failCheck decides.

import { expect, test } from "bun:test";
import { resolveFlags } from "@rthooks/flags";
import { hookFlags, loadFailRules, parseAgentAddress } from "@rthooks/hold";
import { openSystem, type System } from "@rthooks/sys";
import { createContainer } from "./create-container.ts";

const real = await openSystem();

async function run(namespace: string, broken: Partial<System>) {
  const lines: { readonly msg: string; readonly err: unknown }[] = [];
  let stderr = "";
  const state = { id: "c", bundle: "/b", annotations: { "io.kubernetes.pod.namespace": namespace } };
  const spec = { annotations: state.annotations, linux: { cgroupsPath: "/a/b" } };
  const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const startedAtMs = performance.now();
  const system: System = {
    ...real,
    // The deadline counts from the start of the process, which for the hook is the start of all.
    monotonicMs: () => performance.now() - startedAtMs,
    readStdin: () => encode(state),
    readRegularFile: () => ({ ok: true, value: encode(spec) }),
    writeStderr: (text) => {
      stderr += text;
    },
    ...broken,
  };
  const config = resolveFlags(hookFlags, { "grpc-timeout": 50, "grpc-timeout-allowed": 50 });
  const address = parseAgentAddress("unix:///nowhere/agent.sock");
  const rules = await loadFailRules(config);
  if (!address.ok || !rules.ok) throw new Error("the test's own configuration is wrong");
  const log = {
    path: "/log",
    write: async (_level: string, msg: string, fields: Readonly<Record<string, unknown>>) => {
      lines.push({ msg, err: fields["err"] });
    },
  };
  const starts = await createContainer({
    system,
    config,
    address: address.value,
    rules: rules.value,
    log,
    userAgent: "t",
    podEnvironment: undefined,
  });
  return { starts, lines, stderr };
}

const boom = (): never => {
  throw new Error("boom");
};

const breakages: readonly { readonly what: string; readonly broken: Partial<System> }[] = [
  { what: "reading the spec", broken: { readRegularFile: boom } },
  { what: "connecting", broken: { connectUnix: boom } },
  {
    what: "waiting",
    broken: {
      connectUnix: () => ({
        ok: false,
        error: { call: "connect", subject: "", code: "ENOENT", message: "" },
      }),
      sleep: boom,
    },
  },
];

for (const { what, broken } of breakages) {
  test(`${what} throws: a container of another namespace fails, with the reason`, async () => {
    const { starts, lines, stderr } = await run("shop", broken);
    expect(starts).toBe(false);
    expect(lines.map(({ msg }) => msg)).toEqual(["hook request to the agent failed", "failing container"]);
    expect(lines[0]?.err).toBe("internal error: boom");
    expect(stderr).toStartWith("failing container: internal error: boom.");
  });

  test(`${what} throws: a container of kube-system starts`, async () => {
    const { starts, lines } = await run("kube-system", broken);
    expect(starts).toBe(true);
    expect(lines).toHaveLength(2);
  });
}

test("reading standard input throws: nothing is known of the container, so it fails", async () => {
  expect((await run("kube-system", { readStdin: boom })).starts).toBe(false);
});

test("what the runtime is told of a refusal holds nothing that a terminal obeys, and is one line", async () => {
  const hostile = "\u001b[2J\u009b1m\u202e\nfaked line";
  const error = { call: "open", subject: "", code: "EACCES", message: hostile } as const; // const: a known code
  const { starts, stderr } = await run("shop", { readRegularFile: () => ({ ok: false, error }) });
  expect(starts).toBe(false);
  expect(stderr).toMatch(/^[ -~]+\n$/);
  expect(stderr).toContain("\\u001b[2J\\u009b1m\\u202e\\u000afaked line");
});
