// SPDX-License-Identifier: Apache-2.0
// Addresses of the agent, for --server-address.

import { DEFAULT_AGENT_ADDRESS, parseAddress } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";
import { countSocketPathBytes, MAX_SOCKET_PATH_BYTES } from "@rthooks/sys/socket-path";

export type ServerAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Tetragon's port where an address names none. */
const defaultPort = 54321;

/** Without a host it is every address of the machine. The error is one line for users. */
export function parseServerAddress(text: string): Result<ServerAddress, string> {
  if (text.startsWith("/")) return err(`${text} is not an address: write unix://${text} for a socket`);
  const parsed = parseAddress(text);
  if (!parsed.ok) return parsed.error === "path" ? refusePath(text) : refuseHost(text);
  const address = parsed.value;
  if (address.kind === "unix") return checkSocketPath(address.path, text);
  if (address.scheme === "tls") return refuseHost(text);
  return ok({ kind: "tcp", host: address.host || "::", port: address.port ?? defaultPort });
}

function checkSocketPath(path: string, text: string): Result<ServerAddress, string> {
  if (path.endsWith("/")) return refusePath(text);
  const bytes = countSocketPathBytes(path);
  return bytes > MAX_SOCKET_PATH_BYTES
    ? err(`${text}: the path of a socket has at most ${MAX_SOCKET_PATH_BYTES} bytes, this one ${bytes}`)
    : ok({ kind: "unix", path });
}

const refusePath = (text: string): Result<never, string> =>
  err(`${text} needs the absolute path of a socket, as in ${DEFAULT_AGENT_ADDRESS}`);

const refuseHost = (text: string): Result<never, string> =>
  err(`${text} is not an address: use unix:///path, host:port or [ipv6]:port`);
