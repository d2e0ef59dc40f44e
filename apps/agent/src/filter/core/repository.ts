// SPDX-License-Identifier: Apache-2.0

/**
 * An image's name without its tag and digest, as containerSelector's `repo` sees it (distribution/reference: a tag has no
 * "/" behind its colon, so that a registry's port is no tag).
 */
export function toRepository(image: string): string {
  const [name = ""] = image.split("@", 1);
  const colon = name.lastIndexOf(":");
  return colon === -1 || name.indexOf("/", colon) !== -1 ? name : name.slice(0, colon);
}
