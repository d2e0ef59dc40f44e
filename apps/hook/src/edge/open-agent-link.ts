// SPDX-License-Identifier: Apache-2.0

import type { AgentAddress, AgentLink, HookConfig } from "@rthooks/hold";
import type { MaybePromise, System } from "@rthooks/sys";
import { openUnixLink } from "./unix-link.ts";

/** A unix socket needs no library; for other addresses grpc-js is loaded. */
export function openAgentLink(
  system: System,
  address: AgentAddress,
  config: HookConfig,
): MaybePromise<AgentLink> {
  if (address.kind === "unix" && system.connectUnix !== undefined) {
    return openUnixLink(system, system.connectUnix, address.path);
  }
  return import("./grpc-link.ts").then(({ openGrpcLink }) =>
    openGrpcLink(system, address, {
      caFile: config["tls-ca-file"],
      certFile: config["tls-cert-file"],
      keyFile: config["tls-key-file"],
    }),
  );
}
