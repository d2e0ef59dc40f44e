// SPDX-License-Identifier: Apache-2.0
// Compiles the programs that ship into dist/, or for another target (`bun scripts/build.ts arm64`) into dist/TARGET.
import { rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { version } from "../package.json" with { type: "json" };

interface Program {
  readonly name: string;
  readonly entry: string;
  /** Programs of its threads. */
  readonly workers?: readonly string[];
}

const root = join(import.meta.dir, "..");

const programs: readonly Program[] = [
  { name: "tetragon-oci-hook", entry: "apps/hook/src/main.ts" },
  {
    name: "tetragon",
    entry: "apps/agent/src/main.ts",
    workers: [...new Bun.Glob("apps/agent/src/*/edge/*-worker.ts").scanSync({ cwd: root })].toSorted(),
  },
  { name: "tetragon-nri-hook", entry: "apps/nri-plugin/src/main.ts" },
  { name: "tetragon-oci-hook-setup", entry: "apps/setup/src/main.ts" },
  { name: "tetragon-operator", entry: "apps/operator/src/main.ts" },
];

const targetName = process.argv[2];
/** Bun fetches the binaries of other targets than this machine's from npm itself. */
const targets: Readonly<Record<string, Bun.Build.CompileTarget>> = {
  arm64: "bun-linux-arm64",
  x64: "bun-linux-x64",
  // For processors without AVX2.
  "x64-baseline": "bun-linux-x64-baseline",
};
const target = targetName === undefined ? undefined : targets[targetName];
if (targetName !== undefined && target === undefined) {
  throw new Error(`none of ${Object.keys(targets).join(", ")}: ${targetName}`);
}
const out = join(root, "dist", targetName ?? "");

const settings = {
  target: "bun",
  format: "esm",
  minify: true,
  conditions: "production",
  define: {
    RTHOOKS_VERSION: JSON.stringify(version),
    // Without this, libraries that have one bring their development build along: XState's checks and warns more.
    "process.env.NODE_ENV": JSON.stringify("production"),
  },
} as const;

/** The name under which a module that is loaded on demand lies in the program. */
const toEmbeddedName = (path: string): string => `./${basename(path).replace(/\.ts$/, ".js")}`;

/**
 * Keeps what is imported on demand out of the importer's bundle. Bun's own splitting would do so too, but would
 * put what both need into further modules, and a program pays for each that it loads at its start.
 */
function createLazyImports(found: Set<string>): Bun.BunPlugin {
  return {
    name: "lazy-imports",
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
        if (kind !== "dynamic-import") return undefined;
        found.add(join(dirname(importer), path));
        return { path: toEmbeddedName(path), external: true };
      });
    },
  };
}

/** The program's own module first, then each that it or another of them imports on demand. */
async function findModules(entry: string): Promise<readonly string[]> {
  const modules = new Set([entry]);
  for (const module of modules) {
    await Bun.build({ ...settings, entrypoints: [module], plugins: [createLazyImports(modules)] });
  }
  const names = new Set([...modules].map(toEmbeddedName));
  if (names.size < modules.size) throw new Error(`${entry}: two modules on demand have one name`);
  return [...modules];
}

async function compile({ name, entry, workers = [] }: Program): Promise<void> {
  const entrypoints = await findModules(join(root, entry));
  await Bun.build({
    ...settings,
    entrypoints: [...entrypoints, ...workers.map((worker) => join(root, worker))],
    naming: { entry: "[name].[ext]" },
    plugins: [createLazyImports(new Set())],
    // Saves the parse of every start.
    bytecode: true,
    compile: {
      outfile: join(out, name),
      ...(target === undefined ? {} : { target }),
      // Nothing in the working directory may influence a program that runs as root on a node.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  console.log(`built ${relative(root, join(out, name))}`);
}

process.env.NODE_ENV = "production";
await rm(out, { recursive: true, force: true });
for (const program of programs) await compile(program);
