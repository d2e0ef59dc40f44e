// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { rememberAnswers } from "./remember-answers.ts";

const objects = [{ text: "a" }, { text: "bb" }, { text: "ccc" }, { text: "dddddd" }] as const;

function open() {
  const asked: string[] = [];
  const answer = rememberAnswers(
    5,
    ({ text }: { readonly text: string }) => {
      asked.push(text);
      return text.toUpperCase();
    },
    ({ length }) => length,
  );
  return { asked, answer };
}

test("an answer that is known is not made again", () => {
  const { asked, answer } = open();
  const [a, bb] = objects;
  expect([a, bb, a, bb, a].map(answer)).toEqual(["A", "BB", "A", "BB", "A"]);
  expect(asked).toEqual(["a", "bb"]);
});

test("beyond the capacity it forgets what was before", () => {
  const { asked, answer } = open();
  const [a, bb, ccc] = objects;
  expect([a, bb, ccc, ccc, a].map(answer)).toEqual(["A", "BB", "CCC", "CCC", "A"]);
  expect(asked).toEqual(["a", "bb", "ccc", "a"]);
});

test("an answer larger than the capacity is not kept, and leaves the others", () => {
  const { asked, answer } = open();
  const [a, , , dddddd] = objects;
  expect([a, dddddd, dddddd, a].map(answer)).toEqual(["A", "DDDDDD", "DDDDDD", "A"]);
  expect(asked).toEqual(["a", "dddddd", "dddddd"]);
});
