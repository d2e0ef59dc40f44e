// SPDX-License-Identifier: Apache-2.0
// Answers `status`: one JSON object to each connection on a unix socket of the daemon, for an exec probe of a kubelet. A
// port would be taken while two pods of a rolling update share the host's network.

import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { isSocketPathTooLong } from "@rthooks/sys/socket-path";
import { probeSocket } from "@rthooks/sys/unix-socket";

/** `findProblem`: one line on why containers may start without the hook; empty if they do not. */
export async function serveStatus(
  path: string,
  findProblem: () => Promise<string>,
): Promise<Result<void, string>> {
  if (isSocketPathTooLong(path)) return err(`--status-socket ${path}: the path is too long for a socket`);
  const state = await probeSocket(path);
  if (state === "listening") return err(`--status-socket ${path}: another program listens there`);
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    void findProblem()
      .catch(describeError)
      .then((problem) => socket.end(`${JSON.stringify({ ready: problem === "", problem })}\n`));
  });
  try {
    // A socket file without a listener, of a daemon that was killed.
    if (state === "refused") rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return ok(undefined);
  } catch (error) {
    return err(`--status-socket ${path}: ${describeError(error)}`);
  }
}
