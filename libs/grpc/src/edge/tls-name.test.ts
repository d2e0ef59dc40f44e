// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { PeerCertificate } from "node:tls";
import { toTlsName } from "./tls-name.ts";

// The test reads these fields alone.
const certificate = (subjectaltname: string) => ({ subject: { CN: "x" }, subjectaltname }) as PeerCertificate;

test.each(["10.0.0.1", "::1", "[::1]"])("the address %s is verified, and not named to the server", (host) => {
  const { options, verify } = toTlsName(host);
  expect(options["grpc.ssl_target_name_override"]).toBe("tetragon");
  const judge = (names: string): boolean =>
    verify.checkServerIdentity?.("tetragon", certificate(names)) === undefined;
  expect(judge("IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1")).toBe(true);
  expect(judge("IP Address:10.0.0.2")).toBe(false);
  expect(judge("DNS:tetragon")).toBe(false);
});

test("a host is its own name, and a given name takes its place", () => {
  expect(toTlsName("node-1.example")).toEqual({ options: {}, verify: {} });
  expect(toTlsName("10.0.0.1", "node-1.example").options).toEqual({
    "grpc.ssl_target_name_override": "node-1.example",
    "grpc.default_authority": "node-1.example",
  });
});
