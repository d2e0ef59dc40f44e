// SPDX-License-Identifier: Apache-2.0
import { describeAgentLink } from "@rthooks/hold/agent-link-contract";
import { openSystem } from "@rthooks/sys";
import { openGrpcLink } from "./grpc-link.ts";
import { openUnixLink } from "./unix-link.ts";

const system = await openSystem();
const noFiles = { caFile: "", certFile: "", keyFile: "" };
const close = (): void => {};

describeAgentLink("of the hook's own client", ["unix"], (address) => {
  if (address.kind !== "unix" || system.connectUnix === undefined)
    throw new Error("no sockets of its own here");
  return { link: openUnixLink(system, system.connectUnix, address.path), close };
});

describeAgentLink("of grpc-js", ["unix", "tcp"], (address) => ({
  link: openGrpcLink(system, address, noFiles),
  close,
}));
