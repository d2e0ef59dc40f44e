// SPDX-License-Identifier: Apache-2.0
// The parts of an explanation: summary, failure, hold, identity, policies, enforcement.

import {
  describeCounts,
  type Explanation,
  type FailingTerm,
  type IdentityPart,
  nameHolder,
  type PolicyEnforcement,
  type PolicyMatch,
  type RuntimeHold,
} from "@rthooks/explain";
import { toPhaseBars } from "../core/phase-bars.ts";
import type { StateTone } from "../core/state-ids.ts";
import { renderDuration, renderTime } from "../core/time-format.ts";
import { showInvisible } from "../core/visible-text.ts";
import { nameSource, summarize } from "../core/words.ts";
import { createElement } from "./elements.ts";
import { renderFailure } from "./failure.ts";

/** A node has at most some hundred policies in force; those that select the container come first. */
const maxPolicies = 200;
const maxSelectors = 20;
/** Less would be shown as 0.00 ms. */
const shownRestMs = 0.005;

const tones: Readonly<Record<Explanation["outcome"], StateTone>> = {
  held: "busy",
  running: "good",
  denied: "bad",
  failed: "bad",
  ended: "over",
};

export function renderExplanation(explanation: Explanation): readonly HTMLElement[] {
  const { outcome, failure, hold, identity, policies } = explanation;
  return [
    createElement("p", { class: "summary" }, [
      createElement("span", { class: "outcome", "data-tone": tones[outcome] }, [outcome]),
      summarize(explanation),
    ]),
    ...(failure === undefined ? [] : [renderPart("Why it failed", [renderFailure(failure)])]),
    renderPart(
      "Where the time went",
      hold === undefined ? [renderNothing("No hold of it is on record.")] : renderHold(hold),
    ),
    renderPart("Identity and its sources", [renderIdentity(identity)]),
    renderPart("Policies", renderPolicies(policies)),
    renderPart("Enforcement", renderEnforcement(policies)),
  ];
}

const renderPart = (title: string, content: readonly HTMLElement[]): HTMLElement =>
  createElement("section", { class: "part" }, [createElement("h3", {}, [title]), ...content]);

const renderNothing = (text: string): HTMLElement => createElement("p", { class: "nothing" }, [text]);

function renderHold(hold: RuntimeHold): readonly HTMLElement[] {
  const { bars, restMs } = toPhaseBars(hold);
  const rows = bars.map(({ where, what, offset, width, durationMs }) => {
    const bar = createElement("span", { class: "phase-bar", "data-where": where });
    bar.style.marginInlineStart = `${offset * 100}%`;
    bar.style.width = `${width * 100}%`;
    return createElement("li", {}, [
      createElement("span", { class: "phase-where" }, [where]),
      createElement("span", { class: "phase-what", dir: "auto" }, [showInvisible(what)]),
      createElement("span", { class: "phase-track", "aria-hidden": "true" }, [bar]),
      createElement("span", { class: "phase-time" }, [renderDuration(durationMs)]),
    ]);
  });
  const total = `The ${nameHolder(hold.by)} held the runtime for ${renderDuration(hold.durationMs)}, from ${renderTime(hold.startedMs)} on.`;
  const rest =
    bars.length === 0
      ? "No phase of it is on record."
      : restMs < shownRestMs
        ? ""
        : `Outside of these phases: ${renderDuration(restMs)}.`;
  return [
    createElement("p", {}, [total]),
    ...(rows.length === 0 ? [] : [createElement("ol", { class: "phases" }, rows)]),
    ...(rest === "" ? [] : [renderNothing(rest)]),
  ];
}

const renderIdentity = (identity: readonly IdentityPart[]): HTMLElement =>
  createElement("dl", { class: "identity" }, identity.map(renderIdentityPart));

function renderIdentityPart({ part, value, source, reportedMs }: IdentityPart): HTMLElement {
  const at = reportedMs === undefined ? "" : ` at ${renderTime(reportedMs)}`;
  return createElement("div", {}, [
    createElement("dt", {}, [showInvisible(part)]),
    createElement("dd", { dir: "auto" }, [value === "" ? renderUnknown() : showInvisible(value)]),
    createElement("dd", { class: "aside" }, [
      source === "" ? "" : `${showInvisible(nameSource(source))}${at}`,
    ]),
  ]);
}

const renderUnknown = (): HTMLElement => createElement("span", { class: "nothing" }, ["not known"]);

function renderPolicies(policies: readonly PolicyMatch[]): readonly HTMLElement[] {
  if (policies.length === 0) return [renderNothing("No policy is loaded.")];
  const sorted = policies.toSorted((one, other) => Number(other.selects) - Number(one.selects));
  const selecting = policies.filter(({ selects }) => selects).length;
  const left = policies.length - maxPolicies;
  return [
    createElement("p", {}, [`${selecting} of ${policies.length} select it.`]),
    createElement("ul", { class: "policies" }, sorted.slice(0, maxPolicies).map(renderPolicy)),
    ...(left > 0 ? [renderNothing(`And ${left} more.`)] : []),
  ];
}

function renderPolicy(policy: PolicyMatch): HTMLElement {
  const { name, namespace, domain, state, mode, selects, failing, selectors } = policy;
  const full = namespace === "" ? name : `${namespace}/${name}`;
  const about = [domain, state, mode].filter((text) => text !== "").join(", ");
  return createElement("li", { "data-selects": `${selects}` }, [
    createElement("span", { class: "verdict" }, [selects ? "selects it" : "does not"]),
    createElement("span", { class: "policy-name", dir: "auto" }, [showInvisible(full)]),
    createElement("span", { class: "aside" }, [showInvisible(about)]),
    ...(failing === undefined ? [] : [renderTerm("", failing)]),
    ...selectors.slice(0, maxSelectors).map(renderSelector),
  ]);
}

const renderSelector = ({ selector, failing }: PolicyMatch["selectors"][number]): HTMLElement =>
  failing === undefined
    ? createElement("p", { class: "term", dir: "auto" }, [`${showInvisible(selector)} matches it.`])
    : renderTerm(`${showInvisible(selector)}: `, failing);

const renderTerm = (prefix: string, { term, found }: FailingTerm): HTMLElement =>
  createElement("p", { class: "term", dir: "auto" }, [
    `${prefix}not met: `,
    createElement("code", {}, [showInvisible(term)]),
    ", found: ",
    createElement("code", {}, [showInvisible(found)]),
  ]);

function renderEnforcement(policies: readonly PolicyMatch[]): readonly HTMLElement[] {
  const items = policies.flatMap(({ name, namespace, mode, selects, enforcement }) =>
    selects && enforcement !== undefined ? [renderEnforced({ name, namespace, mode, ...enforcement })] : [],
  );
  if (items.length === 0) return [renderNothing("No policy that selects it has rules in the kernel.")];
  const left = items.length - maxPolicies;
  return [
    createElement("ul", { class: "enforced" }, items.slice(0, maxPolicies)),
    ...(left > 0 ? [renderNothing(`And ${left} more.`)] : []),
    renderNothing("Counts are those of all processes on this node, not of this container alone."),
  ];
}

type Enforced = PolicyEnforcement & Pick<PolicyMatch, "name" | "namespace" | "mode">;

const renderEnforced = ({ name, namespace, mode, mechanism, counts }: Enforced): HTMLElement =>
  createElement("li", {}, [
    createElement("span", { class: "policy-name", dir: "auto" }, [
      showInvisible(namespace === "" ? name : `${namespace}/${name}`),
    ]),
    createElement("span", { class: "mechanism" }, [showInvisible(mechanism)]),
    createElement("span", { class: "aside" }, [
      `${showInvisible(mode)}, on this node: ${describeCounts(counts)}`,
    ]),
  ]);
