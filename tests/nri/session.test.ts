// SPDX-License-Identifier: Apache-2.0
// How a session begins and ends, with every version of the runtime's side.
import { describe, expect, test } from "bun:test";
import { checkPluginName } from "@rthooks/nri";
import type { ConfigureRequest } from "@rthooks/proto/nri";
import { findBehaviour, nriVersions } from "../harness/nri-versions.ts";
import { allEvents, fail, ok, startMemoryPlugin, startReadyPlugin } from "./memory-plugin.ts";

const containers = Array.from({ length: 25 }, (_, number) => ({ id: `c${number}`, podSandboxId: "p" }));
const pods = [{ id: "p", name: "web", labels: { app: "web" }, ips: ["10.0.0.1"] }];

describe.each(nriVersions.map((version) => ({ version })))("NRI $version", ({ version }) => {
  const behaviour = findBehaviour(version);

  test("a plugin gets as far as serving, and is told who asks it", async () => {
    let asked: ConfigureRequest | undefined;
    const configure = (request: ConfigureRequest) => {
      asked = request;
      return ok(allEvents);
    };
    const { runtimeSide, inventory } = await startReadyPlugin({ version }, { configure });
    expect(runtimeSide).toMatchObject({ name: "tetragon", index: "10", mask: 0x7ff });
    expect(inventory()).toMatchObject({ pods: [], containers: [] });
    expect(asked?.runtimeName).toBe("containerd");
    expect(asked?.requestTimeout).toBe(behaviour.tellsTimeouts ? 2000n : 0n);
    expect(asked?.nriVersion).toBe(behaviour.tellsVersion ? "v0.12.0" : "");
  });

  test("it may be configured before its registration is answered", async () => {
    const { runtimeSide } = await startReadyPlugin({ version, isConfiguredFirst: true });
    expect(runtimeSide.mask).toBe(0x7ff);
  });

  test("what runs is told whole, in however many parts it comes", async () => {
    let times = 0;
    const synchronize = () => {
      times++;
      return ok(undefined);
    };
    const options = { version, pods, containers, containersInPart: 4 };
    const { inventory } = await startReadyPlugin(options, { synchronize });
    expect(times).toBe(1);
    expect(inventory()?.containers.map(({ id }) => id)).toEqual(containers.map(({ id }) => id));
    expect(inventory()?.pods[0]?.labels.get("app")).toBe("web");
  });

  test("a plugin that cannot synchronize ends its session, also where the runtime would keep it", async () => {
    const plugin = startMemoryPlugin({ version }, { synchronize: () => fail(13, "no agent") });
    await plugin.connection.register("tetragon", "10");
    expect(await plugin.runtimeSide.ready).toMatchObject({ failure: expect.stringContaining("no agent") });
    await Promise.resolve();
    expect(plugin.closedBecause()).toContain("no agent");
  });

  for (const [name, configure] of [
    ["refuses", () => fail(13, "not here")],
    [
      "throws",
      () => {
        throw new Error("not here");
      },
    ],
    ["gives a promise that fails", () => Promise.reject(new Error("not here"))],
  ] as const) {
    test(`a configuration that ${name} ends the session`, async () => {
      const plugin = startMemoryPlugin({ version }, { configure });
      await plugin.connection.register("tetragon", "10");
      expect(await plugin.runtimeSide.ready).toMatchObject({ failure: expect.stringContaining("not here") });
      await Promise.resolve();
      expect(plugin.closedBecause()).toContain("not here");
    });
  }

  for (const mask of [0, 1 << 11, 1 << 13, -1, 0.5]) {
    test(`the mask ${mask} never reaches the runtime`, async () => {
      const plugin = startMemoryPlugin({ version }, { configure: () => ok(mask) });
      await plugin.connection.register("tetragon", "10");
      expect(await plugin.runtimeSide.ready).toMatchObject({ failure: expect.stringContaining("mask") });
    });
  }

  for (const [name, pluginName, index] of [
    ["an index of one digit", "tetragon", "1"],
    ["an index of letters", "tetragon", "ab"],
    ["no name", "", "10"],
  ] as const) {
    test(`${name} is refused by both`, async () => {
      const plugin = startMemoryPlugin({ version, registrationTimeoutMs: 30 });
      const registered = await plugin.connection.register(pluginName, index);
      expect(registered.ok).toBe(false);
      expect(checkPluginName(pluginName, index).ok).toBe(false);
      expect(await plugin.runtimeSide.ready).toEqual({ failure: "plugin registration timeout" });
      await Promise.resolve();
      expect(plugin.closedBecause()).toBe("the runtime closed the connection");
    });
  }
});

test("a call that the connection's end leaves unanswered is settled", async () => {
  const { connection } = startMemoryPlugin({ version: "0.8" });
  const registered = connection.register("tetragon", "10");
  connection.close("over");
  expect(await registered).toMatchObject({ ok: false, error: { code: 14 } });
  expect(await connection.register("tetragon", "10")).toMatchObject({ ok: false, error: { code: 14 } });
});

test("a name of NRI 0.12 is taken, with the characters it allows", () => {
  expect(checkPluginName("tetragon-nri_hook.v1+x", "00")).toEqual({ ok: true, value: undefined });
  for (const name of ["tetragon hook", "a/b", "ü", "a\n"]) expect(checkPluginName(name, "10").ok).toBe(false);
  for (const index of ["1", "100", "1a", "10\n", "", "١٢"])
    expect(checkPluginName("a", index).ok).toBe(false);
});
