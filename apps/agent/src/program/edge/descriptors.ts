// SPDX-License-Identifier: Apache-2.0

import { countOpenDescriptors } from "@rthooks/sys/descriptors";

const nearlyAll = 0.9;

/** One line for the health when over 90 % of the descriptors are in use; empty otherwise. */
export function describeDescriptorShortage(limit: number): string {
  const remedy = "raise the limit of open files (LimitNOFILE of the unit, ulimit -n)";
  const open = countOpenDescriptors();
  if (open === undefined)
    return `cannot count the open file descriptors; all ${limit} may be in use: ${remedy}`;
  return open > limit * nearlyAll ? `${open} of ${limit} file descriptors are open: ${remedy}` : "";
}
