// SPDX-License-Identifier: Apache-2.0

/** The file name of the hook. */
export const HOOK = "tetragon-oci-hook";

/** The host's hooks directory, as the DaemonSet's pod mounts it. */
export const POD_HOOKS_DIR = "/hostHooks";
/** The default hooks directory of CRI-O and podman. */
export const HOST_HOOKS_DIR = "/usr/share/containers/oci/hooks.d";

/** The install directory on the host, if no flag sets it. */
export const DEFAULT_INSTALL_DIR = "/opt/tetragon";

export const DEFAULT_BASE_SPEC = "/etc/containerd/tetragon-base-spec.json";

/** The hook on the host, if no flag sets its path. */
export const DEFAULT_HOOK = `${DEFAULT_INSTALL_DIR}/${HOOK}`;

/** The default of containerd, CRI-O and the NRI stub. */
export const DEFAULT_NRI_SOCKET = "/var/run/nri/nri.sock";
