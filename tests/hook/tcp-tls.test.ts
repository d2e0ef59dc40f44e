// SPDX-License-Identifier: Apache-2.0
// The compiled hook against agents on TCP and TLS.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { GetVersionResponse, RuntimeHookRequest } from "@rthooks/proto";

const hook = join(import.meta.dir, "../../dist/tetragon-oci-hook");
let directory = "";
const servers: Server[] = [];
const seen: RuntimeHookRequest[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "rthooks-tls-"));
  mkdirSync(join(directory, "bundle"));
  writeFileSync(
    join(directory, "bundle/config.json"),
    JSON.stringify({
      linux: { cgroupsPath: "/a/b" },
      annotations: { "io.kubernetes.pod.namespace": "shop" },
    }),
  );
  for (const name of ["server", "client"]) {
    const made = Bun.spawnSync(
      [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ].concat(
        ["-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", "/CN=localhost"],
        ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ),
      { cwd: directory },
    );
    if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  }
  symlinkSync("server.crt", join(directory, "linked.crt"));
});
afterAll(() => {
  for (const server of servers) server.forceShutdown();
  rmSync(directory, { recursive: true, force: true });
});

const file = (name: string): string => join(directory, name);

async function serve(credentials: ServerCredentials): Promise<number> {
  const server = new Server();
  servers.push(server);
  const method = (path: string) => ({
    path: `/tetragon.FineGuidanceSensors/${path}`,
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  });
  server.addService(
    { RuntimeHook: method("RuntimeHook"), GetVersion: method("GetVersion") },
    {
      RuntimeHook: (call: { request: Buffer }, reply: (error: null, answer: Buffer) => void) => {
        seen.push(RuntimeHookRequest.decode(call.request));
        reply(null, Buffer.alloc(0));
      },
      GetVersion: (_call: unknown, reply: (error: null, answer: Buffer) => void) =>
        reply(null, Buffer.from(GetVersionResponse.encode({ version: "v9" }).finish())),
    },
  );
  return new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", credentials, (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
}

const mutualTls = (): ServerCredentials =>
  ServerCredentials.createSsl(
    readFileSync(file("client.crt")),
    [{ cert_chain: readFileSync(file("server.crt")), private_key: readFileSync(file("server.key")) }],
    true,
  );

async function run(stage: string, ...flags: string[]) {
  const child = Bun.spawn([hook, stage, "--log-fname", file("hook.log"), ...flags], {
    stdin: new Blob([JSON.stringify({ id: "c1", bundle: file("bundle") })]),
    stdout: "pipe",
    stderr: "pipe",
    env: {},
  });
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr };
}

test("an agent on TCP is asked", async () => {
  const port = await serve(ServerCredentials.createInsecure());
  seen.length = 0;
  expect(await run("createRuntime", `--grpc-address=127.0.0.1:${port}`)).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
  expect(seen[0]?.event?.createContainer).toMatchObject({
    cgroupsPath: "/a/b",
    containerID: "c1",
    podNamespace: "shop",
  });
  expect((await run("server-version", `--grpc-address=127.0.0.1:${port}`)).stdout).toBe("v9\n");
});

test("an agent on TCP that is not there fails the container when the time is up", async () => {
  const { code, stderr } = await run("createRuntime", "--grpc-address=127.0.0.1:1", "--grpc-timeout=300ms");
  expect(code).toBe(1);
  expect(stderr).toContain("connecting to agent (context deadline exceeded) failed: 127.0.0.1:1");
});

test("TLS: both sides show a certificate that the other knows", async () => {
  const port = await serve(mutualTls());
  const address = `--grpc-address=tls://localhost:${port}`;
  const known = [`--tls-cert-file=${file("client.crt")}`, `--tls-key-file=${file("client.key")}`];
  const answered = await run("createRuntime", address, `--tls-ca-file=${file("linked.crt")}`, ...known);
  expect(answered).toEqual({ code: 0, stdout: "", stderr: "" });
});

test.each([
  { what: "a server that no one signed for", flags: (): string[] => [] },
  { what: "a client without a certificate", flags: () => [`--tls-ca-file=${file("server.crt")}`] },
  { what: "a file that is not there", flags: () => ["--tls-ca-file=/nowhere/ca.pem"] },
])("TLS: $what is no agent", async ({ flags }) => {
  const port = await serve(mutualTls());
  seen.length = 0;
  const result = await run(
    "createRuntime",
    `--grpc-address=tls://localhost:${port}`,
    "--grpc-timeout=700ms",
    ...flags(),
  );
  expect(result.code).toBe(1);
  expect(seen).toHaveLength(0);
});

test("where foreign calls are refused the hook still speaks to a unix socket", async () => {
  const path = file("agent.sock");
  const server = new Server();
  servers.push(server);
  const port = await serve(ServerCredentials.createInsecure());
  const relay = Bun.listen<{ peer?: Awaited<ReturnType<typeof Bun.connect>> }>({
    unix: path,
    socket: {
      async open(socket) {
        socket.data = {};
        socket.pause();
        socket.data.peer = await Bun.connect({
          hostname: "127.0.0.1",
          port,
          socket: { data: (_peer, bytes) => void socket.write(bytes), close: () => void socket.end() },
        });
        socket.resume();
      },
      data: (socket, bytes) => void socket.data.peer?.write(bytes),
      close: (socket) => void socket.data.peer?.end(),
    },
  });
  try {
    seen.length = 0;
    const child = Bun.spawn(
      [hook, "createRuntime", "--log-fname", file("portable.log"), `--grpc-address=unix://${path}`],
      {
        stdin: new Blob([JSON.stringify({ id: "c2", bundle: file("bundle") })]),
        stderr: "pipe",
        // Without its JIT, Bun makes no foreign calls.
        env: { BUN_JSC_useJIT: "0" },
      },
    );
    expect(await new Response(child.stderr).text()).toBe("");
    expect(await child.exited).toBe(0);
    expect(seen[0]?.event?.createContainer.containerID).toBe("c2");
    expect(readFileSync(file("portable.log"), "utf8")).toContain("hook request to agent succeeded");
  } finally {
    relay.stop(true);
  }
});
