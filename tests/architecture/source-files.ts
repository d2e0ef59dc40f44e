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
  /** A test, or a module that only tests import (`*.fixture.ts`). */
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
        isTest: first === "tests" || /\.(?:test|fixture)\.ts$/.test(path),
        isGenerated: path.includes("/src/gen/"),
      };
    });
}

interface Manifest {
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** The files that its exports name, below its folder: "src/index.ts". */
  readonly exported: ReadonlySet<string>;
}

export function readManifest(folder: string): Manifest {
  const manifest: unknown = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const names = (key: string) => new Set(Object.keys(asObject(asObject(manifest)[key] ?? {})));
  const exported = Object.values(asObject(asObject(manifest)["exports"] ?? {})).map(String);
  return {
    name: String(asObject(manifest)["name"]),
    dependencies: names("dependencies"),
    devDependencies: names("devDependencies"),
    exported: new Set(exported.map((path) => path.replace(/^\.\//, ""))),
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new Error("a package.json is not as it should be");
  return Object.fromEntries(Object.entries(value));
}
