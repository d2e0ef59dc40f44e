// SPDX-License-Identifier: Apache-2.0
// The inspector's messages as the page needs them (../../wire/stately-events.ts writes them).

import { listPath } from "./state-ids.ts";

export interface PageActorMessage {
  readonly kind: "actor";
  readonly sequence: number;
  readonly sessionId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly machine: string;
  /** Unix time in milliseconds, with fractions: when the actor started. */
  readonly atMs: number;
  /** When it entered its state. */
  readonly changedMs: number;
  readonly snapshot: PageSnapshot;
}

export interface PageEventMessage {
  readonly kind: "event";
  readonly sequence: number;
  readonly sessionId: string;
  readonly event: unknown;
  /** Of the message, in UTF-16 code units. */
  readonly length: number;
}

export interface PageSnapshotMessage {
  readonly kind: "snapshot";
  readonly sequence: number;
  readonly sessionId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly machine: string;
  readonly atMs: number;
  /** The states before it, from the outermost to the innermost; empty for an actor's first snapshot. */
  readonly from: readonly string[];
  /** Since when the actor was in them. */
  readonly fromSinceMs: number;
  /** The type of the event that led to it. */
  readonly eventType: string;
  readonly snapshot: PageSnapshot;
  /** Of the message, in UTF-16 code units. */
  readonly length: number;
}

interface PageHelloMessage {
  readonly kind: "hello";
  readonly sequence: number;
  readonly boot: string;
  /** Events that are no longer kept. */
  readonly missed: number;
  /** How many messages with actors follow, instead of events; undefined where the connection goes on with events. */
  readonly actors: number | undefined;
  readonly program: string;
  /** Ids of the machines whose actors are inspected. */
  readonly machines: readonly string[];
  /** Whether the program has an overview and explanations. */
  readonly explains: boolean;
}

interface PageSnapshot {
  readonly status: string;
  /** XState's state value: a name, or an object of a name and the value inside of it. */
  readonly value: unknown;
  readonly context: unknown;
}

/** The first line of a part of the history. */
interface PageHistoryMessage {
  readonly kind: "history";
  readonly sequence: number;
  readonly boot: string;
  /** With a higher number than `oldest` there is an earlier part. */
  readonly first: number;
  readonly oldest: number;
}

export type PageMessage =
  | PageActorMessage
  | PageEventMessage
  | PageSnapshotMessage
  | PageHelloMessage
  | PageHistoryMessage;

/** Undefined for a text that is not a message which the page knows. */
export function parseMessage(text: string): PageMessage | undefined {
  const message = parseJson(text);
  const sequence = numberOf(message, "sequence") ?? 0;
  const sessionId = textOf(message, "sessionId");
  const atMs = numberOf(message, "atMs") ?? 0;
  const identity = {
    parentId: textOf(message, "parentId") || undefined,
    name: textOf(message, "name"),
    machine: textOf(message, "machine"),
  };
  switch (readMember(message, "type")) {
    case "@rthooks.hello":
      return {
        kind: "hello",
        sequence,
        boot: textOf(message, "boot"),
        missed: numberOf(message, "missed") ?? 0,
        actors: numberOf(message, "actors"),
        program: textOf(message, "program"),
        machines: listOf(readMember(message, "machines")).map(String),
        explains: readMember(message, "explains") === true,
      };
    case "@rthooks.history":
      return {
        kind: "history",
        sequence,
        boot: textOf(message, "boot"),
        first: numberOf(message, "first") ?? 0,
        oldest: numberOf(message, "oldest") ?? 0,
      };
    case "@xstate.actor":
      return {
        kind: "actor",
        ...{ sequence, sessionId, atMs },
        ...identity,
        changedMs: numberOf(message, "changedMs") ?? atMs,
        snapshot: toSnapshot(readMember(message, "snapshot")),
      };
    case "@xstate.event":
      return { kind: "event", sequence, sessionId, event: readMember(message, "event"), length: text.length };
    case "@xstate.snapshot":
      return {
        kind: "snapshot",
        ...{ sequence, sessionId, atMs, length: text.length },
        ...identity,
        from: listPath(textOf(message, "from")),
        fromSinceMs: numberOf(message, "fromSinceMs") ?? atMs,
        eventType: textOf(readMember(message, "event"), "type"),
        snapshot: toSnapshot(readMember(message, "snapshot")),
      };
    default:
      return undefined;
  }
}

/** Undefined for a value that is not an object with that member. */
export const readMember = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;

/** Empty where the member is not a text. */
export function textOf(value: unknown, key: string): string {
  const member = readMember(value, key);
  return typeof member === "string" ? member : "";
}

function numberOf(value: unknown, key: string): number | undefined {
  const member = readMember(value, key);
  return typeof member === "number" ? member : undefined;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const toSnapshot = (snapshot: unknown): PageSnapshot => ({
  status: textOf(snapshot, "status"),
  value: readMember(snapshot, "value"),
  context: readMember(snapshot, "context"),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
