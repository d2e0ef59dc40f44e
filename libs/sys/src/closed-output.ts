// SPDX-License-Identifier: Apache-2.0

/** A shell's exit code for a process that SIGPIPE ended, as it ends programs in other languages. */
const CLOSED_OUTPUT = 141;

/** Ends the program without a message once the reader of its output has gone, as in `tetragon policies | head -1`. */
export function endOnClosedOutput(): void {
  process.stdout.on("error", (error) => {
    if ("code" in error && error.code === "EPIPE") process.exit(CLOSED_OUTPUT);
    throw error;
  });
}
