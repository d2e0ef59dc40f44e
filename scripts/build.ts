// Compiles the programs that ship into dist/.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { version } from "../package.json" with { type: "json" };

interface Program {
  readonly name: string;
  readonly entry: string;
}

const programs: readonly Program[] = [
  { name: "tetragon-oci-hook", entry: "apps/hook/src/main.ts" },
  { name: "tetragon", entry: "apps/agent/src/main.ts" },
];

const root = join(import.meta.dir, "..");
const out = join(root, "dist");
await rm(out, { recursive: true, force: true });

for (const { name, entry } of programs) {
  const child = Bun.spawn(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--format=esm",
      // Bytecode saves the parse of every start; splitting keeps what is imported on demand out of it.
      "--bytecode",
      "--splitting",
      // Nothing in the working directory may influence a program that runs as root on a node.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      "--no-compile-autoload-tsconfig",
      "--no-compile-autoload-package-json",
      `--define=RTHOOKS_VERSION="${version}"`,
      // Without this, libraries that have one bring their development build along: XState's checks and warns more.
      `--define=process.env.NODE_ENV="production"`,
      "--conditions=production",
      join(root, entry),
      `--outfile=${join(out, name)}`,
    ],
    { cwd: root, env: { ...process.env, NODE_ENV: "production" }, stdout: "pipe", stderr: "pipe" },
  );
  if ((await child.exited) !== 0) {
    process.stderr.write(await new Response(child.stderr).text());
    throw new Error(`${name} was not built`);
  }
  console.log(`built dist/${name}`);
}
