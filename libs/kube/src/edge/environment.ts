// SPDX-License-Identifier: Apache-2.0

/**
 * The environment at the start of the program. Bun's fetch must not see the proxy variables, since it sends loopback
 * addresses to a proxy, reads ALL_PROXY, and applies NO_PROXY also to an explicit proxy: proxy.ts chooses the proxy.
 */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env };

for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"]) {
  delete process.env[name];
  delete process.env[name.toLowerCase()];
}
