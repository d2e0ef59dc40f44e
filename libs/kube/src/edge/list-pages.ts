// SPDX-License-Identifier: Apache-2.0
// A complete list in pages (Kubernetes API concepts: "Retrieving large results sets in chunks").

import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import type { ObjectLevels } from "../core/object-levels.ts";
import type { ApiClient } from "./api-client.ts";
import { type ApiError, noAnswer } from "./api-error.ts";

export interface ListOptions {
  readonly client: ApiClient;
  path(query: Readonly<Record<string, string>>): string;
  readonly levels: ObjectLevels;
  readonly accept?: string;
  /** The list must not be older; empty: as old as what the server has in memory. */
  readonly leastVersion: string;
  /** `level`: an index into `levels.page(1)`. `bytes`: the object's size if it was alone in its page, else 0. */
  onObject(object: unknown, level: number, bytes: number): void;
  readonly signal: AbortSignal;
}

const PAGE = 500;
/** The API server ends a request after a minute (--request-timeout). */
const TIMEOUT_MS = 60_000;

const schema = v.object({
  metadata: v.object({ resourceVersion: v.string(), continue: v.nullish(v.string()) }),
  items: v.nullish(v.array(v.unknown())),
});

/**
 * Returns the list's resource version. The first request may be answered from the server's memory, in one page whatever the
 * limit is; without a version the server would read all objects of the kind from its storage, for each node. A page that is
 * too large or too slow is requested again with half as many objects, and from the storage, which observes the limit.
 */
export async function listPages(options: ListOptions): Promise<Result<string, ApiError>> {
  const { client, path, levels, leastVersion, onObject, signal } = options;
  const accept = options.accept === undefined ? {} : { accept: options.accept };
  let limit = PAGE;
  let version: Readonly<Record<string, string>> =
    leastVersion === ""
      ? { resourceVersion: "0" }
      : { resourceVersion: leastVersion, resourceVersionMatch: "NotOlderThan" };
  for (let next = ""; ; ) {
    const query = { limit: String(limit), ...(next === "" ? version : { continue: next }) };
    const answer = await client.get(path(query), {
      ...{ timeoutMs: TIMEOUT_MS, levels: levels.page(limit), ...accept },
    });
    if (signal.aborted) return err(noAnswer("closed"));
    if (!answer.ok && answer.error.isTooLarge && limit > 1) {
      limit = Math.floor(limit / 2);
      version = {};
      continue;
    }
    if (!answer.ok) return answer;
    const page = parsePage(answer.value.text);
    if (page === undefined) return err(noAnswer("the API server's answer is not a list"));
    const { level, bytes } = answer.value;
    for (const item of page.items ?? []) onObject(item, level, limit === 1 ? bytes : 0);
    const following = page.metadata.continue ?? "";
    if (following === "") return ok(page.metadata.resourceVersion);
    if (following === next) return err(noAnswer("the API server repeats a page of the list"));
    next = following;
  }
}

function parsePage(text: string): v.InferOutput<typeof schema> | undefined {
  try {
    const page = v.safeParse(schema, JSON.parse(text));
    return page.success ? page.output : undefined;
  } catch {
    return undefined;
  }
}
