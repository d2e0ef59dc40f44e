// SPDX-License-Identifier: Apache-2.0
// GetInfo: version, capabilities and configuration, as `tetra info` shows them.

import { BoolValue, type GetInfoResponse, StringValue } from "@rthooks/proto";

export interface AgentInfo {
  readonly version: string;
  /** "Bun 1.4.5" */
  readonly runtime: string;
  /** Capabilities of the kernel and the agent by name. */
  probes(): Promise<Readonly<Record<string, boolean>>>;
  /** All flags with their values. */
  readonly conf: Readonly<Record<string, string | boolean>>;
}

const TYPE_URL = "type.googleapis.com/google.protobuf.";

export const readInfoMessage = async ({
  version,
  runtime,
  probes,
  conf,
}: AgentInfo): Promise<GetInfoResponse> => ({
  version,
  name: "tetragon",
  probes: Object.entries(await probes()).map(([Name, Enabled]) => ({ Name, Enabled })),
  conf: Object.entries(conf).map(([key, value]) => ({
    key,
    value:
      typeof value === "boolean"
        ? { typeUrl: `${TYPE_URL}BoolValue`, value: BoolValue.encode({ value }).finish() }
        : { typeUrl: `${TYPE_URL}StringValue`, value: StringValue.encode({ value }).finish() },
  })),
  build: { goVersion: runtime, commit: "", time: "", modified: "" },
});
