// SPDX-License-Identifier: Apache-2.0
// Every state machine of the programs, with what a reader has to know before the drawing.
import { hookMachine } from "../libs/machines/src/hook/hook-machine.ts";
import { nriSessionMachine } from "../libs/machines/src/nri/index.ts";
import { electionMachine, operatorMachine } from "../libs/machines/src/operator/index.ts";
import { containerMachine, podMachine } from "../libs/machines/src/pod/index.ts";
import type { Machine } from "../libs/statechart/src/index.ts";

interface DocumentedMachine {
  readonly title: string;
  /** One paragraph: what an actor of this machine stands for, and where it runs. */
  readonly summary: string;
  readonly machine: Machine;
}

export const machines: readonly DocumentedMachine[] = [
  {
    title: "Hook invocation",
    summary:
      "One run of `tetragon-oci-hook`, and one hold by the NRI plugin in direct mode: from the OCI spec to the answer that the runtime acts on. The final states decide: `succeeded`, `skipped` and `allowed` start the container, `denied` does not.",
    machine: hookMachine,
  },
  {
    title: "Container",
    summary:
      "One container in the agent, from its first report to the end of its cgroup. The runtime gets its answer in `registered`, after the policy filter holds the cgroup id.",
    machine: containerMachine,
  },
  {
    title: "Pod",
    summary:
      "One pod in the agent: who said its identity, and which of its containers are on record. Its containers are child actors.",
    machine: podMachine,
  },
  {
    title: "NRI session",
    summary:
      "The connection of the NRI plugin to the runtime, from the start of the plugin to its end. The plugin holds containers in `serving` only.",
    machine: nriSessionMachine,
  },
  {
    title: "Election",
    summary:
      "The part of one `tetragon-operator` in the leader election, by a Lease. It has the lease in `leading` only.",
    machine: electionMachine,
  },
  {
    title: "Operator",
    summary:
      "What one `tetragon-operator` does: it writes to the API server in `leading` only, which the election begins and ends.",
    machine: operatorMachine,
  },
];
