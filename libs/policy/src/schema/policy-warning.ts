// SPDX-License-Identifier: Apache-2.0
// Ineffective settings of a policy. The reference accepts them silently, so they are warnings here.

import { describeValue } from "./describe-value.ts";
import { findNearestNames, joinNames } from "./nearest-names.ts";
import { isKnownOption, optionNames } from "./policy-option.ts";
import { maxProblems, type PolicyProblem, renderPath } from "./policy-problem.ts";
import type { TracingPolicySpec } from "./policy-spec.ts";
import { hookKinds } from "./references.ts";

const maxMessageBytes = 256;

export function findWarnings(spec: TracingPolicySpec): readonly PolicyProblem[] {
  const options = spec.options.flatMap((option, index) => {
    if (isKnownOption(option)) return [];
    const near = findNearestNames(option.name, optionNames);
    const hint = near.length > 0 ? `did you mean ${joinNames(near)}?` : `known: ${joinNames(optionNames)}`;
    return [
      {
        path: renderPath(["spec", "options", index, "name"]),
        message: `unknown option ${describeValue(option.name)} is ignored; ${hint}`,
      },
    ];
  });
  const messages = hookKinds.flatMap((kind) =>
    spec[kind].flatMap(({ message }, index) =>
      shorten(message) === message
        ? []
        : [
            {
              path: renderPath(["spec", kind, index, "message"]),
              message: `is cut after ${maxMessageBytes} bytes`,
            },
          ],
    ),
  );
  return [...options, ...messages].slice(0, maxProblems);
}

export function shortenMessages(spec: TracingPolicySpec): TracingPolicySpec {
  const cut = <T extends { readonly message: string }>(hook: T): T => ({
    ...hook,
    message: shorten(hook.message),
  });
  return {
    ...spec,
    kprobes: spec.kprobes.map(cut),
    fentries: spec.fentries.map(cut),
    tracepoints: spec.tracepoints.map(cut),
    lsmhooks: spec.lsmhooks.map(cut),
    uprobes: spec.uprobes.map(cut),
    usdts: spec.usdts.map(cut),
  };
}

/** Cuts between characters. */
function shorten(message: string): string {
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= maxMessageBytes) return message;
  let end = maxMessageBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
