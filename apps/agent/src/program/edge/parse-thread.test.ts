// SPDX-License-Identifier: Apache-2.0

import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parsePolicyText } from "../../policies/edge/policy-text.ts";
import { startParseThread } from "./parse-thread.ts";

const thread = startParseThread();
afterAll(() => thread.close());

const policies = join(import.meta.dir, "../../../../../tests/policy/policies");

test("what the thread reads is what this one would have read", async () => {
  for (const name of readdirSync(policies)) {
    const text = readFileSync(join(policies, name), "utf8");
    const direct = parsePolicyText(text);
    expect(direct.ok).toBe(true);
    expect(await thread.parsePolicy(text)).toEqual(direct);
    expect(await thread.parsePolicy(new TextEncoder().encode(text))).toEqual(direct);
  }
});

test("answers come to those who asked, in whatever order the kinds are", async () => {
  const pod = '{"kind":"Pod","metadata":{"name":"a","namespace":"shop","uid":"u"}}';
  const [wrong, pods, object, policy] = await Promise.all([
    thread.parsePolicy("["),
    thread.parsePods(pod),
    thread.parsePolicyObject('{"kind":"TracingPolicy"}'),
    thread.parsePolicy(pod),
  ]);
  expect(object).toMatchObject({
    error: "apiVersion: is required; metadata: is required; spec: is required",
  });
  expect(wrong.ok).toBe(false);
  expect(pods).toMatchObject({ ok: true, value: [{ uid: "u" }] });
  expect(policy).toMatchObject({ ok: false, error: expect.stringContaining("unknown CRD kind: Pod") });
});

test("nothing that is parsed holds up this thread or ends the other", async () => {
  const many = Array.from({ length: 4500 }, (_, at) => `  - call: sys_x${at}\n    args: [{index: 0}]\n`).join(
    "",
  );
  const long = `apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: x}\nspec:\n  kprobes:\n${many}`;
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const answers = await Promise.all(
    [long, "[".repeat(900_000), `{"a":${"[".repeat(900_000)}`, '"'.repeat(900_000)].map(thread.parsePolicy),
  );
  clearInterval(timer);
  expect(answers.map(({ ok }) => ok)).toEqual([true, false, false, false]);
  expect(turns).toBeGreaterThan(3);
  expect((await thread.parsePolicy("")).ok).toBe(false);
});
