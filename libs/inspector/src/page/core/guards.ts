// SPDX-License-Identifier: Apache-2.0
// Which guards let an actor go from one state to another. A snapshot does not say it; the machine's definition says which
// transitions can have been taken.

/** A transition of a machine. */
interface MachineStep {
  /** Id of the state that has the transition; empty for the machine itself. */
  readonly source: string;
  /** An event type, "after DELAY", or "always". */
  readonly event: string;
  /** Empty where there is none. */
  readonly guard: string;
  /** Id of a state; empty for a transition that leaves no state. */
  readonly target: string;
}

export interface MachineDescription {
  /** By the id of a state. */
  readonly descriptions: Readonly<Record<string, string>>;
  /** By the id of a state, or "" for the machine: the state inside of it that is entered first. */
  readonly initial: Readonly<Record<string, string>>;
  readonly steps: readonly MachineStep[];
}

export interface GuardedStep {
  readonly event: string;
  /** Innermost states; `from` is empty for an actor's first step. */
  readonly from: string;
  readonly to: string;
}

/** More `always` transitions than these follow each other in no machine. */
const maxAlways = 6;

/**
 * The conditions under which this step is taken, "isLaunched and not isConfigured"; empty where it needs none. More than one
 * where several transitions lead there.
 */
export function findGuards(machine: MachineDescription, { event, from, to }: GuardedStep): readonly string[] {
  const first =
    from === ""
      ? [{ state: enter(machine.initial, ""), conditions: [] }]
      : takeSteps(machine, { state: from, conditions: [] }, (step) => isEvent(step.event, event));
  const found = new Set<string>();
  let paths: readonly Path[] = first;
  for (let taken = 0; taken <= maxAlways && found.size === 0; taken++) {
    for (const { state, conditions } of paths) if (state === to) found.add(conditions.join(" and "));
    paths = paths.flatMap((path) => takeSteps(machine, path, (step) => step.event === "always"));
  }
  return found.has("") ? [] : [...found];
}

interface Path {
  /** The innermost state. */
  readonly state: string;
  readonly conditions: readonly string[];
}

/** The innermost state that has a transition for the event decides, unless its guards refuse. */
function takeSteps(
  machine: MachineDescription,
  { state, conditions }: Path,
  isMeant: (step: MachineStep) => boolean,
): readonly Path[] {
  const paths: Path[] = [];
  const refused: string[] = [];
  for (let source: string | undefined = state; source !== undefined; source = parentOf(source)) {
    const own = machine.steps.filter((step) => step.source === source && isMeant(step));
    const guards = own.flatMap(({ guard }) => (guard === "" ? [] : [guard]));
    const add = ({ target }: MachineStep, needed: readonly string[]): void => {
      const next = target === "" ? state : enter(machine.initial, target);
      paths.push({ state: next, conditions: [...conditions, ...needed] });
    };
    for (const step of own) if (step.guard !== "") add(step, [...refused, step.guard]);
    refused.push(...guards.map((guard) => `not ${guard}`));
    // XState tries a transition without a guard last: those behind it could never be taken.
    const last = own.find(({ guard }) => guard === "");
    if (last !== undefined) add(last, refused);
    if (last !== undefined) break;
  }
  return paths;
}

/** The innermost state that is entered with this one. */
function enter(initial: MachineDescription["initial"], state: string): string {
  const inner = Object.hasOwn(initial, state) ? initial[state] : undefined;
  return inner === undefined ? state : enter(initial, inner);
}

function parentOf(state: string): string | undefined {
  if (state === "") return undefined;
  return state.slice(0, Math.max(0, state.lastIndexOf(".")));
}

/** XState's own event types: "xstate.after.DELAY.MACHINE.STATE". */
const isEvent = (declared: string, event: string): boolean =>
  declared === event ||
  declared === "*" ||
  event.startsWith(`xstate.${declared.replace("after ", "after.")}.`);
