// SPDX-License-Identifier: Apache-2.0
// The way to the API server leads through the proxies that kubectl would take.
import { afterAll, describe, expect, test } from "bun:test";
import { findProxy, parseKubeconfig } from "@rthooks/kube";
import { startAgent } from "../harness/agent.ts";
import { startConnectProxy } from "../harness/connect-proxy.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("proxy");
afterAll(() => workspace.close());

/** The cases of golang.org/x/net/http/httpproxy (proxy_test.go), and what this agent adds. */
describe("with NO_PROXY", () => {
  test.each([
    // Loopback, whatever it says.
    ["", "https://127.0.0.1:6443", false],
    ["", "https://127.3.2.1", false],
    ["", "https://[::1]:6443", false],
    ["", "https://localhost:6443", false],
    ["", "https://[::ffff:127.0.0.1]", false],
    ["", "https://localhost.example.com", true],
    ["", "https://10.0.0.1:6443", true],
    // Addresses and blocks.
    ["10.0.0.1", "https://10.0.0.1:6443", false],
    ["10.0.0.1", "https://10.0.0.2:6443", true],
    ["10.0.0.0/8", "https://10.96.0.1", false],
    ["10.0.0.0/8", "https://11.0.0.1", true],
    ["192.168.1.128/25", "https://192.168.1.127", true],
    ["192.168.1.128/25", "https://192.168.1.129", false],
    ["10.0.0.0/33", "https://10.0.0.1", true],
    ["fd00::/8", "https://[fd12:3456::1]:6443", false],
    ["fd00::/8", "https://[fe80::1]", true],
    ["fd00::1", "https://[fd00:0:0::1]", false],
    ["[fd00::1]:6443", "https://[fd00::1]:6443", false],
    ["[fd00::1]:6443", "https://[fd00::1]", true],
    ["10.0.0.0/8", "https://host.in.10.0.0.1.example", true],
    // Domains.
    ["example.com", "https://example.com", false],
    ["example.com", "https://api.example.com:6443", false],
    ["example.com", "https://badexample.com", true],
    ["EXAMPLE.com", "https://API.Example.com", false],
    [".example.com", "https://api.example.com", false],
    [".example.com", "https://example.com", true],
    ["*.example.com", "https://api.example.com", false],
    ["*.example.com", "https://example.com", true],
    // Ports.
    ["example.com:443", "https://example.com", false],
    ["example.com:6443", "https://example.com", true],
    ["10.0.0.1:6443", "https://10.0.0.1:6443", false],
    ["10.0.0.1:6443", "https://10.0.0.1:443", true],
    [":6443", "https://example.com:6443", true],
    // Lists.
    ["*", "https://example.com", false],
    ["a.example, *, b.example", "https://example.com", false],
    [" a.example ,\texample.com ", "https://example.com", false],
    [",,", "https://example.com", true],
  ])("%j the proxy for %s: %p", (noProxy, server, isAsked) => {
    for (const env of [
      { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: noProxy },
      { https_proxy: "proxy:3128", no_proxy: noProxy },
    ]) {
      const found = findProxy(server, env);
      expect(found.ok ? found.value?.host : found.error).toBe(isAsked ? "proxy:3128" : undefined);
    }
  });
});

test("a server without TLS has the proxy of HTTP_PROXY, and one with TLS does not", () => {
  const env = { HTTP_PROXY: "http://plain:1", https_proxy: "http://secure:2" };
  expect(findProxy("http://10.0.0.1:8080", env)).toMatchObject({ value: { host: "plain:1" } });
  expect(findProxy("https://10.0.0.1:6443", env)).toMatchObject({ value: { host: "secure:2" } });
  expect(findProxy("https://10.0.0.1:6443", { HTTP_PROXY: "http://plain:1" })).toEqual({
    ...{ ok: true, value: undefined },
  });
});

test("a proxy that cannot be used is an error that names where it stands, and no password", () => {
  const env = { HTTPS_PROXY: "socks5://user:secret@proxy:1080" };
  const error = "HTTPS_PROXY: proxy scheme socks5 is not supported: use http:// or https://";
  expect(findProxy("https://10.0.0.1", env)).toEqual({ ok: false, error });
  const cluster = { server: "https://x", "proxy-url": "socks5://user:secret@proxy:1080" };
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k" } }],
    clusters: [{ name: "k", cluster }],
  };
  expect(parseKubeconfig(config, "/")).toMatchObject({
    error: expect.stringMatching(/^cluster "k": proxy-url: proxy scheme socks5(?!.*secret)/),
  });
});

describe("the agent", () => {
  let count = 0;
  const start = async (api: KubeApi, cluster: object, env: Readonly<Record<string, string>>) => {
    const path = writeKubeconfig(workspace, api, { ...cluster }, workspace.path(`kubeconfig-${++count}`));
    const flags = ["--enable-k8s-api", "--k8s-kubeconfig-path", path, "--node-name", "node-1"];
    return startAgent(workspace, { flags: [...flags, "--tracing-policy-dir", workspace.path("none")], env });
  };
  const remote = { server: "https://apiserver.internal:6443", "tls-server-name": "127.0.0.1" };
  const isUpToDate = (agent: Awaited<ReturnType<typeof start>>) =>
    waitFor("it has its pods", () => agent.process.stderr().includes("watch on pods is up to date"));

  test.each(["proxy-url", "HTTPS_PROXY", "proxy-url over NO_PROXY"])("goes by %s", async (way) => {
    const api = startKubeApi(workspace);
    const proxy = await startConnectProxy(workspace, Number(new URL(api.url).port));
    const url = `http://${proxy.address}`;
    const agent = await start(
      api,
      way === "HTTPS_PROXY" ? remote : { ...remote, "proxy-url": url },
      way === "HTTPS_PROXY"
        ? { HTTPS_PROXY: url }
        : { HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "*,127.0.0.1" },
    );
    await isUpToDate(agent);
    expect(new Set(proxy.targets)).toEqual(new Set(["apiserver.internal:6443"]));
    await agent.stop();
  });

  test("asks no proxy of the environment for a server on loopback", async () => {
    const api = startKubeApi(workspace);
    const proxy = await startConnectProxy(workspace, 9);
    const agent = await start(api, {}, { HTTPS_PROXY: proxy.address, https_proxy: proxy.address });
    await isUpToDate(agent);
    expect(proxy.targets).toEqual([]);
    await agent.stop();
  });

  test("asks no proxy that kubectl does not ask", async () => {
    const api = startKubeApi(workspace);
    const proxy = await startConnectProxy(workspace, Number(new URL(api.url).port));
    const other = "http://127.0.0.1:9";
    const env = { HTTP_PROXY: other, ALL_PROXY: other, all_proxy: other };
    const agent = await start(api, { ...remote, "proxy-url": `http://${proxy.address}` }, env);
    await isUpToDate(agent);
    const direct = await start(api, {}, env);
    await isUpToDate(direct);
    for (const one of [agent, direct]) await one.stop();
  });

  test("names server and proxy where the way fails, without the password", async () => {
    const api = startKubeApi(workspace);
    const agent = await start(api, remote, { HTTPS_PROXY: "http://user:secret@127.0.0.1:9" });
    const problem = "https://apiserver.internal:6443 through proxy http://127.0.0.1:9: ECONNREFUSED";
    await waitFor("the reason", () => agent.process.stderr().includes(problem));
    expect((await agent.status("-o", "json")).stdout).toContain(problem);
    expect(agent.process.stderr()).not.toContain("secret");
    await agent.stop();
  });
});
