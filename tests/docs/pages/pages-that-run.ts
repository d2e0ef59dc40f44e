// SPDX-License-Identifier: Apache-2.0

/** Pages of docs/install, and others on installing, whose blocks install.test.ts runs. */
export const installationPages: readonly string[] = [
  "docs/install/podman.md",
  "docs/troubleshooting.md",
  "docs/install/containerd-nri.md",
  "docs/install/containerd-base-spec.md",
  "docs/install/minikube.md",
];

/** Pages whose blocks of commands a test runs, but for those with the comment `not run`. */
export const pagesThatRun: readonly string[] = [
  ...installationPages,
  // Before and after each of them.
  "docs/install/README.md",
  "docs/uninstall.md",
  // tutorial.test.ts
  "docs/enforcement.md",
];
