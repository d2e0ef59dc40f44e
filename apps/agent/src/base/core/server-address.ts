// SPDX-License-Identifier: Apache-2.0
// Addresses as grpc-go writes its targets, which is what Tetragon's programs take.

import { err, ok, type Result } from "@rthooks/result";
import { countSocketPathBytes, MAX_SOCKET_PATH_BYTES } from "@rthooks/sys/socket-path";

export type ServerAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Tetragon's port where an address names none. */
const defaultPort = 54321;

export function parseServerAddress(text: string): Result<ServerAddress, string> {
  if (text.startsWith("unix:")) return parseSocketPath(text);
  if (text.startsWith("/")) return err(`${text} is no address: write unix://${text} for a socket`);
  return parseHostPort(text.replace(/^(?:dns|passthrough):\/\/\//, ""), text);
}

function parseSocketPath(text: string): Result<ServerAddress, string> {
  const path = text.slice(text.startsWith("unix://") ? "unix://".length : "unix:".length);
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) {
    return err(`${text} needs the absolute path of a socket, as in unix:///var/run/tetragon/tetragon.sock`);
  }
  const bytes = countSocketPathBytes(path);
  return bytes > MAX_SOCKET_PATH_BYTES
    ? err(`${text}: the path of a socket has at most ${MAX_SOCKET_PATH_BYTES} bytes, this one ${bytes}`)
    : ok({ kind: "unix", path });
}

function parseHostPort(text: string, original: string): Result<ServerAddress, string> {
  const bracketed = /^\[([0-9A-Fa-f:.%]+)\](?::(\d+))?$/.exec(text);
  const plain = /^([A-Za-z0-9._-]*)(?::(\d+))?$/.exec(text);
  const match = bracketed ?? plain;
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (match === null || text === "" || port > 65535) {
    return err(`${original} is no address: unix:///path, host:port or [ipv6]:port are`);
  }
  return ok({ kind: "tcp", host: match[1] === "" ? "::" : (match[1] ?? "::"), port });
}

/** As a client dials it. */
export function renderServerAddress(address: ServerAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

export function isLoopback({ host }: { readonly host: string }): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
