// SPDX-License-Identifier: Apache-2.0
// The session of the NRI plugin with its runtime: one actor.

export { nriSessionMachine } from "./session-machine.ts";
