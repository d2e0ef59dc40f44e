// SPDX-License-Identifier: Apache-2.0
// Runs a shell script by hand in a virtual machine of the tests. Further files are in its working directory there.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { bootKernel } from "./vm/boot-kernel.ts";
import { findKernel, kernelNames } from "./vm/find-kernels.ts";

const usage = `usage: bun tests/kernels/run-in-vm.ts ${kernelNames.join("|")} v2|v1 SCRIPT [FILE...]`;

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const [wanted, cgroups, path, ...others] = process.argv.slice(2);
const name = kernelNames.find((kernelName) => kernelName === wanted);
if (name === undefined || (cgroups !== "v2" && cgroups !== "v1") || path === undefined) fail(usage);
const kernel = findKernel(name);
if ("unavailable" in kernel) fail(`the package of ${name} is not available: ${kernel.unavailable}`);
await bootKernel({
  ...{ kernel, cgroups, script: readFileSync(path, "utf8") },
  files: Object.fromEntries(others.map((other) => [`/root/${basename(other)}`, { from: other }])),
  onConsole: (text) => process.stdout.write(text),
}).catch(
  // The tail that follows the first line stands above already.
  (error: Error) => fail(error.message.split("\n", 1)[0] ?? ""),
);
