// SPDX-License-Identifier: Apache-2.0
// The agent link over TCP and TLS, with grpc-js, and over unix sockets in a process that cannot use FFI.

import { readFileSync } from "node:fs";
import {
  type ChannelCredentials,
  Client,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
  type VerifyOptions,
} from "@grpc/grpc-js";
import { toTlsName } from "@rthooks/grpc/tls-name";
import type { AgentAddress, AgentLink } from "@rthooks/hold";
import { createLinkEvents } from "@rthooks/hold/link-events";
import type { HookEvent } from "@rthooks/machines/hook";
import { TRUSTED_HEADER } from "@rthooks/oci";
import { grpcCode, renderGrpcError } from "@rthooks/proto/grpc-code";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { System } from "@rthooks/sys";

interface Attempt {
  readonly client: Client;
  call: ClientUnaryCall | undefined;
}

/** Paths of PEM files; empty for none. The administrator chooses them, so that symbolic links are followed. */
export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export function openGrpcLink(system: System, address: AgentAddress, files: TlsFiles): AgentLink {
  let attempt: Attempt | undefined;
  let response: Uint8Array | undefined;
  const events = createLinkEvents(() => system.monotonicMs());

  const disconnect = (): void => {
    attempt?.call?.cancel();
    attempt?.client.close();
    attempt = undefined;
    events.clear();
  };

  /** Ignores the events of earlier attempts. */
  const emit = (from: Attempt, event: HookEvent): void => {
    if (from === attempt) events.push(event);
  };

  return {
    get response() {
      return response;
    },
    connect({ path, message, userAgent, isTrusted, deadlineAtMs }) {
      disconnect();
      const leftMs = Math.max(1, deadlineAtMs - system.monotonicMs());
      const metadata = new Metadata();
      if (isTrusted) metadata.set(TRUSTED_HEADER, "1");
      const name = toTlsName(address.kind === "tcp" ? address.target.replace(/:\d+$/, "") : "");
      const secured = openCredentials(address, files, name.verify);
      if (!secured.ok) {
        return { type: "agent.unreachable", failure: { kind: "unreachable", reason: secured.error } };
      }
      const client = new Client(toTarget(address), secured.value, {
        // A shared pool would apply the back-off of one attempt to the next.
        "grpc.use_local_subchannel_pool": 1,
        "grpc.primary_user_agent": userAgent,
        // The node's agent is never behind the environment's proxy.
        "grpc.enable_http_proxy": 0,
        ...name.options,
      });
      const current: Attempt = { client, call: undefined };
      attempt = current;
      // After the hook's own deadline, so that the hook reports it.
      const deadline = Date.now() + leftMs + 1000;
      client.waitForReady(deadline, (error) => {
        if (error === undefined) emit(current, { type: "agent.ready" });
      });
      current.call = client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => new Uint8Array(bytes),
        message,
        metadata,
        { deadline },
        (error, answer) => {
          if (error === null) response = answer;
          emit(current, error === null ? { type: "answer.ok" } : toEvent(error));
        },
      );
      return undefined;
    },
    wait: events.next,
    disconnect,
  };
}

const toTarget = (address: AgentAddress): string =>
  address.kind === "unix" ? `unix://${address.path}` : `dns:///${address.target}`;

function openCredentials(
  address: AgentAddress,
  files: TlsFiles,
  verify: VerifyOptions,
): Result<ChannelCredentials, string> {
  if (address.kind !== "tcp" || !address.tls) return ok(credentials.createInsecure());
  const read = (path: string): Buffer | null => (path === "" ? null : readFileSync(path));
  try {
    return ok(credentials.createSsl(read(files.caFile), read(files.keyFile), read(files.certFile), verify));
  } catch (error) {
    return err(describeError(error));
  }
}

const toEvent = ({ code, details }: ServiceError): HookEvent =>
  code === grpcCode.unavailable
    ? { type: "agent.lost" }
    : {
        type: "answer.failed",
        failure: { kind: "refused", reason: renderGrpcError(code, details) },
      };
