// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { toEventMask } from "@rthooks/nri";
import { decideMode, toCutoffMs, toDecisionMs, toMask } from "./runtime-mode.ts";

describe("a mode on a runtime", () => {
  test("auto is direct only where a refusal keeps a container from starting", () => {
    expect(decideMode("auto", "containerd", [])).toEqual({ mode: "direct", warning: undefined });
    for (const name of ["cri-o", "", "podman"])
      expect(decideMode("auto", name, [])).toEqual({ mode: "inject", warning: undefined });
  });

  test("direct is what was asked for, and says where it cannot hold", () => {
    expect(decideMode("direct", "containerd", []).warning).toBeUndefined();
    expect(decideMode("direct", "cri-o", [])).toEqual({
      mode: "direct",
      warning: expect.stringContaining("use --mode inject or auto"),
    });
    expect(decideMode("inject", "cri-o", []).warning).toBeUndefined();
  });

  test("inject is direct where containerd rejects hooks, and the warning names the files", () => {
    const files = ["/etc/containerd/config.toml", "/etc/containerd/conf.d/v.toml"];
    const { mode, warning } = decideMode("inject", "containerd", files);
    expect(mode).toBe("direct");
    expect(warning).toContain(`(reject_oci_hook_adjustment, ${files.join(", ")})`);
    for (const wanted of ["direct", "auto"] as const) // const: modes
      expect(decideMode(wanted, "containerd", files)).toEqual({ mode: "direct", warning: undefined });
    expect(decideMode("inject", "cri-o", files)).toEqual({ mode: "inject", warning: undefined });
  });

  test("only inject sees the creation; both see the start and the end", () => {
    const both = toEventMask([
      "RunPodSandbox",
      "StartContainer",
      "StopContainer",
      "RemoveContainer",
      "RemovePodSandbox",
    ]);
    expect(toMask("direct")).toBe(both);
    expect(toMask("inject")).toBe(both | toEventMask(["CreateContainer", "PostCreateContainer"]));
  });
});

describe("the time for a decision", () => {
  const call = (leftMs: number) => ({ receivedAtMs: 1_000, deadlineAtMs: 1_000 + leftMs });

  test.each([
    [2_000, 10_000, 1_700],
    [60_000, 90_000, 51_000],
    [60_000, 10_000, 10_000],
    [50, 10_000, 1],
    [-5, 10_000, 1],
  ])("of %d ms that the runtime waits, with --grpc-timeout %d", (leftMs, grpcTimeoutMs, expected) => {
    expect(toDecisionMs(call(leftMs), 1_000, grpcTimeoutMs)).toBe(expected);
  });

  test("ends before the last moment does, and that before the runtime's deadline", () => {
    for (const leftMs of [300, 500, 2_000, 60_000, 600_000]) {
      const last = toCutoffMs(call(leftMs), 1_000);
      expect(toDecisionMs(call(leftMs), 1_000, 1e9)).toBeLessThan(last);
      expect(last).toBeLessThan(leftMs);
    }
    expect(toCutoffMs(call(1), 1_000)).toBe(10);
  });
});
