// SPDX-License-Identifier: Apache-2.0

/** A field of a tracepoint's record: where it is in the context of a program that is attached to it. */
export interface TracepointField {
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
  readonly isSigned: boolean;
  /** What the field has: a value, an array in its place, or where in the record an array is (__data_loc). */
  readonly content: "value" | "array" | "location";
}

const line = /^\s*field:([^;]+);\s*offset:(\d+);\s*size:(\d+);\s*signed:([01]);/gm;

/**
 * The fields of a tracepoint in their order, the common ones first: the file `format` of tracefs
 * (kernel/trace/trace_events.c, f_show).
 */
export function parseTracepointFormat(text: string): readonly TracepointField[] {
  return [...text.matchAll(line)].map(([, declaration = "", offset, size, signed]) => ({
    ...{ offset: Number(offset), size: Number(size), isSigned: signed === "1" },
    content: findContent(declaration),
  }));
}

function findContent(declaration: string): TracepointField["content"] {
  if (declaration.startsWith("__data_loc ")) return "location";
  // Where a __rel_loc is is not read: it is only a number.
  return declaration.includes("[") && !declaration.startsWith("__rel_loc ") ? "array" : "value";
}
