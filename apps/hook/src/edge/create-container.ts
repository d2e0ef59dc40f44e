// SPDX-License-Identifier: Apache-2.0
// The stages that hold a container.

import { type HoldSetup, holdContainer } from "@rthooks/hold";
import {
  type OciState,
  POD_ENVIRONMENT,
  type PodFromEnvironment,
  parsePodEnvironment,
  parseState,
} from "@rthooks/oci";
import { err } from "@rthooks/result";
import type { System } from "@rthooks/sys";
import { type LocatedSpec, toRequest, toTrustedAnnotations, toWrittenAnnotations } from "../core/request.ts";
import { openAgentLink } from "./open-agent-link.ts";
import { openProcCgroups } from "./proc-cgroups.ts";
import { locateSpec, MAX_STATE_BYTES, STATE_WAIT_MS } from "./spec-source.ts";

export interface HookSetup extends Pick<HoldSetup, "config" | "address" | "rules" | "log" | "userAgent"> {
  readonly system: System;
  /** RTHOOKS_POD of the hook's environment. The OCI configuration of the hook sets it, never the container. */
  readonly podEnvironment: string | undefined;
}

/** Holds the container until the agent releases it. False denies it. */
export async function createContainer(setup: HookSetup): Promise<boolean> {
  const { system, config, address } = setup;
  const deadlineMs = config["grpc-timeout"];
  let state: OciState | undefined;
  let located: LocatedSpec | undefined;
  let pod: PodFromEnvironment | undefined;
  let cgroupRemark: string | undefined;
  const verdict = await holdContainer(
    {
      ...setup,
      // The system's clock counts from the start of the process.
      startedAtMs: 0,
      deadlineMs,
      openLink: () => openAgentLink(system, address, config),
    },
    {
      async load() {
        const leftMs = deadlineMs - system.monotonicMs();
        const stdin = await system.readStdin(
          leftMs < STATE_WAIT_MS ? leftMs : STATE_WAIT_MS,
          MAX_STATE_BYTES,
        );
        state = parseState(stdin);
        const found = locateSpec(system, state);
        if (!found.ok) return found;
        located = found.value;
        if (setup.podEnvironment !== undefined) {
          const parsed = parsePodEnvironment(setup.podEnvironment);
          if (!parsed.ok) return err(`${POD_ENVIRONMENT} in the hook's environment ${parsed.error}`);
          pod = parsed.value;
        }
        const loaded = toRequest(located, openProcCgroups(system), pod);
        if (!loaded.ok) return loaded;
        cgroupRemark = loaded.value.cgroupRemark;
        return { ok: true, value: loaded.value.request };
      },
      remarks: () => (cgroupRemark === undefined ? {} : { "cgroups-remark": cgroupRemark }),
      containerId: () => state?.id,
      trustedAnnotations: () => toTrustedAnnotations(located?.spec, located?.bundle, state, pod),
      writtenAnnotations: () => toWrittenAnnotations(located?.spec, state, pod),
    },
  );
  if (!verdict.allowed) system.writeStderr(`${verdict.message}\n`);
  return verdict.allowed;
}
