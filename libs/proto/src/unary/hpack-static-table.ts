// SPDX-License-Identifier: Apache-2.0
import type { HeaderField } from "./hpack-decode.ts";

/** RFC 7541 appendix A: a line per entry; what follows the first space is the value. */
const ENTRIES =
  ":authority\n:method GET\n:method POST\n:path /\n:path /index.html\n:scheme http\n:scheme https\n" +
  ":status 200\n:status 204\n:status 206\n:status 304\n:status 400\n:status 404\n:status 500\n" +
  "accept-charset\naccept-encoding gzip, deflate\naccept-language\naccept-ranges\naccept\n" +
  "access-control-allow-origin\nage\nallow\nauthorization\ncache-control\ncontent-disposition\n" +
  "content-encoding\ncontent-language\ncontent-length\ncontent-location\ncontent-range\ncontent-type\n" +
  "cookie\ndate\netag\nexpect\nexpires\nfrom\nhost\nif-match\nif-modified-since\nif-none-match\nif-range\n" +
  "if-unmodified-since\nlast-modified\nlink\nlocation\nmax-forwards\nproxy-authenticate\n" +
  "proxy-authorization\nrange\nreferer\nrefresh\nretry-after\nserver\nset-cookie\n" +
  "strict-transport-security\ntransfer-encoding\nuser-agent\nvary\nvia\nwww-authenticate";

export const STATIC_TABLE_LENGTH = 61;

let lines: readonly string[] | undefined;

/** `index` as on the wire, counted from 1. */
export function findStaticHeader(index: number): HeaderField | undefined {
  lines ??= ENTRIES.split("\n");
  const line = lines[index - 1];
  if (line === undefined) {
    return undefined;
  }
  const space = line.indexOf(" ");
  return space < 0 ? { name: line, value: "" } : { name: line.slice(0, space), value: line.slice(space + 1) };
}
