// SPDX-License-Identifier: Apache-2.0
// The output of `tetragon explain`.

import {
  type Explanation,
  type FailingTerm,
  nameHolder,
  type PolicyMatch,
  type RuntimeHold,
} from "@rthooks/explain";
import { type Column, cutText, renderTable, type Screen, type Style, toPrintable } from "@rthooks/terminal";

export function renderExplanations(explanations: readonly Explanation[], screen: Screen): readonly string[] {
  const blocks = explanations.map((explanation) => renderExplanation(explanation, screen));
  return blocks.flatMap((lines, at) => (at === 0 ? lines : ["", ...lines]));
}

/** Plain JSON: fields that are not known are left out. */
export const toExplanationsDocument = (explanations: readonly Explanation[]): unknown =>
  JSON.parse(JSON.stringify({ explanations }));

const indent = "  ";

function renderExplanation(explanation: Explanation, screen: Screen): readonly string[] {
  const inner: Screen = { ...screen, columns: screen.columns - indent.length };
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ["", screen.paint("bold", title), ...lines.map((line) => `${indent}${line}`)];
  const { containerId, state, outcome, identity, hold, policies, failure } = explanation;
  const find = (wanted: string): string => identity.find(({ part }) => part === wanted)?.value || "-";
  const name = ["namespace", "pod", "container"].map(find).join("/");
  const cut = (line: string): string => cutText(toPrintable(line), inner.columns, screen.widthOf);
  const { endedMs } = explanation;
  return [
    `${screen.paint("bold", toPrintable(name))}  ${screen.paint(outcomeStyles[outcome], outcome)}`,
    cutText(toPrintable(`${indent}container id: ${containerId}`), screen.columns, screen.widthOf),
    `${indent}first report: ${renderMs(explanation.firstReportMs)}${state === "" ? "" : `, state: ${toPrintable(state)}`}`,
    ...(endedMs === undefined ? [] : [`${indent}ended: ${renderMs(endedMs)}`]),
    ...section(
      "Failure",
      failure === undefined
        ? []
        : // Sentences wrap at the terminal: what to do must not be cut.
          [
            toPrintable(failure.what),
            toPrintable(failure.next),
            cut(`message (${failure.kind}): ${failure.message}`),
          ],
    ),
    ...section("Identity", renderIdentity(explanation, inner)),
    ...section(...renderHold(hold, inner)),
    ...section("Policies", renderPolicies(policies, inner)),
    ...section("Enforcement (counts: all processes on this node)", renderEnforcement(policies, inner)),
  ];
}

const outcomeStyles: Readonly<Record<Explanation["outcome"], Style>> = {
  held: "yellow",
  running: "green",
  denied: "red",
  failed: "red",
  ended: "dim",
};

function renderIdentity({ identity }: Explanation, screen: Screen): readonly string[] {
  const columns: readonly Column[] = [
    { title: "PART" },
    { title: "VALUE", shrinksTo: 20 },
    { title: "REPORTED BY" },
    { title: "AT" },
  ];
  const rows = identity.map(({ part, value, source, reportedMs }) => [
    { text: part },
    { text: value || "-" },
    { text: source || "-" },
    { text: reportedMs === undefined ? "-" : renderMs(reportedMs) },
  ]);
  return renderTable(columns, rows, screen);
}

function renderHold(
  hold: RuntimeHold | undefined,
  screen: Screen,
): [title: string, lines: readonly string[]] {
  if (hold === undefined) return ["Hold", ["The runtime was not held by this agent's hook or plugin."]];
  const { by, startedMs, durationMs, phases } = hold;
  const columns: readonly Column[] = [
    { title: "AFTER" },
    { title: "TOOK" },
    { title: "WHERE" },
    { title: "WHAT", shrinksTo: 10 },
  ];
  const rows = phases.map((phase) => [
    { text: renderDuration(phase.startedMs - startedMs) },
    { text: renderDuration(phase.durationMs) },
    { text: phase.where },
    { text: phase.what },
  ]);
  return [
    `Hold: ${renderDuration(durationMs)} by the ${nameHolder(by)}, from ${renderMs(startedMs)}`,
    renderTable(columns, rows, screen),
  ];
}

function renderPolicies(policies: readonly PolicyMatch[], screen: Screen): readonly string[] {
  if (policies.length === 0) return ["The agent has no tracing policies."];
  const columns: readonly Column[] = [
    { title: "POLICY", shrinksTo: 20 },
    { title: "NAMESPACE", shrinksTo: 10 },
    { title: "DOMAIN" },
    { title: "MODE" },
    { title: "SELECTS" },
    { title: "TERM NOT MET", shrinksTo: 20 },
    { title: "FOUND", shrinksTo: 12 },
  ];
  const rows = policies.flatMap(({ name, namespace, domain, mode, selects, failing, selectors }) => [
    [
      ...[name, namespace || "(global)", domain, mode].map((text) => ({ text })),
      toSelects(selects),
      ...toTerm(failing),
    ],
    ...selectors.map((one) => [
      { text: `  ${one.selector}` },
      ...["", "", ""].map((text) => ({ text })),
      toSelects(one.failing === undefined),
      ...toTerm(one.failing),
    ]),
  ]);
  return renderTable(columns, rows, screen);
}

function renderEnforcement(policies: readonly PolicyMatch[], screen: Screen): readonly string[] {
  const columns: readonly Column[] = [
    { title: "POLICY", shrinksTo: 20 },
    { title: "NAMESPACE", shrinksTo: 10 },
    { title: "MECHANISM", shrinksTo: 20 },
    ...["MATCHES", "DENIALS", "SIGNALS", "WITHHELD"].map((title) => ({ title })),
  ];
  const rows = policies.flatMap(({ name, namespace, selects, enforcement }) => {
    if (!selects || enforcement === undefined) return [];
    const { mechanism, counts } = enforcement;
    const { matches, denials, signals, withheld } = counts ?? {};
    const numbers = [matches, denials, signals, withheld].map((count) => `${count ?? "-"}`);
    return [[name, namespace || "(global)", mechanism, ...numbers].map((text) => ({ text }))];
  });
  if (rows.length === 0) return ["No policy that selects it has rules in the kernel."];
  return renderTable(columns, rows, screen);
}

const toSelects = (selects: boolean): { readonly text: string; readonly style: Style } =>
  selects ? { text: "yes", style: "green" } : { text: "no", style: "yellow" };

const toTerm = (failing: FailingTerm | undefined): readonly { readonly text: string }[] => [
  { text: failing?.term ?? "-" },
  { text: failing?.found ?? "-" },
];

/** RFC 3339 in UTC with milliseconds. A time that no clock has, of a hostile log, is shown as its number. */
const renderMs = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms}`);

const renderDuration = (ms: number): string => `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
