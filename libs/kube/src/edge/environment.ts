// SPDX-License-Identifier: Apache-2.0

/**
 * The environment as the program was given it. Which proxy leads to a server is decided here and not by Bun's fetch, which
 * sends loopback addresses to a proxy, knows ALL_PROXY, and applies NO_PROXY also to a proxy that it is given: so fetch must
 * not see these.
 */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env };

for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"]) {
  delete process.env[name];
  delete process.env[name.toLowerCase()];
}
