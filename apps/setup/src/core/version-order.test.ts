// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { isNewer, parseVersion } from "./version-order.ts";

// The example of Semantic Versioning 2.0.0, section 11, item 4.4.
const ascending = [
  ...["0.9.10", "0.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta"],
  ...["1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "2.0.0"],
];

test("orders versions", () => {
  for (const [at, version] of ascending.entries()) {
    for (const [other, than] of ascending.entries()) {
      expect({ version, than, newer: isNewer(version, than) }).toEqual({ version, than, newer: at > other });
    }
  }
});

test("build metadata does not affect the order", () => {
  expect(isNewer("1.0.0+two", "1.0.0+one")).toBe(false);
  expect(isNewer("1.0.1+one", "1.0.0+two")).toBe(true);
});

test("parses the version after the program's name", () => {
  expect(parseVersion("tetragon-oci-hook 1.2.3-rc.1\n")).toBe("1.2.3-rc.1");
  for (const output of ["", "1.2.3", "tetragon-oci-hook v1.2.3", "tetragon-oci-hook 1.2", "a 1.2.3 more"])
    expect(parseVersion(output)).toBeUndefined();
});
