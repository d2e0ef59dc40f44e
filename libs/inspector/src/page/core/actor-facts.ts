// SPDX-License-Identifier: Apache-2.0
// What the page says of an actor besides its state, read from its context. Contexts come from outside: any member may
// be missing.

import { describeFailure, type FailureAdvice } from "@rthooks/explain";
import { readMember, textOf } from "./messages.ts";
import { showInvisible } from "./visible-text.ts";

export interface ActorFacts {
  /** A container's or a pod's name; the actor's id where the context has none. */
  readonly title: string;
  /** "namespace/pod" of a container, the namespace of a pod; empty where unknown. */
  readonly place: string;
}

/** Invisible characters are shown as escapes. */
export function readFacts(name: string, context: unknown): ActorFacts {
  const { title, place } = readRawFacts(name, context);
  return { title: showInvisible(title), place: showInvisible(place) };
}

function readRawFacts(name: string, context: unknown): ActorFacts {
  const report = readMember(context, "report");
  const pod = readMember(context, "pod") ?? readMember(context, "identity");
  const namespace = textOf(pod, "namespace") || textOf(report, "podNamespace");
  const podName = textOf(pod, "name") || textOf(report, "podName");
  if (report === undefined) return { title: podName || name, place: namespace };
  const title = textOf(report, "containerName") || textOf(report, "containerId") || name;
  return { title, place: [namespace, podName].filter((part) => part !== "").join("/") };
}

/** Why an actor failed, in plain words; undefined if it has not. */
export function readFailure(context: unknown): FailureAdvice | undefined {
  const failure = readMember(context, "failure");
  const message = textOf(failure, "message");
  return message === "" ? undefined : describeFailure(textOf(failure, "kind"), showInvisible(message));
}

const maxSearched = 4096;

/** All texts of a context in lower case, one a line, so that a search does not find what spans two of them. */
export function listTexts(context: unknown): string {
  const texts: string[] = [];
  let left = maxSearched;
  const visit = (value: unknown): void => {
    if (left <= 0) return;
    if (typeof value === "string" || typeof value === "number") {
      const text = String(value).slice(0, left);
      left -= text.length;
      texts.push(text);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        // Labels are found by "key=value" too.
        if (typeof member === "string" && !Array.isArray(value)) visit(`${key}=${member}`);
        else visit(member);
      }
    }
  };
  visit(context);
  return texts.join("\n").toLowerCase();
}
