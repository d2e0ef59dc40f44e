// SPDX-License-Identifier: Apache-2.0

const running = "is the agent running, and with this --server-address?";

/** One line: why the connection failed, and what to try. `details` come with grpc-js' UNAVAILABLE. */
export function describeUnreachable(target: string, details: string): string {
  const code = /\b(E[A-Z]{4,})\b/.exec(details)?.[1];
  const start = `cannot reach the agent at ${target}`;
  switch (code) {
    case "ENOENT":
      return `${start}: the socket does not exist; ${running}`;
    case "ECONNREFUSED":
      return `${start}: connection refused; ${running}`;
    case "EACCES":
    case "EPERM":
      return `${start}: permission denied; run this as root`;
  }
  if (details.startsWith("Name resolution failed")) {
    return `${start}: its host name cannot be resolved; check --server-address`;
  }
  return `${start}: ${code ?? (details === "" ? "connection closed" : details)}; ${running}`;
}
