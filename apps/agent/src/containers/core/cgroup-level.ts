// SPDX-License-Identifier: Apache-2.0

/** Of a cgroup below the root of the hierarchy, by its path; 1 is directly below. */
export const cgroupLevel = (path: string): number =>
  path.split("/").filter((name) => name !== "" && name !== ".").length;
