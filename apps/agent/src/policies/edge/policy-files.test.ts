// SPDX-License-Identifier: Apache-2.0

import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { startParseThread } from "../../program/edge/parse-thread.ts";
import type { PolicyStore } from "../core/policy-store.ts";
import { createMemoryPolicies } from "./memory-policies.fixture.ts";
import { openPolicyFiles, type PolicyFiles } from "./policy-files.ts";

const base = mkdtempSync(join(tmpdir(), "rthooks-policies-"));
const parser = startParseThread();
const directories = openDirectoryWatch();
/** What no event reports is not seen in time. */
const times = { activeMs: 5, watchedMs: 600_000, unwatchedMs: 600_000 };
afterAll(() => {
  directories.close();
  parser.close();
  rmSync(base, { recursive: true });
});

const policy = (name: string, spec = "{}"): string =>
  `apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata:\n  name: ${name}\nspec: ${spec}\n`;

describe("policy files", () => {
  let directory = "";
  let policies: PolicyStore;
  let files: PolicyFiles | undefined;
  let settled = 0;
  let lines: string[] = [];
  const note = (text: string): void => void lines.push(text);
  const log = { debug: note, info: note, warn: note, error: note };
  const path = (name: string): string => join(directory, name);
  const names = (): readonly string[] =>
    policies
      .list("")
      .filter(({ state }) => state === "enabled")
      .map(({ name }) => name);
  const list = () => policies.list("").map(({ name, state, error }) => ({ name, state, error }));
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await Bun.sleep(2);
  };
  const countLogs = (text: string): number => lines.filter((line) => line.includes(text)).length;
  const open = async (file = "", firstReadMs = 3000): Promise<void> => {
    files = await openPolicyFiles({
      ...{ file, directory, policies, parser, log, directories, times, firstReadMs },
      onSettled: () => settled++,
    });
  };

  beforeEach(() => {
    directory = mkdtempSync(join(base, "d-"));
    policies = createMemoryPolicies();
    settled = 0;
    lines = [];
  });
  afterEach(() => files?.close());

  test("are in force when the agent has opened them, and nothing is settled before they were looked at for a while", async () => {
    writeFileSync(path("a.yaml"), policy("a"));
    await open();
    expect(names()).toEqual(["a"]);
    expect(settled).toBe(0);
    await until(() => settled === 1);
    expect(files?.problem()).toBe("");
  });

  test("are in force when the agent has opened them, however long that takes for each", async () => {
    let preparing = 0;
    let gate = Promise.withResolvers<void>();
    policies = createMemoryPolicies(() => {
      preparing++;
      return gate.promise;
    });
    for (const name of ["a", "b"]) writeFileSync(path(`${name}.yaml`), policy(name));
    let isOpen = false;
    const opened = open("", 500).then(() => {
      isOpen = true;
    });
    for (const count of [1, 2]) {
      await until(() => preparing === count);
      await Bun.sleep(700);
      expect(isOpen).toBe(false);
      const before = gate;
      gate = Promise.withResolvers();
      before.resolve();
    }
    await opened;
    expect(names()).toEqual(["a", "b"]);
  });

  test("that are away for a moment keep their policies; those that stay away lose them", async () => {
    writeFileSync(path("a.yaml"), policy("a"));
    await open();
    renameSync(directory, `${directory}.away`);
    await until(() => countLogs("is missing") === 1);
    renameSync(`${directory}.away`, directory);
    await until(() => settled === 1);
    expect(names()).toEqual(["a"]);
    expect(countLogs("gone")).toBe(0);
    rmSync(path("a.yaml"));
    await until(() => names().length === 0);
    expect(countLogs("gone")).toBe(1);
    writeFileSync(path("a.yaml"), policy("a"));
    await until(() => names().length === 1);
  });

  test("that cannot be read keep their policies for as long as that lasts", async () => {
    writeFileSync(path("a.yaml"), policy("a"));
    await open();
    // ELOOP: whether the directory is there cannot be said.
    renameSync(directory, `${directory}.away`);
    symlinkSync(directory, directory);
    await until(() => files?.problem().includes("cannot list") === true);
    await Bun.sleep(200);
    expect(names()).toEqual(["a"]);
    expect(countLogs("cannot list")).toBe(1);
    expect(settled).toBe(0);
    rmSync(directory);
    renameSync(`${directory}.away`, directory);
    await until(() => settled === 1);
    expect(files?.problem()).toBe("");
  });

  test("whose link leads to nothing are broken, not gone", async () => {
    mkdirSync(path("v1"));
    writeFileSync(path("v1/a.yaml"), policy("a"));
    symlinkSync("v1/a.yaml", path("a.yaml"));
    await open();
    expect(names()).toEqual(["a"]);
    renameSync(path("v1"), path("v2"));
    await until(() => files?.problem().includes("a link to v1/a.yaml") === true);
    await Bun.sleep(200);
    expect(names()).toEqual(["a"]);
    rmSync(path("a.yaml"));
    await until(() => names().length === 0);
    expect(files?.problem()).toBe("");
  });

  test("that are faulty settle nothing, and are listed until they are mended", async () => {
    writeFileSync(path("a.yaml"), policy("a").slice(0, 60));
    writeFileSync(path("b.yaml"), policy("b", "{podSelector: {matchLabel: {app: web}}}"));
    await open();
    expect(list()).toEqual([
      { name: path("a.yaml"), state: "load_error", error: expect.stringContaining("metadata") },
      {
        name: path("b.yaml"),
        state: "load_error",
        error: "spec.podSelector.matchLabel: unknown field; did you mean matchLabels?",
      },
    ]);
    expect(files?.problem()).toContain(path("a.yaml"));
    expect(files?.problem()).toContain("(and 1 more, see tetragon policies)");
    await Bun.sleep(200);
    expect(settled).toBe(0);
    writeFileSync(path("a.yaml"), policy("a"));
    writeFileSync(path("b.yaml"), policy("b"));
    await until(() => names().length === 2);
    expect(list()).toHaveLength(2);
    await until(() => settled === 1);
    writeFileSync(path("a.yaml"), "kind: Nothing\n");
    await until(() => files?.problem() !== "");
    expect(list()).toContainEqual({
      name: "a",
      state: "enabled",
      error: expect.stringContaining("a newer version is not used: kind: unknown CRD kind"),
    });
    writeFileSync(path("a.yaml"), policy("a"));
    await until(() => files?.problem() === "");
    expect(list()).toContainEqual({ name: "a", state: "enabled", error: "" });
  });

  test("of one name: the fault names the other file, and is over when that one is gone", async () => {
    writeFileSync(path("a.yaml"), policy("same"));
    writeFileSync(path("b.yaml"), policy("same"));
    await open();
    expect(files?.problem()).toContain(`${path("a.yaml")} has a policy of this name`);
    await until(() => settled === 1);
    rmSync(path("a.yaml"));
    await until(() => files?.problem() === "");
    expect(list()).toEqual([{ name: "same", state: "enabled", error: "" }]);
  });

  test("one that is named may come late, stays when it is away for a moment, and comes back when it was gone", async () => {
    const file = `${directory}.yaml`;
    await open(file);
    expect(files?.problem()).toContain("ENOENT");
    writeFileSync(file, policy("named"));
    await until(() => names().length === 1);
    expect(files?.problem()).toBe("");
    renameSync(file, `${file}.away`);
    await until(() => files?.problem() !== "");
    renameSync(`${file}.away`, file);
    await until(() => files?.problem() === "");
    expect(countLogs("gone")).toBe(0);
    expect(names()).toEqual(["named"]);
    rmSync(file);
    await until(() => names().length === 0);
    writeFileSync(file, policy("named"));
    await until(() => names().length === 1);
  });

  test("may begin with a byte order mark; what is not UTF-8 is refused", async () => {
    writeFileSync(path("a.yaml"), `\uFEFF${policy("a")}`);
    writeFileSync(path("b.yaml"), Buffer.from(`\uFEFF${policy("b")}`, "utf16le"));
    await open();
    expect(names()).toEqual(["a"]);
    expect(files?.problem()).toContain("UTF-8");
  });
});
