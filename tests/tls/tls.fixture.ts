// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent } from "../harness/agent.ts";
import type { Certs } from "../harness/kube-certs.ts";
import { minimalEnv } from "../harness/process.ts";
import { findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import type { Workspace } from "../harness/workspace.ts";

export interface Secret {
  readonly directory: string;
  /** As the kubelet writes a Secret: new files in a new directory, then one rename. */
  write(files: Readonly<Record<string, string>>): void;
}

let count = 0;

export function createSecret(workspace: Workspace): Secret {
  const directory = workspace.path(`secret-${++count}`);
  mkdirSync(directory);
  let version = 0;
  return {
    directory,
    write(files) {
      const name = `..v${++version}`;
      mkdirSync(join(directory, name));
      for (const [file, text] of Object.entries(files)) {
        writeFileSync(join(directory, name, file), text);
        rmSync(join(directory, file), { force: true });
        symlinkSync(`..data/${file}`, join(directory, file));
      }
      symlinkSync(name, join(directory, "..data_tmp"));
      renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
    },
  };
}

export const toFiles = (server: Certs, clients: Certs): Readonly<Record<string, string>> => ({
  ...{ "tls.crt": server.server.cert, "tls.key": server.server.key, "ca.crt": clients.ca },
});

export const toTlsFlags = ({ directory }: Secret, requiresClientCert: boolean): readonly string[] => [
  ...[
    "--server-tls-cert-file",
    join(directory, "tls.crt"),
    "--server-tls-key-file",
    join(directory, "tls.key"),
  ],
  ...(requiresClientCert
    ? ["--server-tls-require-client-cert", "--server-tls-client-ca-files", join(directory, "ca.crt")]
    : []),
];

export interface TlsAgent extends Agent {
  /** "127.0.0.1:PORT" */
  readonly tcp: string;
}

export async function startTlsAgent(workspace: Workspace, flags: readonly string[]): Promise<TlsAgent> {
  const all = ["--server-address=127.0.0.1:0", "--log-level=debug", ...flags];
  const agent = await startAgent(workspace, { flags: all });
  const find = (): string | undefined =>
    /"msg":"listening","address":"(127[^"]+)"/.exec(agent.process.stderr())?.[1];
  await waitFor("the agent listens on TCP", () => find() !== undefined);
  return { ...agent, tcp: find() ?? "" };
}

export const writeFiles = (workspace: Workspace, { client, caPath }: Certs) => {
  const base = workspace.path(`client-${++count}`);
  writeFileSync(`${base}.crt`, client.cert);
  writeFileSync(`${base}.key`, client.key);
  return { ca: caPath, cert: `${base}.crt`, key: `${base}.key` };
};

export interface PythonClient {
  call(method: string): Promise<string>;
}

/** One channel of python3-grpcio. Empty paths: without. */
export function startPython(
  workspace: Workspace,
  address: string,
  { ca, cert, key }: { readonly ca: string; readonly cert: string; readonly key: string },
): PythonClient {
  const argv = [findTool("python3"), join(import.meta.dir, "client.py"), address, ca, cert, key];
  const child = Bun.spawn(argv, { env: { ...minimalEnv }, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  workspace.onClose(async () => {
    await child.stdin.end();
    await child.exited;
  });
  const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    async call(method) {
      child.stdin.write(`${method}\n`);
      const { value } = await answers.read();
      if (value === undefined) throw new Error(await new Response(child.stderr).text());
      return value.trim();
    },
  };
}
