// SPDX-License-Identifier: Apache-2.0

/** The 16 bytes of an IP address, an IPv4 one as IPv4-mapped IPv6 (RFC 4291 2.5.5.2); undefined for other text. */
export function parseIp(text: string): Uint8Array | undefined {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  if (bytes === undefined || bytes.length === 16) return bytes;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
}

/** The address of 16 bytes at this place in its shortest form, an IPv4-mapped one as IPv4: "10.0.0.1", "fd00::1". */
export function renderIp(bytes: Uint8Array, start = 0): string {
  if (isMapped(bytes, start)) {
    return `${bytes[start + 12]}.${bytes[start + 13]}.${bytes[start + 14]}.${bytes[start + 15]}`;
  }
  const words = Array.from({ length: 8 }, (_, at) =>
    ((bytes[start + at * 2] ?? 0) * 256 + (bytes[start + at * 2 + 1] ?? 0)).toString(16),
  );
  // The URL parser knows the rules of RFC 5952.
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}

/** Events have some hundred thousand addresses a second: no copy is made of them. */
function isMapped(bytes: Uint8Array, start: number): boolean {
  for (let at = start; at < start + 10; at++) if (bytes[at] !== 0) return false;
  return bytes[start + 10] === 0xff && bytes[start + 11] === 0xff;
}

/** "localhost", 127.0.0.0/8 and ::1: only processes in this network namespace reach it. No name is resolved. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const ip = parseIp(host);
  return ip !== undefined && (contains("127.0.0.0/8", ip) || contains("::1/128", ip));
}

/** `block` is CIDR notation: "10.0.0.0/8", "fd00::/8". False for an invalid block. */
export function contains(block: string, ip: Uint8Array): boolean {
  const parsed = parseBlock(block);
  if (parsed === undefined) return false;
  const { base, bits } = parsed;
  return ip.every((byte, at) => {
    const mask = 0xff00 >> Math.min(8, Math.max(0, bits - at * 8));
    return (byte & mask & 0xff) === ((base[at] ?? 0) & mask & 0xff);
  });
}

export const isBlock = (text: string): boolean => parseBlock(text) !== undefined;

/** CIDR notation, with `bits` of the 128 of an IPv6 address; undefined for other text. */
export function parseBlock(text: string): { readonly base: Uint8Array; readonly bits: number } | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const base = parseIp(address);
  const width = address.includes(":") ? 128 : 32;
  if (base === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > width) {
    return undefined;
  }
  return { base, bits: Number(length) + 128 - width };
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  const isPart = (part: string): boolean => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256;
  return parts.length === 4 && parts.every(isPart) ? Uint8Array.from(parts, Number) : undefined;
}

/** Uses the URL parser, which prints an address in the one form of RFC 5952 and rejects zones. */
function parseIpv6(text: string): Uint8Array | undefined {
  const url = URL.parse(`http://[${text}]`);
  if (url === null) return undefined;
  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const words = (part: string): readonly number[] =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), words(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return Uint8Array.from(
    [...before, ...Array<number>(zeros).fill(0), ...after].flatMap((word) => [word >> 8, word & 0xff]),
  );
}
