// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { findInRoot } from "@rthooks/runtime-config/files";
import type { SocketFacts } from "../../core/node-facts.ts";

const LIMIT_MS = 1000;
/** sockaddr_un's path (unix(7)), less its NUL. */
const MAX_PATH_BYTES = 107;

/**
 * Whether somebody listens. The kernel's list is asked first: a runtime takes NRI's connections one by one, so that
 * one of nobody would be in the way of a plugin's.
 */
export async function probeSocket(root: string, path: string): Promise<SocketFacts> {
  const found = findInRoot(root, path);
  if (found === undefined) return { path, state: "absent" };
  const listening = readListening(root).some((bound) => findInRoot(root, bound) === found);
  return { path, state: listening ? "open" : await connect(found) };
}

/** Of the node's first process: the runtime is in its network namespace. */
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

function connect(path: string): Promise<SocketFacts["state"]> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return Promise.resolve("unknown");
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const end = (state: SocketFacts["state"]): void => {
      socket.destroy();
      resolve(state);
    };
    socket.setTimeout(LIMIT_MS, () => end("unknown"));
    socket.once("connect", () => end("open"));
    socket.once("error", (error) => {
      const code = "code" in error ? error.code : "";
      if (code === "ECONNREFUSED" || code === "ENOTSOCK") end("refused");
      else end(code === "ENOENT" ? "absent" : "unknown");
    });
  });
}
