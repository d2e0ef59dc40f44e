// SPDX-License-Identifier: Apache-2.0
// What documents name exists: files, functions, and the policies of examples. Links are in links.test.ts.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseTracingPolicy } from "@rthooks/policy";
import { parse } from "yaml";
import { documents, findCode, readText, root } from "./documents.ts";

test("the documents are really seen", () => {
  expect(documents.length).toBeGreaterThan(25);
});

test("the README has at most 150 lines", () => {
  expect(readText("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
});

/** A path of this repository, perhaps with a pattern in it. */
const ownPath = /^(?:apps|bench|docs|libs|scripts|tests)\/[\w./*{},-]+$/;

test.each(documents.filter(({ path }) => path !== "CHANGELOG.md"))(
  "$path names files that exist",
  ({ text }) => {
    const named = findCode(text).filter((code) => ownPath.test(code));
    const missing = named.filter(
      (path) =>
        !existsSync(join(root, path)) &&
        [...new Bun.Glob(path).scanSync({ cwd: root, onlyFiles: false })].length === 0,
    );
    expect(missing).toEqual([]);
  },
);

test("docs/architecture.md names files that exist, of the agent or of a package", () => {
  const named = findCode(readText("docs/architecture.md")).filter((code) => code.endsWith(".ts"));
  expect(named.length).toBeGreaterThan(50);
  const folders = [root, join(root, "apps/agent/src")];
  expect(named.filter((path) => !folders.some((folder) => existsSync(join(folder, path))))).toEqual([]);
});

test("docs/architecture.md names functions of these files", () => {
  const steps = [...readText("docs/architecture.md").matchAll(/^\d+\. `([^`]+\.ts)`, `(\w+)`/gm)];
  expect(steps.length).toBeGreaterThan(10);
  const wrong = steps.filter(([, path = "", name = ""]) => {
    const file = existsSync(join(root, path)) ? path : join("apps/agent/src", path);
    return !readText(file).includes(name);
  });
  expect(wrong.map(([step]) => step)).toEqual([]);
});

const files = ["apps", "bench", "libs", "scripts", "tests"].flatMap((folder) =>
  [...new Bun.Glob("**/*.ts").scanSync(join(root, folder))].map((path) => `/${folder}/${path}`),
);

test.each(documents)("$path names sources that exist", ({ text }) => {
  const named = findCode(text).filter((code) => /^[\w/-][\w./-]*\.ts$/.test(code));
  expect(named.filter((path) => !files.some((file) => file.endsWith(`/${path}`)))).toEqual([]);
});

test("each policy of an example is valid", () => {
  const blocks = documents.flatMap(({ text }) => [...text.matchAll(/^```yaml\n(.*?)^```$/gms)]);
  const policies = blocks
    .map(([, block = ""]) => block)
    .filter((block) => block.includes("kind: TracingPolicy"));
  expect(policies.length).toBeGreaterThan(0);
  for (const policy of policies) expect(parseTracingPolicy(parse(policy))).toMatchObject({ ok: true });
});
