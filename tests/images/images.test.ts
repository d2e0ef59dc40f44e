// SPDX-License-Identifier: Apache-2.0
// The images of `make images`: what is in them, and that real containerds run them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { runProcess } from "../harness/process.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { findArchive, repository, type UnpackedImage, unpackImage, version } from "./archive.ts";

const workspace = createWorkspace("images");
afterAll(() => workspace.close(), 60_000);

const images = [
  {
    image: "tetragon",
    programs: ["tetragon"],
    user: undefined,
    packages: ["valibot", "xstate", "prom-client"],
  },
  {
    image: "tetragon-operator",
    programs: ["tetragon-operator"],
    user: "65532:65532",
    packages: ["prom-client"],
  },
  {
    image: "tetragon-rthooks",
    programs: ["tetragon-nri-hook", "tetragon-oci-hook", "tetragon-oci-hook-setup"],
    user: undefined,
    packages: ["%40grpc/grpc-js", "diff", "smol-toml"],
  },
];
/** e_machine of elf(5). */
const machines = { amd64: 62, arm64: 183 } as const; // const: the names are a union
const arches = ["amd64", "arm64"] as const; // const: the names are a union

const hostArch = process.arch === "arm64" ? "arm64" : "amd64";

const cases = images.flatMap((image) => arches.map((arch) => ({ ...image, arch })));

describe.each(cases)("$image for $arch", ({ image, programs, user, packages, arch }) => {
  let unpacked: UnpackedImage;
  beforeAll(async () => {
    unpacked = await unpackImage(workspace, image, arch);
  }, 60_000);

  test("has its programs, for this architecture, and no other: no shell either", () => {
    const bin = join(unpacked.root, "usr/bin");
    expect(readdirSync(bin).toSorted()).toEqual(programs);
    for (const program of programs) {
      const elf = readFileSync(join(bin, program)).subarray(0, 20);
      expect(elf.subarray(1, 4).toString()).toBe("ELF");
      expect(elf.readUInt16LE(18)).toBe(machines[arch]);
    }
    const executables = readdirSync(unpacked.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && (statSync(join(entry.parentPath, entry.name)).mode & 0o111) !== 0)
      .map(({ name }) => name)
      .filter((name) => !/\.so\.\d+$/.test(name));
    expect(executables.toSorted()).toEqual(programs);
  });

  test("has the platform, user, entry point and labels", () => {
    const label = "org.opencontainers.image";
    const { architecture, os, config } = unpacked.config;
    expect({ architecture, os, user: config.User }).toEqual({ architecture: arch, os: "linux", user });
    expect(unpacked.name).toBe(`localhost/${image}:${version}`);
    expect(config.Entrypoint).toEqual([`/usr/bin/${programs.at(-1)}`]);
    expect(config.Labels).toMatchObject({
      [`${label}.title`]: image,
      [`${label}.version`]: version,
      [`${label}.licenses`]: "Apache-2.0",
    });
    expect(config.Labels[`${label}.revision`]).toMatch(/^[0-9a-f]{40}$/);
    expect(Object.keys(config.Labels).filter((name) => !name.startsWith(label))).toEqual([]);
  });

  test("has a CycloneDX document with the npm packages of its programs, the runtime, and the Debian packages", () => {
    const path = join(unpacked.root, "usr/share/sbom", `${image}.cdx.json`);
    const bom: {
      readonly bomFormat: string;
      readonly components: readonly { readonly name: string; readonly purl: string }[];
    } = JSON.parse(readFileSync(path, "utf8"));
    expect(bom.bomFormat).toBe("CycloneDX");
    const purls = bom.components.map(({ purl }) => purl);
    const status = join(unpacked.root, "var/lib/dpkg/status.d");
    expect(bom.components.filter(({ purl }) => purl.startsWith("pkg:deb/")).map(({ name }) => name)).toEqual(
      readdirSync(status).toSorted(),
    );
    expect(purls).toContain(`pkg:npm/bun@${Bun.version}`);
    for (const name of packages) {
      expect(purls.some((purl) => purl.startsWith(`pkg:npm/${name}@`))).toBe(true);
    }
    expect(purls.filter((purl) => purl.includes("rthooks") || purl.includes("typescript"))).toEqual([]);
  });

  test("has CA certificates, and names the Debian packages whose files it has", () => {
    const pem = readFileSync(join(unpacked.root, "etc/ssl/certs/ca-certificates.crt"), "utf8");
    expect(pem.split("-----BEGIN CERTIFICATE-----").length).toBeGreaterThan(100);
    const status = join(unpacked.root, "var/lib/dpkg/status.d");
    expect(readdirSync(status).toSorted()).toEqual(["ca-certificates", "libc6"]);
    expect(readFileSync(join(status, "libc6"), "utf8")).toContain(`\nArchitecture: ${arch}\n`);
    expect(readFileSync(join(unpacked.root, "usr/share/doc/libc6/copyright"), "utf8")).toContain("LGPL");
  });
});

describe.each(containerdReleases.map((release) => [release.version, release] as const))(
  "containerd %s",
  (_, release) => {
    let containerd: Containerd;
    beforeAll(async () => {
      containerd = await startContainerd(workspace, release);
      for (const { image } of images) await containerd.ctr("images", "import", findArchive(image, hostArch));
    }, 180_000);

    const run = (image: string, ...command: readonly string[]) =>
      containerd.ctr("run", "--rm", `localhost/${image}:${version}`, `${workspace.tag}-${image}`, ...command);

    test.each(images.flatMap(({ image, programs }) => programs.map((program) => [image, program] as const)))(
      "runs %s: %s",
      async (image, program) => {
        expect(await run(image, `/usr/bin/${program}`, "--version")).toContain(version);
      },
      60_000,
    );

    test("finds no shell", async () => {
      expect(await run("tetragon-rthooks", "/bin/sh").catch(String)).toContain("no such file or directory");
    });
  },
);

test("the same files make the same archive", async () => {
  const image = "tetragon-operator";
  const { created, config } = (await unpackImage(workspace, image, hostArch)).config;
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: workspace.dir,
    SOURCE_DATE_EPOCH: `${Date.parse(created) / 1000}`,
    REVISION: config.Labels["org.opencontainers.image.revision"] ?? "",
    IMAGES: image,
    ARCHES: hostArch,
  };
  const to = workspace.path("again");
  const built = await runProcess(["scripts/build-images.sh", to, join(repository, ".cache/images/roots")], {
    cwd: repository,
    env,
    killAfterMs: 120_000,
  });
  expect(built).toMatchObject({ exitCode: 0, stderr: "" });
  const digest = async (path: string) =>
    new Bun.CryptoHasher("sha256").update(await Bun.file(path).arrayBuffer()).digest("hex");
  expect(await digest(join(to, `${image}-${hostArch}.tar`))).toBe(await digest(findArchive(image, hostArch)));
}, 180_000);

test.each(cases)("docs/performance.md has the size of $image for $arch, within 10 %", ({ image, arch }) => {
  const page = readFileSync(join(repository, "docs/performance.md"), "utf8");
  const row = new RegExp(`^\\| \`${image}\` *\\| ${arch} *\\| *(\\d+) \\|`, "m").exec(page);
  const megabytes = statSync(findArchive(image, arch)).size / 1_000_000;
  expect(Math.abs(Number(row?.[1]) / megabytes - 1)).toBeLessThan(0.1);
});
