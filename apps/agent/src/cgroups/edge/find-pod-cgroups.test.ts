// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPodCgroups } from "./find-pod-cgroups.ts";

const root = mkdtempSync(join(tmpdir(), "rth-find-"));
afterAll(() => rmSync(root, { recursive: true }));

const uid = (digit: string): string => `${digit.repeat(8)}-1111-4111-8111-111111111111`;
const id = (digit: string): string => digit.repeat(64);
const make = (path: string): void => void mkdirSync(join(root, path), { recursive: true });

const one = `/kubepods/burstable/pod${uid("1")}/${id("a")}`;
const slice = `kubepods-besteffort-pod${uid("2").replaceAll("-", "_")}.slice`;
const two = `/kubepods.slice/kubepods-besteffort.slice/${slice}/cri-containerd-${id("b")}.scope`;
const hash = "0123456789abcdef0123456789abcdef";
const three = `/kubelet/kubepods/pod${hash}/crio-${id("c")}.scope`;
for (const path of [one, two, three]) make(path);
make(`/kubelet/kubepods/pod${hash}/crio-conmon-${id("c")}.scope`);
make("/system.slice/ssh.service");

const find = async (...wanted: readonly (readonly [string, string])[]) =>
  Object.fromEntries(
    [
      ...(await findPodCgroups(root, new Map(wanted.map(([pod, container]) => [pod, new Set([container])])))),
    ].map(([container, { podUid, path }]) => [container, `${podUid} ${path}`]),
  );

test("containers are found below their pods, by the names of every runtime and cgroup driver", async () => {
  expect(await find([uid("1"), id("a")], [uid("2"), id("b")], [hash, id("c")], [uid("9"), id("d")])).toEqual({
    [id("a")]: `${uid("1")} ${one}`,
    [id("b")]: `${uid("2")} ${two}`,
    [id("c")]: `${hash} ${three}`,
  });
});

test("a container is found in its own pod only", async () => {
  expect(await find([uid("1"), id("b")], [uid("2"), id("a")])).toEqual({});
});

test("cgroups below a container and behind a symlink are not searched", async () => {
  make(`${one}/pod${uid("3")}/${id("d")}`);
  make(`/machine.slice/libpod-${id("e")}.scope/pod${uid("3")}/${id("d")}`);
  make(`/docker/${id("f")}/kubepods/pod${uid("3")}/${id("d")}`);
  symlinkSync(join(root, one), join(root, "kubepods", `pod${uid("3")}`));
  expect(await find([uid("3"), id("d")])).toEqual({});
});

test("cgroups with another owner than the hierarchy are not searched", async () => {
  const delegated = "/user.slice/user-1000.slice";
  make(`${delegated}/pod${uid("4")}/${id("e")}`);
  expect(Object.keys(await find([uid("4"), id("e")]))).toEqual([id("e")]);
  chownSync(join(root, delegated), 1000, 1000);
  expect(await find([uid("4"), id("e")])).toEqual({});
  make(`/kubepods/pod${uid("5")}/${id("e")}`);
  chownSync(join(root, "kubepods", `pod${uid("5")}`), 1000, 1000);
  expect(await find([uid("5"), id("e")])).toEqual({});
});

test("a missing root gives an empty result", async () => {
  expect(await findPodCgroups(join(root, "none"), new Map([[uid("1"), new Set([id("a")])]]))).toEqual(
    new Map(),
  );
});
