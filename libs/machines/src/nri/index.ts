// SPDX-License-Identifier: Apache-2.0

export {
  type NriSessionContext,
  type NriSessionEvent,
  type NriSessionInput,
  nriSessionMachine,
} from "./session-machine.ts";
