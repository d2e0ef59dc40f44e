// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { readDaemonSet } from "./daemon-set.ts";
import { decideEnd, toInstallPlace } from "./decide-end.ts";

const own = ["--interface=oci-hooks", "--local-install-dir=/hostInstall", "--host-install-dir=/opt/tetragon"];

/** As a rolling update to another image leaves it. */
const usual = { command: ["/usr/bin/tetragon-oci-hook-setup", "install", ...own, "--daemonize"] };

function toObject(containers: readonly object[], spec: object = {}, metadata: object = {}): unknown {
  return {
    metadata: { name: "tetragon-rthooks", ...metadata },
    spec: { template: { spec: { containers, ...spec } } },
  };
}

const place = toInstallPlace({
  interface: "oci-hooks",
  "local-install-dir": "/hostInstall",
  "host-install-dir": "/opt/tetragon",
});
const node = {
  name: "node-1",
  labels: new Map([
    ["pool", "web"],
    ["cores", "8"],
  ]),
};

const keeps = (object: unknown): boolean => decideEnd(readDaemonSet(object), place, node).keepsFiles;

const expressions = (...matchExpressions: readonly object[]) => ({ matchExpressions });
const affinity = (...nodeSelectorTerms: readonly object[]) => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  },
});

describe("the files stay while the DaemonSet", () => {
  test.each<[string, unknown]>([
    ["is as it was", toObject([usual])],
    ["has another container, too", toObject([{ args: ["follow", "/log"] }, usual])],
    [
      "gives the command in args",
      toObject([{ command: usual.command.slice(0, 1), args: usual.command.slice(1) }]),
    ],
    ["has other hook arguments", toObject([{ command: [...usual.command, "hook-args", "--daemonize"] }])],
    ["has flags of a later version", toObject([{ command: [...usual.command, "--from-the-future"] }])],
    ["selects the node by a label", toObject([usual], { nodeSelector: { pool: "web" } })],
    [
      "selects the node by one of its terms",
      toObject(
        [usual],
        affinity(
          expressions({ key: "pool", operator: "In", values: ["db"] }),
          expressions(
            { key: "pool", operator: "NotIn", values: ["db"] },
            { key: "cores", operator: "Gt", values: ["4"] },
            { key: "gpu", operator: "DoesNotExist" },
          ),
        ),
      ),
    ],
    [
      "selects the node by its name",
      toObject(
        [usual],
        affinity({ matchFields: [{ key: "metadata.name", operator: "In", values: ["node-1"] }] }),
      ),
    ],
  ])("%s", (_, object) => expect(keeps(object)).toBe(true));
});

describe("the files are removed when the DaemonSet", () => {
  test.each<[string, unknown]>([
    ["does not exist", undefined],
    ["is being deleted", toObject([usual], {}, { deletionTimestamp: "2026-01-01T00:00:00Z" })],
    [
      "has another interface",
      toObject([{ command: ["x", "install", "--interface=nri-hook", ...own.slice(1)] }]),
    ],
    [
      "has another directory",
      toObject([{ command: ["x", "install", ...own.slice(0, 2), "--host-install-dir=/run/t"] }]),
    ],
    ["selects other nodes by a label", toObject([usual], { nodeSelector: { pool: "db" } })],
    [
      "selects nodes by a label that is gone",
      toObject([usual], affinity(expressions({ key: "gpu", operator: "Exists" }))),
    ],
    ["has no term that selects the node", toObject([usual], affinity({}))],
    [
      "selects another node by its name",
      toObject(
        [usual],
        affinity({ matchFields: [{ key: "metadata.name", operator: "In", values: ["node-2"] }] }),
      ),
    ],
    [
      "selects smaller nodes",
      toObject([usual], affinity(expressions({ key: "cores", operator: "Lt", values: ["8"] }))),
    ],
  ])("%s", (_, object) => expect(keeps(object)).toBe(false));
});

test("a node that cannot be read is not compared", () => {
  const object = readDaemonSet(toObject([usual], { nodeSelector: { pool: "db" } }));
  expect(decideEnd(object, place, undefined).keepsFiles).toBe(true);
});
