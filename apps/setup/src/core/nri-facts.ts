// SPDX-License-Identifier: Apache-2.0

import { parseRelease } from "@rthooks/runtime-config";
import type { NriFacts, SocketFacts } from "./node-facts.ts";

interface NriSettings {
  readonly kind: "containerd" | "cri-o";
  /** Of the runtime; null if unknown. */
  readonly version: string | null;
  /** containerd's `version` key. */
  readonly configVersion: number | undefined;
  /** As configured; undefined if no file sets it. */
  readonly enabled: boolean | undefined;
  readonly isPluginDisabled: boolean;
  readonly connections: boolean;
  /** The deciding files. */
  readonly decidedIn: readonly string[];
  /** Its validator rejects containers to which a plugin adds an OCI hook. */
  readonly rejectsHooks: boolean;
  readonly socket: SocketFacts;
}

/** The first releases that have NRI and that enable it by default: major and minor. */
const releases = {
  containerd: { available: [1, 7], byDefault: [2, 0] },
  "cri-o": { available: [1, 26], byDefault: [1, 30] },
} as const; // const: the keys are a union

export function toNriFacts(settings: NriSettings): NriFacts {
  const { connections, socket, decidedIn, rejectsHooks } = settings;
  const isSince = (release: readonly [number, number]): boolean | null => isAtLeast(settings, release);
  const { available, byDefault } = releases[settings.kind];
  const facts = {
    available: isSince(available),
    connections,
    socket,
    decided_in: decidedIn,
    rejects_hooks: rejectsHooks,
  };
  if (facts.available === false) return { ...facts, enabled: false, decided_by: "default" };
  if (settings.isPluginDisabled) return { ...facts, enabled: false, decided_by: "disabled_plugins" };
  if (settings.enabled !== undefined) return { ...facts, enabled: settings.enabled, decided_by: "config" };
  return { ...facts, enabled: isSince(byDefault), decided_by: "default" };
}

function isAtLeast(
  { kind, version, configVersion }: NriSettings,
  [major, minor]: readonly [number, number],
): boolean | null {
  const release = parseRelease(version);
  if (release !== undefined) return release.major === major ? release.minor >= minor : release.major > major;
  // Only containerd 2 reads files of version 3 and later.
  return kind === "containerd" && (configVersion ?? 0) >= 3 ? true : null;
}
