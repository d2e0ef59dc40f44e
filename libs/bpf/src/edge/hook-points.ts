// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import { encodeNumber } from "../core/bytes.ts";
import {
  type DynamicHook,
  HOOK_POINT_BYTES,
  parseDynamicHook,
  renderDynamicHook,
} from "../core/hook-point.ts";
import type { BpfMap } from "./bpf-map.ts";

/** The pinned map with the hooks that policies made up, by their numbers. */
export interface HookPoints {
  /** Undefined for a number without a hook. */
  get(id: number): DynamicHook | undefined;
  has(id: number): boolean;
  ids(): Iterable<number>;
  /** The number of this very hook. */
  find(hook: DynamicHook): number | undefined;
  set(id: number, hook: DynamicHook): Result<void, string>;
  delete(id: number): Result<void, string>;
}

/** The error is one line. */
export function openHookPoints(map: BpfMap): Result<HookPoints, string> {
  const texts = new Map<number, string>();
  const keys = map.keys();
  if (!keys.ok) return err(renderBpfError(keys.error));
  const ids = new Uint32Array(keys.value.buffer, keys.value.byteOffset, keys.value.length / 4);
  for (const id of ids) {
    const value = map.lookup(encodeNumber(id));
    if (!value.ok) return err(renderBpfError(value.error));
    const bytes = value.value ?? new Uint8Array();
    texts.set(id, new TextDecoder().decode(bytes.subarray(0, Math.max(0, bytes.indexOf(0)))));
  }
  return ok({
    get: (id) => parseDynamicHook(texts.get(id) ?? ""),
    has: (id) => texts.has(id),
    ids: () => texts.keys(),
    find(hook) {
      const wanted = renderDynamicHook(hook);
      return [...texts].find(([, text]) => text === wanted)?.[0];
    },
    set(id, hook) {
      const text = renderDynamicHook(hook);
      const bytes = new TextEncoder().encode(text);
      if (bytes.length >= HOOK_POINT_BYTES) return err(`its name and arguments have ${bytes.length} bytes`);
      const value = new Uint8Array(HOOK_POINT_BYTES);
      value.set(bytes);
      const done = map.update(encodeNumber(id), value);
      if (!done.ok) return err(renderBpfError(done.error));
      texts.set(id, text);
      return ok(undefined);
    },
    delete(id) {
      const done = map.delete(encodeNumber(id));
      if (!done.ok) return err(renderBpfError(done.error));
      texts.delete(id);
      return ok(undefined);
    },
  });
}
