// SPDX-License-Identifier: Apache-2.0

/** Whether an error of node:fs says that there is nothing under the path. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";
