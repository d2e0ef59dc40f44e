// SPDX-License-Identifier: Apache-2.0
// Where a command finds the agent, and how it connects.

import { createSecureContext, type SecureContext } from "node:tls";
import type { ClientOptions, VerifyOptions } from "@grpc/grpc-js";
import { toTlsName } from "@rthooks/grpc/tls-name";
import { renderAddress } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { readSmallFile } from "@rthooks/sys/small-file";
import { parseServerAddress } from "../../base/core/server-address.ts";
import { type ClientTlsSettings, checkClientTls } from "../core/client-tls-flags.ts";

export interface AgentEndpoint {
  /** "unix:///var/run/tetragon/tetragon.sock" */
  readonly target: string;
  /**
   * Undefined without TLS. Not credentials of grpc-js: a command that is loaded on demand has a copy of that library, which
   * does not take those of another copy.
   */
  readonly tls: { readonly context: SecureContext; readonly verify: VerifyOptions } | undefined;
  readonly options: ClientOptions;
}

export type EndpointFlags = ClientTlsSettings & { readonly "server-address": readonly string[] };

const MAX_BYTES = 1024 * 1024;

type Secured = Pick<AgentEndpoint, "tls" | "options">;

/** At least one. With a flag of TLS it is used on all TCP addresses. The error is one line. */
export async function listEndpoints(flags: EndpointFlags): Promise<Result<readonly AgentEndpoint[], string>> {
  const tls = await openTls(flags);
  if (!tls.ok) return tls;
  const endpoints: AgentEndpoint[] = [];
  let isTlsUsed = tls.value === undefined;
  for (const text of flags["server-address"]) {
    const address = parseServerAddress(text);
    if (!address.ok) return address;
    const secure = address.value.kind === "tcp" ? tls.value?.(address.value.host) : undefined;
    if (secure?.ok === false) return secure;
    isTlsUsed ||= secure !== undefined;
    endpoints.push({ target: renderAddress(address.value), ...(secure?.value ?? plain) });
  }
  if (endpoints.length === 0) return err("--server-address is empty");
  return isTlsUsed
    ? ok(endpoints)
    : err("the flags of TLS need a TCP address: give --server-address host:port");
}

const plain: Secured = { tls: undefined, options: {} };

/** Undefined without TLS, else what secures the connection to a host. */
async function openTls(
  flags: ClientTlsSettings,
): Promise<Result<((host: string) => Result<Secured, string>) | undefined, string>> {
  const isUsed = checkClientTls(flags);
  if (!isUsed.ok) return isUsed;
  if (!isUsed.value) return ok(undefined);
  const read = await readFiles(flags["tls-ca-cert-files"]);
  if (!read.ok) return read;
  const own = await readFiles([flags["tls-key-file"], flags["tls-cert-file"]].filter((path) => path !== ""));
  if (!own.ok) return own;
  const [key, cert] = own.value;
  const ca = read.value.length === 0 ? undefined : Buffer.concat(read.value);
  return ok((host) => {
    const { options, verify } = toTlsName(host, flags["tls-server-name"]);
    const rejectUnauthorized = !flags["tls-skip-verify"];
    try {
      const context = createSecureContext({ ca, key, cert });
      return ok({ tls: { context, verify: { ...verify, rejectUnauthorized } }, options });
    } catch (error) {
      return err(`the files of the flags of TLS cannot be used: ${describeError(error)}`);
    }
  });
}

async function readFiles(paths: readonly string[]): Promise<Result<readonly Buffer[], string>> {
  const texts: Buffer[] = [];
  for (const path of paths) {
    const read = await readSmallFile(path, MAX_BYTES);
    if (!read.ok) return read;
    // A bundle may end without a line break.
    texts.push(Buffer.concat([read.value, Buffer.from("\n")]));
  }
  return ok(texts);
}
