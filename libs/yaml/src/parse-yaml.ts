// SPDX-License-Identifier: Apache-2.0
// Parses YAML (docs/adr/0015) or JSON documents. A duplicate key is an error, and so are aliases that expand to a large
// value: the work is bounded by the length of the text.

import { type PathKey, renderPath } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import {
  CORE_SCHEMA,
  constructFromEvents,
  EVENT_ID,
  getScalarValue,
  mergeTag,
  parseEvents,
  YAMLException,
} from "js-yaml";
import { findDuplicateKey } from "./duplicate-json-key.ts";

/** Merge keys (`<<`) belong to YAML 1.1; kubectl accepts them. */
const schema = CORE_SCHEMA.withTags(mergeTag);

/** Maximum number of values after all aliases are expanded. */
const MAX_VALUES = 1_000_000;
/** In characters. The events of the parser take some twenty times the memory of the text. */
const MAX_YAML_LENGTH = 16 * 1024 * 1024;

type YamlEvents = ReturnType<typeof parseEvents>;

/** The documents of the text. The error is one line; for a duplicate key it has the path. */
export function parseYaml(given: string): Result<readonly unknown[], string> {
  const text = given.startsWith("\uFEFF") ? given.slice(1) : given;
  // JSON is YAML too, but JSON.parse is many times faster.
  const json = text.trimStart().startsWith("{") ? parseJson(text) : undefined;
  if (json !== undefined) return json;
  if (text.length > MAX_YAML_LENGTH)
    return err(`it is not JSON, and YAML may have at most ${MAX_YAML_LENGTH} characters`);
  let events: YamlEvents = [];
  try {
    events = parseEvents(text, {});
    const documents = constructFromEvents(events, { source: text, schema });
    const hasAliases = events.some(({ type }) => type === EVENT_ID.ALIAS);
    if (hasAliases && !isWithin(documents, MAX_VALUES))
      return err(`its aliases expand to more than ${MAX_VALUES} values`);
    return ok(documents);
  } catch (error) {
    return err(describeFault(error, text, events));
  }
}

/** Undefined for a text that is not JSON; it may be YAML. */
function parseJson(text: string): Result<readonly unknown[], string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const duplicate = findDuplicateKey(text);
  return duplicate === undefined ? ok([value]) : err(describeDuplicate(duplicate));
}

const describeDuplicate = (path: readonly PathKey[]): string => `${renderPath(path)}: duplicate key`;

function describeFault(error: unknown, text: string, events: YamlEvents): string {
  if (!(error instanceof YAMLException)) return "it is nested too deeply";
  const { reason, mark } = error;
  if (mark === undefined) return reason;
  const place = `line ${mark.line + 1}, column ${mark.column + 1}`;
  if (reason !== "duplicated mapping key") return `${place}: ${reason}`;
  return `${describeDuplicate(findPath(text, events, mark.position))} (${place})`;
}

/** The path of the key at the position. */
function findPath(text: string, events: YamlEvents, position: number): readonly PathKey[] {
  /** The key or index that is being read in each open mapping and list; undefined where a key comes next. */
  const path: { key: PathKey | undefined }[] = [];
  const conclude = (): void => {
    const frame = path.at(-1);
    if (frame !== undefined) frame.key = typeof frame.key === "number" ? frame.key + 1 : undefined;
  };
  for (const event of events) {
    const frame = path.at(-1);
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        path.length = 0;
        break;
      case EVENT_ID.SEQUENCE:
        path.push({ key: 0 });
        break;
      case EVENT_ID.MAPPING:
        path.push({ key: undefined });
        break;
      case EVENT_ID.POP:
        path.pop();
        conclude();
        break;
      default:
        if (frame === undefined || frame.key !== undefined) {
          conclude();
          break;
        }
        // The text of an alias that is a key is known only at its anchor.
        frame.key = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : "*";
        if (event.type === EVENT_ID.SCALAR && event.valueStart >= position)
          return path.flatMap(({ key }) => key ?? []);
    }
  }
  return [];
}

/** Whether the value contains at most `max` values, counting a value at each place where it occurs. */
function isWithin(value: unknown, limit: number): boolean {
  const sizes = new Map<object, number>();
  const measure = (one: unknown): number => {
    if (typeof one !== "object" || one === null) return 1;
    const known = sizes.get(one);
    if (known !== undefined) return known;
    // A value that contains itself never ends.
    sizes.set(one, Number.POSITIVE_INFINITY);
    let size = 1;
    for (const part of Object.values(one)) size += measure(part);
    sizes.set(one, size);
    return size;
  };
  return measure(value) <= limit;
}
