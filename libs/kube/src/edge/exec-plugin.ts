// SPDX-License-Identifier: Apache-2.0
// Exec credential plugins (client-go plugin/pkg/client/auth/exec; ExecCredential of client.authentication.k8s.io).

import { describeError, err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import type { ExecCredentials } from "../core/cluster-access.ts";
import { environment } from "./environment.ts";

export interface IssuedCredentials {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Time until they expire; Infinity if the plugin prints no expiration. */
  readonly lifetimeMs: number;
}

const TIMEOUT_MS = 30_000;
const LEAST_LIFETIME_MS = 10_000;
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

export async function runExecPlugin(exec: ExecCredentials): Promise<Result<IssuedCredentials, string>> {
  const { command, args, env, apiVersion } = exec;
  const info = { apiVersion, kind: "ExecCredential", spec: { interactive: false } };
  try {
    const child = Bun.spawn([command, ...args], {
      env: { ...environment, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    // A child of the plugin may keep its output open after the plugin has exited.
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer for ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    const outputs = [new Response(child.stdout).text(), new Response(child.stderr).text()] as const; // const: a pair
    const ended = Promise.all([...outputs, child.exited]);
    const [stdout, stderr, exitCode] = await Promise.race([ended, late.promise]).finally(() =>
      clearTimeout(timer),
    );
    if (exitCode !== 0) {
      return err(
        `${command} exited with ${exitCode}: ${stderr.trim().split("\n").at(-1)?.slice(0, 200) ?? ""}`,
      );
    }
    const parsed = v.safeParse(credential, JSON.parse(stdout));
    if (!parsed.success)
      return err(`${command} printed no valid ExecCredential: ${parsed.issues[0].message}`);
    const { token, clientCertificateData, clientKeyData, expirationTimestamp } = parsed.output.status;
    const lifetimeMs = Date.parse(expirationTimestamp ?? "") - Date.now();
    return ok({
      token: token || undefined,
      certificate: clientCertificateData || undefined,
      key: clientKeyData || undefined,
      // If the clock is wrong, the plugin runs again when the server rejects the credentials.
      lifetimeMs: Number.isNaN(lifetimeMs)
        ? Number.POSITIVE_INFINITY
        : Math.max(lifetimeMs, LEAST_LIFETIME_MS),
    });
  } catch (error) {
    return err(`${command}: ${describeError(error)}`);
  }
}
