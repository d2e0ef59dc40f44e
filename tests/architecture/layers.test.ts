// SPDX-License-Identifier: Apache-2.0
// Which file may know which (docs/adr/0001). Each rule yields a list of what breaks it, and the list is empty.
import { expect, test } from "bun:test";
import { posix } from "node:path";
import { findGlobals, findImports, type Import } from "./findings.ts";
import { pure, ranks, topicRanks } from "./ranks.ts";
import { findSourceFiles, readManifest, type SourceFile } from "./source-files.ts";

const agent = "apps/agent";

/** Parts of libs/sys that core/ may import: they do nothing and import nothing. */
const pureParts: ReadonlyMap<string, string> = new Map([
  ["@rthooks/sys/socket-path", "libs/sys/src/socket-path.ts"],
]);

/** What runs in a browser: what decides in core/, what draws in view/. It is bundled into a text. */
const pageFolder = "libs/inspector/src/page/";
const isOfPage = ({ path }: SourceFile): boolean => path.startsWith(pageFolder);

/** The only file that binds functions of the C library. */
const libcOwner = "libs/sys/src/syscall.ts";

/** Libraries that do things, divided like an app: what decides in core/, what does in edge/. */
const divided: readonly string[] = [
  "libs/bpf",
  "libs/follow",
  "libs/grpc",
  "libs/log",
  "libs/hold",
  "libs/inspector",
  "libs/kube",
  "libs/metrics",
  "libs/plugin",
  "libs/runtime-config",
  "libs/terminal",
];

const files = findSourceFiles();
const shipped = files.filter((file) => ranks.has(file.package));
const packages = [...new Set(files.map((file) => file.package))];
const manifests = new Map(
  packages.map((folder) => [folder, readManifest(folder === "scripts" ? "." : folder)]),
);
const folderOf = new Map([...manifests].map(([folder, { name }]) => [name, folder]));

const importsOf = (file: SourceFile): readonly Import[] => findImports(file.tokens);
const isRelative = (name: string): boolean => name.startsWith(".");
const isOfRuntime = (name: string): boolean => /^(node:|bun(:|$))/.test(name);
/** "@scope/name/deep" is of the package "@scope/name". */
const packageName = (name: string): string => name.split("/", name.startsWith("@") ? 2 : 1).join("/");
const isIn = (file: SourceFile, folder: string): boolean => file.path.startsWith(`${file.package}/${folder}`);
/** "core", "edge" or "wire", of a package or of a topic of the agent; undefined for main.ts and index.ts. */
const findLayer = (path: string): string | undefined =>
  /^(?:apps|libs)\/[^/]+\/src\/(?:[^/]+\/)?(core|edge|wire)\/[^/]+$/.exec(path)?.[1];
const findTopic = (path: string): string | undefined => /^apps\/agent\/src\/([^/]+)\//.exec(path)?.[1];
const isScript = (file: SourceFile): boolean => isIn(file, "scripts/");

/** Lines "file:line why" of every import that `judge` has something to say about. */
function judgeImports(
  judged: readonly SourceFile[],
  judge: (name: string, file: SourceFile, isType: boolean) => string | undefined,
): readonly string[] {
  return judged.flatMap((file) =>
    importsOf(file).flatMap(({ name, isType, line }) => {
      const why =
        name === undefined ? "imports what cannot be known before it runs" : judge(name, file, isType);
      return why === undefined ? [] : [`${file.path}:${line} ${why}`];
    }),
  );
}

/** From the root of the repository, for a relative import. */
const targetOf = (name: string, file: SourceFile): string => posix.join(posix.dirname(file.path), name);

test("the files are really seen", () => {
  expect(files.length).toBeGreaterThan(120);
  expect(packages.toSorted()).toEqual([...ranks.keys(), "bench", "scripts", "tests"].toSorted());
  for (const folder of ranks.keys()) {
    const ofFolder = shipped.filter((file) => file.package === folder);
    expect({ folder, files: ofFolder.length }).not.toEqual({ folder, files: 0 });
  }
  expect(shipped.flatMap(importsOf).length).toBeGreaterThan(250);
});

test("imports point down", () => {
  const broken = judgeImports(shipped, (name, file) => {
    const target = folderOf.get(packageName(name));
    if (target === undefined) return undefined;
    const isBelow = (ranks.get(target) ?? Number.POSITIVE_INFINITY) < (ranks.get(file.package) ?? 0);
    return isBelow ? undefined : `of ${file.package} imports ${name}`;
  });
  expect(broken).toEqual([]);
});

test("a package is reached by its name, from outside by nothing else", () => {
  // Scripts at the root put parts of the workspace together.
  const judged = files.filter((file) => file.package !== "scripts");
  const broken = judgeImports(judged, (name, file) => {
    if (!isRelative(name)) return undefined;
    const target = targetOf(name, file);
    return target.startsWith(`${file.package}/`) ? undefined : `leaves its package: ${name}`;
  });
  expect(broken.filter((line) => !isBenchOnHarness(line))).toEqual([]);
});

/** The benches start the same containers and processes as the tests. */
const isBenchOnHarness = (line: string): boolean =>
  /^bench\/\S+ leaves its package: .*\/tests\/harness\//.test(line);

test("what is imported is declared", () => {
  const judged = files.filter((file) => file.package !== "scripts");
  const broken = judgeImports(judged, (name, file) => {
    if (isRelative(name) || isOfRuntime(name)) return undefined;
    const manifest = manifests.get(file.package);
    const isDevelopment = file.isTest || isScript(file);
    const isDeclared =
      manifest?.dependencies.has(packageName(name)) === true ||
      (isDevelopment && manifest?.devDependencies.has(packageName(name)) === true);
    return isDeclared ? undefined : `imports ${name}, which ${file.package}/package.json does not declare`;
  });
  expect(broken).toEqual([]);
});

test("what ships imports no test", () => {
  const tests = new Set(files.filter((file) => file.isTest).map((file) => file.path));
  const judged = shipped.filter((file) => !file.isTest);
  const broken = judgeImports(judged, (name, file) =>
    tests.has(targetOf(name, file)) ? `imports ${name}` : undefined,
  );
  expect(broken).toEqual([]);
});

test("a module that only tests import is named *.fixture.ts", () => {
  const importers = new Map<string, SourceFile[]>();
  for (const file of files) {
    for (const { name } of importsOf(file)) {
      if (name === undefined || !isRelative(name)) continue;
      const target = targetOf(name, file);
      importers.set(target, [...(importers.get(target) ?? []), file]);
    }
  }
  const broken = shipped.filter(({ path, package: folder, isTest, text }) => {
    const all = importers.get(path) ?? [];
    if (manifests.get(folder)?.exported.has(path.slice(folder.length + 1)) === true) return false;
    const isOfTests = text.includes(' from "bun:test"') || (all.length > 0 && all.every((one) => one.isTest));
    return isOfTests && !isTest;
  });
  expect(broken.map(({ path }) => path)).toEqual([]);
});

/** Entries of libs/proto without generated code. */
const notGenerated: ReadonlySet<string> = new Set(["@rthooks/proto/unary", "@rthooks/proto/grpc-code"]);
/** Where only wire/ may know generated messages. Elsewhere in libs/ they are what the package is about. */
const withWire: readonly string[] = [agent, "libs/plugin"];

test("generated messages of the agent and of the plugin stay in wire/", () => {
  const judged = shipped.filter((file) => withWire.includes(file.package) && !file.isTest);
  const broken = judgeImports(judged, (name, file) =>
    packageName(name) === "@rthooks/proto" && !notGenerated.has(name) && findLayer(file.path) !== "wire"
      ? `imports ${name}`
      : undefined,
  );
  expect(broken).toEqual([]);
});

test("a pure library imports nothing of the runtime, and from outside only what is named here", () => {
  const judged = shipped.filter((file) => pure.has(file.package) && !file.isTest && !isScript(file));
  const broken = judgeImports(judged, (name, file) => {
    if (isRelative(name) || folderOf.has(packageName(name))) return undefined;
    return pure.get(file.package)?.includes(packageName(name)) === true ? undefined : `imports ${name}`;
  });
  expect(broken).toEqual([]);
});

test("a pure library names no global that does something or knows the time", () => {
  const judged = shipped.filter(
    (file) => pure.has(file.package) && !file.isTest && !file.isGenerated && !isScript(file),
  );
  const broken = judged.flatMap((file) =>
    findGlobals(file.tokens).map(({ name, line }) => `${file.path}:${line} names ${name}`),
  );
  expect(broken).toEqual([]);
});

const appFiles = shipped.filter(
  (file) => (file.package.startsWith("apps/") || divided.includes(file.package)) && !file.isTest,
);

test("an app has its parts in main.ts, core/, edge/ and wire/, and a divided library likewise", () => {
  const isPlaced = (file: SourceFile) =>
    file.path === `${file.package}/src/${file.package.startsWith("apps/") ? "main" : "index"}.ts` ||
    (file.package === agent
      ? topicRanks.has(findTopic(file.path) ?? "") && findLayer(file.path) !== undefined
      : ["src/core/", "src/edge/", "src/wire/"].some((folder) => isIn(file, folder)) || isOfPage(file));
  expect(appFiles.filter((file) => !isPlaced(file)).map((file) => file.path)).toEqual([]);
});

test("a page's files import files of the page, and what it shares with the terminal; nothing else imports them", () => {
  const judged = judgeImports(appFiles, (name, file) => {
    if (isOfPage(file) && name === "@rthooks/explain") return undefined;
    const isToPage = isRelative(name) && targetOf(name, file).startsWith(pageFolder);
    return isOfPage(file) === isToPage ? undefined : `imports ${name}`;
  });
  expect(appFiles.filter(isOfPage).length).toBeGreaterThan(10);
  expect(judged).toEqual([]);
});

test("imports between the agent's topics point down", () => {
  const rankOf = (path: string): number => topicRanks.get(findTopic(path) ?? "") ?? Number.POSITIVE_INFINITY;
  const judged = shipped.filter((file) => file.package === agent && !file.isTest);
  const broken = judgeImports(judged, (name, file) => {
    if (!isRelative(name)) return undefined;
    const target = targetOf(name, file);
    const isAllowed = findTopic(target) === findTopic(file.path) || rankOf(target) < rankOf(file.path);
    return isAllowed ? undefined : `imports ${name}`;
  });
  expect(broken).toEqual([]);
});

test("main.ts only puts parts together", () => {
  const mains = appFiles.filter((file) => file.path.endsWith("/src/main.ts"));
  expect(mains.length).toBe(5);
  for (const main of mains) expect(main.text.split("\n").length).toBeLessThan(80);
});

test("only main.ts and edge/ touch the machine", () => {
  const judged = appFiles.filter((file) => ["core", "wire"].includes(findLayer(file.path) ?? ""));
  const imports = judgeImports(judged, (name, _file, isType) => {
    const isOfSystem = packageName(name) === "@rthooks/sys" && !isType && !pureParts.has(name);
    return isOfRuntime(name) || isOfSystem ? `imports ${name}` : undefined;
  });
  const globals = judged.flatMap((file) =>
    findGlobals(file.tokens)
      // grpc-js wants its bytes in a Buffer. A date made from a number is a value like any other.
      .filter(({ name }) => name !== "Date" && !(name === "Buffer" && findLayer(file.path) === "wire"))
      .map(({ name, line }) => `${file.path}:${line} names ${name}`),
  );
  const clocks = judged.filter((file) =>
    / Date \. now | new Date (?!\( [^)])/.test(` ${file.tokens.map(({ text }) => text).join(" ")} `),
  );
  expect([...imports, ...globals, ...clocks.map((file) => `${file.path} reads the clock`)]).toEqual([]);
});

test("the pure parts of libs/sys import nothing and name no global that does something", () => {
  const judged = files.filter((file) => [...pureParts.values()].includes(file.path));
  expect(judged.length).toBe(pureParts.size);
  const imports = judgeImports(judged, (name) => `imports ${name}`);
  const globals = judged.flatMap((file) =>
    findGlobals(file.tokens).map(({ name }) => `${file.path} ${name}`),
  );
  expect([...imports, ...globals]).toEqual([]);
});

test("one file binds the C library", () => {
  const binders = files.filter((file) => importsOf(file).some(({ name }) => name === "bun:ffi"));
  expect(binders.map((file) => file.path)).toEqual([libcOwner]);
});

test("core/ and wire/ do not know edge/, and core/ does not know wire/", () => {
  const broken = judgeImports(appFiles, (name, file) => {
    if (!isRelative(name)) return undefined;
    const from = findLayer(file.path);
    const to = findLayer(targetOf(name, file));
    const isForbidden = (from === "core" && to !== "core") || (from === "wire" && to === "edge");
    return isForbidden ? `imports ${name}` : undefined;
  });
  expect(broken).toEqual([]);
});

test("files have a size and a name that can be read", () => {
  const tooLong = files
    .filter((file) => !file.isGenerated)
    .filter((file) => file.text.trimEnd().split("\n").length > (file.isTest ? 400 : 350));
  const nameless = files.filter((file) =>
    /(^|\/)(utils?|common|helpers?|misc|shared)(\.test)?(\.ts|\/)/.test(file.path),
  );
  expect([...tooLong, ...nameless].map((file) => file.path)).toEqual([]);
});

test("each file names its licence in its first line", () => {
  const judged = files.filter((file) => !file.isGenerated);
  const without = judged.filter(
    (file) => !file.text.replace(/^#!.*\n/, "").startsWith("// SPDX-License-Identifier: Apache-2.0\n"),
  );
  expect(without.map((file) => file.path)).toEqual([]);
});
