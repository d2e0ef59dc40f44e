// SPDX-License-Identifier: Apache-2.0
import type { RunningProcess } from "./process.ts";
import { waitFor } from "./wait.ts";

/** "host:port" of the program's inspector, from its log. */
export async function findInspectorAddress(program: RunningProcess): Promise<string> {
  const [, address = ""] = await waitFor("the address of the inspector", () =>
    /inspector listens.*?address[="":]*([\d.]+:\d+)/.exec(program.stderr()),
  );
  return address;
}
