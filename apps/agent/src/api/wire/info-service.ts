// SPDX-License-Identifier: Apache-2.0
// What Tetragon's FineGuidanceSensors service says about the agent itself: version, configuration, health.

import { FineGuidanceSensorsDefinition, HealthStatusResult, HealthStatusType } from "@rthooks/proto";
import { ok } from "@rthooks/result";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { answerWhenDone, registerUnary } from "../../base/wire/service.ts";
import { type AgentInfo, readInfoMessage } from "./info-message.ts";

/** `describeHealth`: one line, as `renderHealth` writes it. */
export function registerInfoService(
  to: Registrar,
  info: AgentInfo,
  describeHealth: () => string,
  onBug: (error: unknown) => void,
): void {
  const service = FineGuidanceSensorsDefinition;
  const { getVersion, getInfo, getHealth } = service.methods;
  const findHealth = () => ({
    event: HealthStatusType.HEALTH_STATUS_TYPE_STATUS,
    status: HealthStatusResult.HEALTH_STATUS_RUNNING,
    details: describeHealth(),
  });
  const { version } = info;
  registerUnary(to, service, getVersion, (_, answer) => answer(ok({ version })), onBug);
  registerUnary(
    to,
    service,
    getInfo,
    (_, answer) => answerWhenDone(readInfoMessage(info).then(ok), answer, onBug),
    onBug,
  );
  registerUnary(to, service, getHealth, (_, answer) => answer(ok({ healthStatus: [findHealth()] })), onBug);
}
