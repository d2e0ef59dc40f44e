// SPDX-License-Identifier: Apache-2.0
// The operator: one actor for the election, one for its work while it leads.

export { electionMachine } from "./election-machine.ts";
export { operatorMachine } from "./operator-machine.ts";
