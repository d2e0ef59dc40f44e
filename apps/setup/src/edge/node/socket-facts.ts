// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findInRoot } from "@rthooks/runtime-config/files";
import { probeSocket } from "@rthooks/sys/unix-socket";
import type { SocketFacts } from "../../core/node-facts.ts";

/**
 * Whether a program listens. The kernel's list comes first: a runtime accepts NRI connections one by one, so a probe's
 * connection would delay that of a plugin.
 */
export async function findSocketFacts(root: string, path: string): Promise<SocketFacts> {
  const found = findInRoot(root, path);
  if (found === undefined) return { path, state: "absent" };
  const listening = readListening(root).some((bound) => findInRoot(root, bound) === found);
  const state = listening ? "listening" : await probeSocket(found);
  // The value in the output for scripts; see node-facts.ts.
  return { path, state: state === "listening" ? "open" : state };
}

/** The listening sockets in the network namespace of the node's first process, in which the runtime runs. */
function readListening(root: string): readonly string[] {
  let table: string;
  try {
    table = readFileSync(join(root, "proc/1/net/unix"), "utf8");
  } catch {
    return [];
  }
  return table.split("\n").flatMap((line) => {
    // Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON (proc(5)).
    const [, , , flags, , , , path] = line.split(" ").filter((word) => word !== "");
    return flags === "00010000" && path?.startsWith("/") === true ? [path] : [];
  });
}
