// SPDX-License-Identifier: Apache-2.0
// What a program says of its containers and its node, as JSON: `GET /api/overview` and `GET /api/explain?container=ID`.

import type { Explanation, NodeOverview } from "@rthooks/explain";

export interface InspectorFacts {
  /** Undefined for a container of which nothing is known. */
  explain(containerId: string): Explanation | undefined | Promise<Explanation | undefined>;
  /** Undefined while the program starts. */
  overview(): NodeOverview | undefined;
}

export interface FactsAnswer {
  readonly status: 200 | 400 | 404 | 500 | 503;
  /** JSON with the status 200, else one line. */
  readonly text: string;
}

/** Longer than any container's id (runc allows a file name). */
const maxIdLength = 256;
/** In UTF-16 code units. Programs bound their lists; this is for lists that they forgot. */
const maxTextLength = 8 * 1024 * 1024;

/** Undefined for a path that is not of this interface. */
export async function answerFacts(
  facts: InspectorFacts | undefined,
  { pathname, searchParams }: URL,
): Promise<FactsAnswer | undefined> {
  if (pathname !== "/api/overview" && pathname !== "/api/explain") return undefined;
  if (facts === undefined) return { status: 404, text: "this program explains no containers" };
  if (pathname === "/api/overview") {
    const overview = facts.overview();
    return overview === undefined ? { status: 503, text: "the program is starting" } : toJson(overview);
  }
  const id = searchParams.get("container") ?? "";
  if (id === "" || id.length > maxIdLength) {
    return { status: 400, text: `name the container: ?container=ID, at most ${maxIdLength} characters` };
  }
  const explanation = await facts.explain(id);
  return explanation === undefined
    ? { status: 404, text: "no such container is on record" }
    : toJson(explanation);
}

function toJson(value: Explanation | NodeOverview): FactsAnswer {
  const text = JSON.stringify(value);
  return text.length > maxTextLength
    ? { status: 500, text: `the answer has ${text.length} characters, more than ${maxTextLength}` }
    : { status: 200, text };
}
