// SPDX-License-Identifier: Apache-2.0

/** Exit code of a shell for a process that SIGPIPE ended, as it ends programs in other languages. */
export const CLOSED_OUTPUT = 141;

/** Exits without a message when the reader of standard output has closed it, as in `tetragon policies | head -1`. */
export function endOnClosedOutput(): void {
  process.stdout.on("error", (error) => {
    if ("code" in error && error.code === "EPIPE") process.exit(CLOSED_OUTPUT);
    throw error;
  });
}
