// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTokens, type Token } from "./tokens.ts";

export interface SourceFile {
  /** From the root of the repository: "libs/oci/src/spec.ts". */
  readonly path: string;
  /** "libs/oci", or "tests", "bench", "scripts". */
  readonly package: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  /** A test, or what only tests use: it imports the test runner. */
  readonly isTest: boolean;
  readonly isGenerated: boolean;
}

const root = join(import.meta.dir, "..", "..");

export function findSourceFiles(): readonly SourceFile[] {
  const found = new Bun.Glob("{apps,libs,tests,bench,scripts}/**/*.ts").scanSync({ cwd: root });
  return [...found]
    .filter((path) => !path.includes("node_modules/"))
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      const [first = "", second = ""] = path.split("/");
      return {
        path,
        package: first === "apps" || first === "libs" ? `${first}/${second}` : first,
        text,
        tokens: readTokens(text.replace(/^#!.*/, "")),
        isTest: first === "tests" || path.endsWith(".test.ts") || text.includes(' from "bun:test"'),
        isGenerated: path.includes("/src/gen/"),
      };
    });
}

interface Manifest {
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

export function readManifest(folder: string): Manifest {
  const manifest: unknown = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const names = (key: string) => new Set(Object.keys(asObject(asObject(manifest)[key] ?? {})));
  return {
    name: String(asObject(manifest)["name"]),
    dependencies: names("dependencies"),
    devDependencies: names("devDependencies"),
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new Error("a package.json is not as it should be");
  return Object.fromEntries(Object.entries(value));
}
