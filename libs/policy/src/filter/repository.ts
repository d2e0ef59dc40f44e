// SPDX-License-Identifier: Apache-2.0

/**
 * The name of an image without tag and digest. The port of a registry is not taken for a tag: only a port has a "/" after
 * its colon (distribution/reference).
 */
export function toRepository(image: string): string {
  const [name = ""] = image.split("@", 1);
  const colon = name.lastIndexOf(":");
  return colon === -1 || name.indexOf("/", colon) !== -1 ? name : name.slice(0, colon);
}
