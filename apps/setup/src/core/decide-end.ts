// SPDX-License-Identifier: Apache-2.0
// Whether the installed files stay when the pod of `install --daemonize` ends. A pod ends at each update, eviction and
// restart of its DaemonSet; if it removed the files then, containers would start without the hook until the next pod has
// installed them. So the files stay for as long as the DaemonSet sets up this node in the same way.

import { parseArguments } from "@rthooks/flags";
import { HOOK_ARGS } from "@rthooks/plugin";
import type { DaemonSet } from "./daemon-set.ts";
import { installFlags } from "./install-flags.ts";
import { type SelectedNode, selectsNode } from "./node-selection.ts";

/** Where an `install` puts its files, as its command line has it; empty for a default. */
export type InstallPlace = Readonly<Record<(typeof placeNames)[number], string>>;

const placeNames = [
  "interface",
  "local-install-dir",
  "host-install-dir",
  "oci-hooks.local-dir",
  "oci-hooks.file-name",
] as const; // const: the names are a union

export interface End {
  readonly keepsFiles: boolean;
  /** For the log. */
  readonly reason: string;
}

/** `daemonSet`: undefined if the API server has none of that name. `node`: undefined if it is not known. */
export function decideEnd(
  daemonSet: DaemonSet | undefined,
  own: InstallPlace,
  node: SelectedNode | undefined,
): End {
  if (daemonSet === undefined || daemonSet.isDeleted) {
    return { keepsFiles: false, reason: "the DaemonSet is deleted" };
  }
  if (node !== undefined && !selectsNode(daemonSet.selection, node)) {
    return { keepsFiles: false, reason: "the DaemonSet does not select this node any more" };
  }
  const places = daemonSet.commands.map(findPlace).filter((place) => place !== undefined);
  if (places.length > 0 && !places.some((place) => isSame(place, own))) {
    return { keepsFiles: false, reason: "the DaemonSet installs elsewhere, or by another interface" };
  }
  return { keepsFiles: true, reason: "the next pod of the DaemonSet takes them over" };
}

/** The place of an `install` command; undefined for another command, or for flags that this version does not know. */
function findPlace(command: readonly string[]): InstallPlace | undefined {
  const at = command.indexOf("install");
  if (at === -1) return undefined;
  const until = command.indexOf(HOOK_ARGS, at);
  const parsed = parseArguments(installFlags, command.slice(at + 1, until === -1 ? undefined : until));
  return parsed.ok ? toInstallPlace(parsed.value.given) : undefined;
}

export const toInstallPlace = (flags: Partial<InstallPlace>): InstallPlace => ({
  interface: flags.interface || installFlags.interface.default,
  "local-install-dir": flags["local-install-dir"] ?? "",
  "host-install-dir": flags["host-install-dir"] ?? "",
  "oci-hooks.local-dir": flags["oci-hooks.local-dir"] ?? "",
  "oci-hooks.file-name": flags["oci-hooks.file-name"] ?? "",
});

const isSame = (one: InstallPlace, other: InstallPlace): boolean =>
  placeNames.every((name) => one[name] === other[name]);
