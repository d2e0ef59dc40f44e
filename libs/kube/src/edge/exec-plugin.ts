// SPDX-License-Identifier: Apache-2.0
// Credentials that a program says (client-go plugin/pkg/client/auth/exec; ExecCredential of client.authentication.k8s.io).

import { describeError, err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import type { ExecCredentials } from "../core/cluster-access.ts";

export interface ExecIdentity {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Unix time; for ever where the program does not say. */
  readonly untilMs: number;
}

const TIMEOUT_MS = 30_000;
const text = v.nullish(v.string());
const credential = v.object({
  kind: v.literal("ExecCredential"),
  status: v.object({
    token: text,
    clientCertificateData: text,
    clientKeyData: text,
    expirationTimestamp: text,
  }),
});

export async function runExecPlugin(exec: ExecCredentials): Promise<Result<ExecIdentity, string>> {
  const { command, args, env, apiVersion } = exec;
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  try {
    const child = Bun.spawn([command, ...args], {
      env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (exitCode !== 0) {
      return err(
        `${command} ended with ${exitCode}: ${stderr.trim().split("\n").at(-1)?.slice(0, 200) ?? ""}`,
      );
    }
    const parsed = v.safeParse(credential, JSON.parse(stdout));
    if (!parsed.success) return err(`${command} says no ExecCredential: ${parsed.issues[0].message}`);
    const { token, clientCertificateData, clientKeyData, expirationTimestamp } = parsed.output.status;
    const untilMs = expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY;
    return ok({
      token: token || undefined,
      certificate: clientCertificateData || undefined,
      key: clientKeyData || undefined,
      untilMs: Number.isNaN(untilMs) ? Number.POSITIVE_INFINITY : untilMs,
    });
  } catch (error) {
    return err(`${command}: ${describeError(error)}`);
  }
}
