// SPDX-License-Identifier: Apache-2.0

import type { FollowedConfig } from "@rthooks/config";
import type { ServerTlsFiles } from "@rthooks/grpc";
import type { LogLevelSwitch } from "../../api/wire/debug-service.ts";
import type { AgentInfo } from "../../api/wire/info-message.ts";
import type { RuleLimits } from "../../enforcement/core/rule-numbers.ts";
import type { ExportSettings } from "../../events/core/export-settings.ts";
import type { PolicyFilterOptions } from "../../filter/edge/open-policy-filter.ts";
import type { PodsOptions } from "../../pods/edge/open-pods.ts";

/** What the flags select. */
export interface AgentOptions extends PodsOptions, Omit<PolicyFilterOptions, "metrics"> {
  readonly ruleLimits: RuleLimits;
  /** Policies stay in force when the agent is stopped. */
  readonly keepsSensors: boolean;
  /** Empty: metrics are not served. */
  readonly metricsAddress: string;
  /** Undefined: CRI is not used; empty: the endpoint is detected. */
  readonly criEndpoint: string | undefined;
  /** Empty: no inspector. */
  readonly inspectAddress: string;
  readonly inspectTokenFile: string;
  /** Empty: the hook's log is not followed. */
  readonly hookLog: string;
  readonly cgroupRoot: string;
  readonly procfs: string;
  readonly sweepIntervalMs: number;
  readonly failureRetentionMs: number;
  readonly drainTimeoutMs: number;
  /** Undefined: no flags come from files. */
  readonly config: FollowedConfig | undefined;
  /** All flags with their values, for GetInfo. */
  readonly conf: AgentInfo["conf"];
  /** Empty for none. */
  readonly policyFile: string;
  readonly policyDirectory: string;
  /** Directory of policies that were added over gRPC; empty: they are not persisted. */
  readonly policyArchive: string;
  /** Policies are also loaded from the API server. */
  readonly watchesPolicies: boolean;
  readonly allowsChangesOnTcp: boolean;
  /** Undefined: TCP addresses have no TLS. */
  readonly serverTls: ServerTlsFiles | undefined;
  /** In each event; may be empty. */
  readonly clusterName: string;
  /** Of this node, for what clients see: its name in the cluster, or its host name. */
  readonly nodeName: string;
  /** Undefined: events are not exported. */
  readonly eventExport: ExportSettings | undefined;
  readonly logLevel: LogLevelSwitch;
}
