// SPDX-License-Identifier: Apache-2.0
// Choice of the proxy to an API server as in kubectl: proxy-url of the kubeconfig, else the environment variables as
// golang.org/x/net/http/httpproxy reads them.

import { contains, isBlock, isLoopback, parseIp } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined for no proxy. The error is one line and names the variable. */
export function findProxy(server: string, env: Environment): Result<URL | undefined, string> {
  const url = URL.parse(server);
  if (url === null) return ok(undefined);
  const names = url.protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const name = names.find((candidate) => env[candidate]);
  if (name === undefined || !needsProxy(url, env["NO_PROXY"] || env["no_proxy"] || "")) return ok(undefined);
  const proxy = parseProxy(env[name] ?? "");
  return proxy.ok ? proxy : err(`${name}: ${proxy.error}`);
}

/** The error is one line and does not contain the value, which may hold a password. */
export function parseProxy(value: string): Result<URL, string> {
  const url = value.includes("://") ? URL.parse(value) : URL.parse(`http://${value}`);
  if (url === null || url.hostname === "") return err("is not a proxy URL");
  return url.protocol === "http:" || url.protocol === "https:"
    ? ok(url)
    : err(`proxy scheme ${url.protocol.slice(0, -1)} is not supported: use http:// or https://`);
}

/** Without user and password. */
export const describeProxy = (proxy: URL): string => `${proxy.protocol}//${proxy.host}`;

function needsProxy(server: URL, noProxy: string): boolean {
  const host = server.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = server.port || (server.protocol === "https:" ? "443" : "80");
  const ip = parseIp(host);
  if (isLoopback(host)) return false;
  return !noProxy.split(",").some((entry) => matches(entry.trim().toLowerCase(), host, port, ip));
}

function matches(entry: string, host: string, port: string, ip: Uint8Array | undefined): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  if (isBlock(entry)) return ip !== undefined && contains(entry, ip);
  const { name, ofPort } = splitPort(entry);
  if (ofPort !== "" && ofPort !== port) return false;
  const address = parseIp(name);
  if (address !== undefined) return ip?.every((byte, at) => byte === address[at]) === true;
  // "example.com" matches the domain and its subdomains; ".example.com" and "*.example.com" only its subdomains.
  const domain = name.startsWith("*.") ? name.slice(1) : name;
  if (domain === "") return false;
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

/** "host:port", "[::1]:port"; an IPv6 address without brackets has no port. */
function splitPort(entry: string): { readonly name: string; readonly ofPort: string } {
  const bracketed = /^\[(.*)\](?::(\d*))?$/.exec(entry);
  const plain = /^([^:]*):(\d*)$/.exec(entry);
  const [, name = entry, ofPort = ""] = bracketed ?? plain ?? [];
  return { name, ofPort };
}
