// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { takeTurns } from "./take-turns.ts";

test("a key that comes again and again while another has its turn has one, and keeps its place", async () => {
  const done: string[] = [];
  const idle = Promise.withResolvers<void>();
  let release = (): void => {};
  const turns = takeTurns(async (key) => {
    done.push(key);
    if (key === "slow") await new Promise<void>((resolve) => (release = resolve));
  }, idle.resolve);
  turns.add("slow");
  while (done.length === 0) await Bun.sleep(1);
  for (const key of ["a", "b", "a", "a", "slow", "a"]) turns.add(key);
  expect([done, turns.isIdle()]).toEqual([["slow"], false]);
  const first = release;
  first();
  while (release === first) await Bun.sleep(1);
  expect(done).toEqual(["slow", "a", "b", "slow"]);
  release();
  await idle.promise;
  expect(turns.isIdle()).toBeTrue();
});

test("what waits is dropped at the end", async () => {
  const done: string[] = [];
  const turns = takeTurns(
    async (key) => void done.push(key),
    () => {},
  );
  turns.add("a");
  turns.close();
  while (!turns.isIdle()) await Bun.sleep(1);
  expect(done).toEqual([]);
});
