// SPDX-License-Identifier: Apache-2.0
// TLS on the agent's TCP addresses: the built agent, with openssl, python3-grpcio, its own commands and the hook as clients.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createCerts } from "../harness/kube-certs.ts";
import { minimalEnv, runProcess } from "../harness/process.ts";
import { findAgent, findHook, findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import {
  createSecret,
  type Secret,
  startPython,
  startTlsAgent,
  type TlsAgent,
  toFiles,
  toTlsFlags,
  writeFiles,
} from "./tls.fixture.ts";

const workspace = createWorkspace("tls");
afterAll(() => workspace.close());

const ours = createCerts(workspace);
const foreign = createCerts(workspace);
const none = { cert: "", key: "" };

describe("with client certificates", () => {
  const client = writeFiles(workspace, ours);
  const stranger = { ...writeFiles(workspace, foreign), ca: client.ca };
  const metricsSocket = workspace.path("metrics.sock");
  let agent: TlsAgent;
  beforeAll(async () => {
    const secret = createSecret(workspace);
    secret.write(toFiles(ours, ours));
    const flags = [...toTlsFlags(secret, true), "--metrics-server", `unix://${metricsSocket}`];
    agent = await startTlsAgent(workspace, flags);
  });
  const callOnce = (files: typeof client, method = "GetVersion") =>
    startPython(workspace, agent.tcp, files).call(method);
  const status = (...flags: readonly string[]) =>
    runProcess([findAgent(), "status", "-o", "json", "--server-address", agent.tcp, ...flags]);
  const tlsFlags = (files: typeof client): readonly string[] => [
    ...["--tls-ca-cert-files", files.ca, "--tls-cert-file", files.cert, "--tls-key-file", files.key],
  ];

  test("a client whose certificate the authority has signed is served, also changes", async () => {
    expect(await callOnce(client)).toBe("OK");
    // The request is empty: it is refused for what is in it.
    expect(await callOnce(client, "AddTracingPolicy")).not.toMatch(/PERMISSION_DENIED|UNAVAILABLE/);
  });

  test.each([
    { what: "without a certificate", files: { ...client, ...none } },
    { what: "with a certificate of another authority", files: stranger },
  ])("a client $what is refused", async ({ files }) => {
    expect(await callOnce(files)).toBe("UNAVAILABLE");
  });

  test("a client without TLS is refused", async () => {
    const { exitCode, stderr } = await status();
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`cannot reach the agent at ${agent.tcp}`);
  });

  test("the agent's own commands are clients", async () => {
    const { stdout, stderr } = await status(...tlsFlags(client));
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ health: "running" });
    expect((await status(...tlsFlags(stranger))).exitCode).toBe(1);
    const named = await status(...tlsFlags(client), "--tls-server-name=elsewhere");
    expect(named.exitCode).toBe(1);
    const skipping = ["--tls-skip-verify", "--tls-cert-file", client.cert, "--tls-key-file", client.key];
    expect((await status(...skipping)).exitCode).toBe(0);
  });

  test("a command that is loaded on demand is a client: the agent answers that it has no events", async () => {
    const flags = ["--server-address", agent.tcp, ...tlsFlags(client)];
    const { exitCode, stderr } = await runProcess([findAgent(), "events", "-o", "json", ...flags]);
    expect(stderr).toContain("GetEvents: the agent has no events: start it with --enable-policy-filter");
    expect(exitCode).toBe(1);
  });

  test("the hook is a client", async () => {
    const { exitCode, stdout, stderr } = await runProcess(
      [
        ...[findHook(), "server-version", `--grpc-address=tls://${agent.tcp}`, "--tls-ca-file", client.ca],
        ...["--tls-cert-file", client.cert, "--tls-key-file", client.key],
        ...["--log-fname", workspace.path("hook.log")],
      ],
      { env: minimalEnv },
    );
    expect({ exitCode, stderr, said: stdout.trim() !== "" }).toEqual({ exitCode: 0, stderr: "", said: true });
  });

  test.each([
    { version: "-tls1", isServed: false },
    { version: "-tls1_1", isServed: false },
    { version: "-tls1_2", isServed: true },
    { version: "-tls1_3", isServed: true },
  ])("openssl with $version: served $isServed", async ({ version, isServed }) => {
    const { stdout } = await runProcess([
      ...[findTool("openssl"), "s_client", "-connect", agent.tcp, version, "-alpn", "h2"],
      ...["-cipher", "ALL:@SECLEVEL=0", "-cert", client.cert, "-key", client.key],
    ]);
    expect(stdout.includes("Cipher is (NONE)")).toBe(!isServed);
  });

  test("the agent reaches itself without a certificate: it serves", async () => {
    const metrics = await (await fetch("http://agent/metrics", { unix: metricsSocket })).text();
    expect(metrics).toContain('tetragon_health_serving{service="liveness"} 1');
    expect(metrics).toContain('tetragon_health_serving{service="readiness"} 1');
    expect(agent.process.stderr()).not.toContain("neither TLS nor authentication");
  });
});

describe("without client certificates", () => {
  test("every client that trusts the agent's authority is served what changes nothing", async () => {
    const secret = createSecret(workspace);
    secret.write(toFiles(ours, ours));
    const agent = await startTlsAgent(workspace, toTlsFlags(secret, false));
    const client = startPython(workspace, agent.tcp, { ca: ours.caPath, ...none });
    expect(await client.call("GetVersion")).toBe("OK");
    expect(await client.call("AddTracingPolicy")).toBe("PERMISSION_DENIED");
    expect(await startPython(workspace, agent.tcp, { ca: foreign.caPath, ...none }).call("GetVersion")).toBe(
      "UNAVAILABLE",
    );
    expect(agent.process.stderr()).toContain("the agent's TCP address has no authentication");
  });
});

describe("certificates that change", () => {
  let secret: Secret;
  let agent: TlsAgent;
  const lines = (message: string): number => agent.process.stderr().split(`"msg":"${message}"`).length - 1;
  const former = writeFiles(workspace, ours);
  const next = writeFiles(workspace, foreign);
  beforeAll(async () => {
    secret = createSecret(workspace);
    secret.write(toFiles(ours, ours));
    agent = await startTlsAgent(workspace, toTlsFlags(secret, true));
  });

  test("new connections have the new ones, connections that are open go on, a broken file changes nothing", async () => {
    const before = startPython(workspace, agent.tcp, former);
    expect(await before.call("GetVersion")).toBe("OK");

    secret.write({ ...toFiles(ours, ours), "tls.crt": "nothing" });
    await waitFor("the agent refuses the file", () => lines("the certificate in use stays") === 1);
    expect(agent.process.stderr()).toContain("tls.crt has no certificate in PEM");
    expect(await startPython(workspace, agent.tcp, former).call("GetVersion")).toBe("OK");
    expect((await agent.status()).stderr).toContain("was not renewed");

    secret.write(toFiles(foreign, foreign));
    await waitFor("the agent has the new ones", () => lines("certificates renewed") === 1);
    expect(await before.call("GetVersion")).toBe("OK");
    expect(await startPython(workspace, agent.tcp, next).call("GetVersion")).toBe("OK");
    expect(await startPython(workspace, agent.tcp, former).call("GetVersion")).toBe("UNAVAILABLE");
    expect(await startPython(workspace, agent.tcp, { ...former, ca: next.ca }).call("GetVersion")).toBe(
      "UNAVAILABLE",
    );
    expect((await agent.status()).stderr).toBe("");
  });
});

describe("the agent does not start", () => {
  const expired = workspace.path("expired.crt");
  const request = workspace.path("expired.csr");
  const key = workspace.path("expired.key");
  beforeAll(async () => {
    const run = (...argv: readonly string[]) => runProcess([findTool("openssl"), ...argv]);
    await run(
      "req",
      "-new",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      key,
      "-out",
      request,
      "-subj",
      "/CN=x",
    );
    await run("x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-out", expired);
  });
  const start = (flags: readonly string[], address = "127.0.0.1:0") =>
    runProcess([findAgent(), "--info-file=", "--server-address", address, ...flags]);
  const { cert: own, key: ownKey } = writeFiles(workspace, ours);
  const { key: otherKey } = writeFiles(workspace, foreign);
  const pair = (cert: string, keyFile: string) => [
    ...["--server-tls-cert-file", cert, "--server-tls-key-file", keyFile],
  ];

  test.each([
    { what: "no such file", flags: pair("/nowhere.crt", ownKey), says: "/nowhere.crt" },
    { what: "a file without a certificate", flags: pair(ownKey, ownKey), says: "has no certificate in PEM" },
    { what: "a file without a key", flags: pair(own, own), says: "has no private key" },
    { what: "the key of another", flags: pair(own, otherKey), says: "is not the private key of" },
    { what: "an expired certificate", flags: pair(expired, key), says: "expired at" },
    {
      what: "a certificate alone",
      flags: ["--server-tls-cert-file", own],
      says: "needs --server-tls-key-file",
    },
    { what: "a key alone", flags: ["--server-tls-key-file", ownKey], says: "needs --server-tls-cert-file" },
    {
      what: "no authority",
      flags: [...pair(own, ownKey), "--server-tls-require-client-cert"],
      says: "needs --server-tls-client-ca-files",
    },
    {
      what: "an authority that is not asked for",
      flags: [...pair(own, ownKey), "--server-tls-client-ca-files", own],
      says: "only with --server-tls-require-client-cert",
    },
    { what: "client certificates without TLS", flags: ["--server-tls-require-client-cert"], says: "needs" },
  ])("with $what: one line", async ({ flags, says }) => {
    const { exitCode, stderr } = await start(flags);
    const said = stderr.split("\n").filter((line) => line.startsWith("tetragon: "));
    expect(said).toEqual([expect.stringContaining(says)]);
    expect(exitCode).toBe(1);
  });

  test("with TLS for unix sockets alone", async () => {
    const { stderr } = await start(pair(own, ownKey), `unix://${workspace.path("alone.sock")}`);
    expect(stderr).toContain("--server-tls-cert-file needs a TCP address");
  });
});

test.each([
  { flags: ["--tls-cert-file=x"], says: "need each other" },
  { flags: ["--tls-skip-verify", "--tls-ca-cert-files=x"], says: "give one of them" },
  { flags: ["--tls-server-name=x"], says: "need a TCP address" },
  { flags: ["--tls-ca-cert-files=/nowhere"], says: "cannot read /nowhere" },
])("a command with $flags says $says", async ({ flags, says }) => {
  const { exitCode, stderr } = await runProcess([findAgent(), "status", ...flags]);
  expect(stderr).toContain(says);
  expect(exitCode).toBe(1);
});
