// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseContainerQuery } from "./container-query.ts";

test.each([
  ["shop/web-0", { kind: "pod", namespace: "shop", pod: "web-0", container: undefined }],
  ["shop/web-0/app", { kind: "pod", namespace: "shop", pod: "web-0", container: "app" }],
  ["4f2a", { kind: "id", id: "4f2a" }],
])("%s names containers", (text, query) =>
  expect<unknown>(parseContainerQuery(text)).toEqual({ ok: true, value: query }),
);

test.each(["", "4f2", "/", "shop/", "/web-0", "shop//app", "shop/web-0/", "a/b/c/d", "\u001b[2J/"])(
  "%p is refused with one line",
  (text) => {
    const query = parseContainerQuery(text);
    expect(query.ok ? "" : query.error).toMatch(/^".*".*$/);
    expect(query.ok ? "" : query.error).not.toContain("\u001b");
  },
);
