// SPDX-License-Identifier: Apache-2.0

/**
 * The name of an image without tag and digest (distribution/reference: a tag has no "/" after its colon, so the port of a
 * registry is no tag).
 */
export function toRepository(image: string): string {
  const [name = ""] = image.split("@", 1);
  const colon = name.lastIndexOf(":");
  return colon === -1 || name.indexOf("/", colon) !== -1 ? name : name.slice(0, colon);
}
