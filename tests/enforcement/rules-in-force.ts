// SPDX-License-Identifier: Apache-2.0
// An observer of the maps of rules: it reads what is pinned, and writes nothing.
import { join } from "node:path";
import { type BpfMap, openBpf } from "@rthooks/bpf";
import { must } from "@rthooks/result/must";

export interface RuleObserver {
  /** Keys and content of the rules in force about a container, in the order of their names. */
  inForce(cgroupId: bigint): readonly string[];
  /** Entries of the maps of values, which no rule in force may need. */
  values(): number;
  close(): void;
}

const SET_BYTES = 32;

/** `directory`: the agent's directory for BPF. */
export function openRuleObserver(directory: string): RuleObserver {
  const bpf = must(openBpf());
  const open = (name: string): BpfMap => {
    const map = must(bpf.openPinned(join(directory, "enforcement", name)));
    if (map === undefined) throw new Error(`${name} is not pinned`);
    return map;
  };
  const [current, tables, owners] = ["current_rules", "rule_tables", "rule_owners"].map(open);
  const [containers, texts] = ["container_rules", "text_filters"].map(open);
  if (!current || !tables || !owners || !containers || !texts) throw new Error("five maps were opened");
  const read = (map: BpfMap, key: bigint): Uint8Array =>
    must(map.lookup(new Uint8Array(new BigUint64Array([key]).buffer, 0, map.info.keySize))) ??
    new Uint8Array(map.info.valueSize);
  return {
    inForce(cgroupId) {
      const version = BigInt(read(current, 0n)[0] ?? 0);
      // The first set of a table has the rules that are in force (bpf/rules.h).
      const active = read(tables, version).subarray(0, SET_BYTES);
      const own = read(containers, cgroupId);
      const found: string[] = [];
      for (let rule = 0; rule < SET_BYTES * 8; rule++) {
        const isIn = (set: Uint8Array): boolean => (((set[rule >> 3] ?? 0) >> (rule & 7)) & 1) === 1;
        if (!isIn(active) || !isIn(own)) continue;
        const [key, digest = ""] = new TextDecoder().decode(read(owners, BigInt(rule))).split("\0");
        // After the dot there are the numbers of its hooks, which each agent gives out anew.
        found.push(`${key} ${digest.split(".")[0]}`);
      }
      return found.toSorted();
    },
    values: () => must(texts.keys()).length / texts.info.keySize,
    close() {
      for (const map of [current, tables, owners, containers, texts]) map.close();
    },
  };
}
