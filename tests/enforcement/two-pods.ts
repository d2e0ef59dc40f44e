// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import type { Workspace } from "../harness/workspace.ts";
import type { Pod } from "./acting-container.ts";

export interface TwoPods {
  /** Policies of `toPolicy` select it. */
  readonly web: Pod;
  readonly database: Pod;
  /** For --pods-file. */
  readonly podsFile: string;
}

export function writeTwoPods(workspace: Workspace): TwoPods {
  const create = (app: string) => ({
    ...{ name: `${app}-0`, namespace: "shop", uid: crypto.randomUUID(), labels: { app } },
  });
  const [web, database] = [create("web"), create("db")] as const; // const: there are two
  const items = [web, database].map((metadata) => ({ kind: "Pod", metadata }));
  const podsFile = workspace.path("pods.json");
  writeFileSync(podsFile, JSON.stringify({ kind: "List", items }));
  return { web, database, podsFile };
}
