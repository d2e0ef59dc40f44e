// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { err, ok } from "@rthooks/result";
import { createRuleNumbers, MAX_RULES } from "./rule-numbers.ts";

const none = new Set<number>();
const of = (...sizes: readonly number[]) => sizes.map((size) => Array.from({ length: size }, () => 1));
const range = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

test("rules of one hook have consecutive numbers within one word", () => {
  const numbers = createRuleNumbers(new Map());
  expect(numbers.take("crd//a", of(60), none)).toEqual(ok([range(0, 60)]));
  expect(numbers.take("crd//b", of(5, 1), none)).toEqual(ok([range(64, 5), [69]]));
});

test("a number that was given back is the last one to be given out again", () => {
  const numbers = createRuleNumbers(new Map());
  expect(numbers.take("crd//a", of(1), none)).toEqual(ok([[0]]));
  numbers.release([0]);
  for (let number = 1; number < MAX_RULES; number++)
    expect(numbers.take(`crd//p${number}`, of(1), none)).toEqual(ok([[number]]));
  expect(numbers.take("crd//last", of(1), none)).toEqual(ok([[0]]));
});

test("numbers of an earlier agent are not given out", () => {
  const numbers = createRuleNumbers(new Map([[0, "crd/shop/a#kprobes.0.0"]]));
  expect(numbers.take("crd//b", of(1), none)).toEqual(ok([[1]]));
  expect(numbers.counts()).toEqual(
    new Map([
      ["shop", 1],
      ["", 1],
    ]),
  );
});

test("without room for all groups none is taken", () => {
  const numbers = createRuleNumbers(new Map());
  expect(numbers.take("crd//a", of(64, 64, 64, 60), none).ok).toBe(true);
  expect(numbers.take("crd//b", of(2, 5), none)).toEqual(err("it needs 7 rules, and 252 of 256 are in use"));
  expect(numbers.used()).toBe(252);
});

describe("limits", () => {
  const limits = { perNamespace: 3, forCluster: 251 };
  test("of one namespace", () => {
    const numbers = createRuleNumbers(new Map(), limits);
    expect(numbers.take("crd/shop/a", of(2), none)).toEqual(ok([[0, 1]]));
    expect(numbers.take("crd/shop/b", of(2), none)).toEqual(
      err(
        "the policies of namespace shop would have 4 rules, of 3 that they may have, one for each selector (--namespace-rules)",
      ),
    );
  });
  test("of all namespaces", () => {
    const numbers = createRuleNumbers(new Map(), limits);
    expect(numbers.take("crd/shop/a", of(3), none).ok).toBe(true);
    expect(numbers.take("crd/bank/a", of(3), none)).toEqual(
      err(
        "namespaced policies would have 6 rules, of 5; the other 251 are reserved for cluster-wide policies (--cluster-rules)",
      ),
    );
    expect(numbers.take("crd//a", of(64), none).ok).toBe(true);
  });
  test("of values in filters", () => {
    const numbers = createRuleNumbers(new Map([[9, "crd/shop/old#kprobes.0.0"]]));
    numbers.weigh(9, 1048);
    expect(numbers.take("crd/shop/a", [[1001]], none)).toEqual(
      err(
        "the policies of namespace shop would have 2049 values in their filters, of 2048 that they may have",
      ),
    );
    for (const name of ["a", "b", "c", "d", "e"])
      expect(numbers.take(`crd/${name}/a`, [[2048]], none).ok).toBe(true);
    expect(numbers.take("crd/f/a", [[1001]], none)).toEqual(
      err("namespaced policies would have 12289 values in their filters, of 12288"),
    );
    expect(numbers.take("crd//a", [[16_384]], none).ok).toBe(true);
  });
  test("rules that are about to leave do not count", () => {
    const numbers = createRuleNumbers(new Map(), limits);
    expect(numbers.take("crd/shop/a", of(3), none)).toEqual(ok([[0, 1, 2]]));
    expect(numbers.take("crd/shop/a", of(3), new Set([0, 1, 2]))).toEqual(ok([[3, 4, 5]]));
  });
});
