// SPDX-License-Identifier: Apache-2.0
// Writes a CycloneDX document into the files of each image: the npm packages that its programs depend on, with the Bun
// runtime in them, and the Debian packages whose files are in the image. Arguments: the folders of scripts/image-roots.sh.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { version } from "../package.json" with { type: "json" };

const [roots, packages] = process.argv.slice(2);
if (roots === undefined || packages === undefined) throw new Error("usage: write-sboms.ts ROOTS PACKAGES");

const programs: Readonly<Record<string, readonly string[]>> = {
  tetragon: ["apps/agent"],
  "tetragon-operator": ["apps/operator"],
  "tetragon-rthooks": ["apps/hook", "apps/nri-plugin", "apps/setup"],
};

interface Dependent {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Of bun.lock: JSON with commas before closing brackets. */
const lock: {
  readonly workspaces: Readonly<Record<string, Dependent & { readonly name: string }>>;
  /** "name@version" or "name@workspace:folder", and what a package from npm depends on. */
  readonly packages: Readonly<Record<string, readonly [string, string?, Dependent?, string?]>>;
} = JSON.parse(readFileSync("bun.lock", "utf8").replace(/,(\s*[}\]])/g, "$1"));

/** "name@version" of all packages from npm that the workspace needs to run. */
function findPackages(folders: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const visit = (dependent: Dependent | undefined, owner: string): void => {
    for (const name of Object.keys(dependent?.dependencies ?? {})) {
      const entry = lock.packages[`${owner}/${name}`] ?? lock.packages[name];
      if (entry === undefined) throw new Error(`bun.lock does not have ${name}`);
      const [id, , own] = entry;
      if (found.has(id)) continue;
      found.add(id);
      const [, folder] = id.split("@workspace:");
      visit(folder === undefined ? own : lock.workspaces[folder], name);
    }
  };
  for (const folder of folders) visit(lock.workspaces[folder], lock.workspaces[folder]?.name ?? "");
  return [...found].filter((id) => !id.includes("@workspace:"));
}

function toNpmComponent(id: string): Models.Component {
  const at = id.lastIndexOf("@");
  const [name, release] = [id.slice(0, at), id.slice(at + 1)];
  const purl = `pkg:npm/${name.replace("@", "%40")}@${release}`;
  return new Models.Component(Enums.ComponentType.Library, name, { version: release, bomRef: purl, purl });
}

/** `line`: name, version and architecture. */
function toDebianComponent(line: string): Models.Component {
  const [name = "", release = "", arch = ""] = line.split(" ");
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(release)}?arch=${arch}&distro=bookworm`;
  return new Models.Component(Enums.ComponentType.Library, name, { version: release, bomRef: purl, purl });
}

const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));

for (const arch of readdirSync(roots)) {
  if (arch.startsWith(".")) continue;
  const debian = readFileSync(join(packages, arch, "packages"), "utf8")
    .trim()
    .split("\n");
  for (const [image, folders] of Object.entries(programs)) {
    const bom = new Models.Bom();
    bom.metadata.component = new Models.Component(Enums.ComponentType.Container, image, {
      version,
      bomRef: image,
    });
    for (const id of [`bun@${Bun.version}`, ...findPackages(folders)]) bom.components.add(toNpmComponent(id));
    for (const line of debian) bom.components.add(toDebianComponent(line));
    const text = serializer.serialize(bom, { sortLists: true, space: 2 });
    await Bun.write(join(roots, arch, image, "usr/share/sbom", `${image}.cdx.json`), `${text}\n`);
  }
}
