// SPDX-License-Identifier: Apache-2.0
// Who the agent is to an API server, and which server it talks to.
import { afterAll, describe, expect, setSystemTime, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import {
  type ClusterAccess,
  fetchPod,
  findInClusterAccess,
  openApiClient,
  parseKubeconfig,
} from "@rthooks/kube";
import { startKubeApi } from "../harness/kube-api.ts";
import { createCerts } from "../harness/kube-certs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { accessOf } from "./observer.ts";

const workspace = createWorkspace("access");
afterAll(() => workspace.close());

const open = (access: ClusterAccess) =>
  openApiClient(() => Promise.resolve({ ok: true, value: access }), "test/1");

describe("who asks", () => {
  const get = async (access: ClusterAccess) => fetchPod(open(access), "shop", "web-1", 5_000);
  const begin = (needsCertificate = false) => {
    const api = startKubeApi(workspace, needsCertificate);
    api.put({ uid: "u1", name: "web-1" });
    return api;
  };

  test("gets one pod by its name, and nothing for one that is not there", async () => {
    const api = begin();
    expect(await get(accessOf(api))).toMatchObject({ ok: true, value: { uid: "u1" } });
    const client = open(accessOf(api));
    expect(await fetchPod(client, "shop", "none", 5_000)).toEqual({ ok: true, value: undefined });
    expect(await fetchPod(client, "../..", "x/y", 5_000)).toEqual({ ok: true, value: undefined });
  });

  test("is not let in with another token, nor talks to a server of another authority", async () => {
    const api = begin();
    const refused = await get(accessOf(api, { credentials: { kind: "token", token: "wrong" } }));
    expect(refused).toEqual({ ok: false, error: `${api.url} answered 401: Unauthorized` });
    const { ca } = createCerts(workspace);
    const before = api.requests.length;
    expect(await get(accessOf(api, { ca: { kind: "text", pem: ca } }))).toMatchObject({ ok: false });
    expect(await get(accessOf(api, { ca: undefined }))).toMatchObject({ ok: false });
    expect(api.requests.length).toBe(before);
    expect(await get(accessOf(api, { ca: undefined, insecure: true }))).toMatchObject({ ok: true });
  });

  test("reads its token's file again when it is not accepted any more", async () => {
    const api = begin();
    const path = workspace.path("token");
    writeFileSync(path, "secret-1\n");
    const client = open(accessOf(api, { credentials: { kind: "token-file", path } }));
    expect(await fetchPod(client, "shop", "web-1", 5_000)).toMatchObject({ ok: true });
    api.token = "secret-2";
    writeFileSync(path, "secret-2\n");
    expect(await fetchPod(client, "shop", "web-1", 5_000)).toMatchObject({ ok: true });
  });

  test("shows its certificate", async () => {
    const api = begin(true);
    api.token = "";
    const { cert, key } = api.certs.client;
    const credentials = {
      kind: "certificate",
      certificate: { kind: "text", pem: cert },
      key: { kind: "text", pem: key },
    } as const; // const: the kinds are a union
    expect(await get(accessOf(api, { credentials }))).toMatchObject({ ok: true, value: { uid: "u1" } });
    expect(await get(accessOf(api, { credentials: { kind: "none" } }))).toMatchObject({ ok: false });
  });

  test("asks the program that its kubeconfig names, again when what it said is not accepted", async () => {
    const api = begin();
    const plugin = workspace.path("plugin.sh");
    const token = workspace.path("plugin.token");
    writeFileSync(token, "secret-1");
    writeFileSync(
      plugin,
      `#!/bin/sh\necho "$1" >> ${plugin}.calls\nprintf '{"kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${token})"\n`,
    );
    chmodSync(plugin, 0o755);
    const config = parseKubeconfig(
      {
        "current-context": "c",
        contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
        clusters: [
          { name: "k", cluster: { server: `${api.url}/`, "certificate-authority": api.certs.caPath } },
        ],
        users: [
          {
            name: "u",
            user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: plugin, args: ["who"] } },
          },
        ],
      },
      "/",
    );
    if (!config.ok) throw new Error(config.error);
    const client = open(config.value);
    for (const secret of ["secret-1", "secret-1", "secret-2"]) {
      api.token = secret;
      writeFileSync(token, secret);
      expect(await fetchPod(client, "shop", "web-1", 5_000)).toMatchObject({ ok: true });
    }
    expect(await Bun.file(`${plugin}.calls`).text()).toBe("who\nwho\n");
  });

  test("keeps what its program said for as long as that was to last, wherever the clock is set", async () => {
    const api = begin();
    const plugin = workspace.path("expiring.sh");
    const status = { token: "secret-1", expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() };
    const said = JSON.stringify({ kind: "ExecCredential", status });
    writeFileSync(plugin, `#!/bin/sh\necho asked >> ${plugin}.calls\necho '${said}'\n`);
    chmodSync(plugin, 0o755);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugin, args: [], env: {} };
    const client = open(accessOf(api, { credentials: { kind: "exec", ...exec } }));
    const day = 24 * 3_600_000;
    try {
      for (const jump of [0, 400 * day, -400 * day]) {
        setSystemTime(Date.now() + jump);
        expect(await fetchPod(client, "shop", "web-1", 5_000)).toMatchObject({ ok: true });
      }
    } finally {
      setSystemTime();
    }
    expect(await Bun.file(`${plugin}.calls`).text()).toBe("asked\n");
  });
});

describe("a kubeconfig", () => {
  const base = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
    clusters: [{ name: "k", cluster: { server: "https://x", "certificate-authority-data": btoa("CA") } }],
    users: [{ name: "u", user: { token: "t" } }],
  };

  test("is read as kubectl does, with paths from where it lies", () => {
    expect(parseKubeconfig(base, "/etc")).toMatchObject({
      value: {
        server: "https://x",
        ca: { kind: "text", pem: "CA" },
        credentials: { kind: "token", token: "t" },
      },
    });
    const user = { "client-certificate": "pki/c.crt", "client-key": "/k.key" };
    expect(parseKubeconfig({ ...base, users: [{ name: "u", user }] }, "/etc/kube")).toMatchObject({
      value: { credentials: { certificate: { path: "/etc/kube/pki/c.crt" }, key: { path: "/k.key" } } },
    });
  });

  test.each([
    [null, "the file: Invalid type: Expected Object"],
    [{ ...base, "current-context": "d" }, 'current-context: context "d" does not exist'],
    [{ ...base, clusters: [] }, 'cluster "k" does not exist'],
    [{ ...base, users: [] }, 'user "u" does not exist'],
    [{ ...base, clusters: [{ name: "k", cluster: {} }] }, "clusters.0.cluster.server"],
    [{ ...base, users: [{ name: "u", user: { "client-certificate": "x" } }] }, "client-key: is missing"],
  ])("%j is refused with the field", (value, error) => {
    expect(parseKubeconfig(value, "/")).toMatchObject({ ok: false, error: expect.stringContaining(error) });
  });

  test("of a pod is its service account", () => {
    const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
    expect(findInClusterAccess(env, "/sa")).toMatchObject({
      server: "https://[fd00::1]:443",
      ca: { path: "/sa/ca.crt" },
      credentials: { kind: "token-file", path: "/sa/token" },
    });
    expect(findInClusterAccess({})).toBeUndefined();
  });
});
