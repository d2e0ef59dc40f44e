// SPDX-License-Identifier: Apache-2.0
import type { Token } from "./tokens.ts";

export interface Import {
  /** Undefined when it is made by the program as it runs. */
  readonly name: string | undefined;
  /** `import type`, of which nothing is left when the program runs. */
  readonly isType: boolean;
  readonly line: number;
}

export interface Global {
  readonly name: string;
  readonly line: number;
}

/** What a pure file must not name: the process, time, chance, timers, the network, output. */
const impure: ReadonlySet<string> = new Set([
  ...["process", "Bun", "Deno", "globalThis", "global", "require", "Buffer"],
  ...["Date", "performance", "Temporal", "crypto"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask"],
  ...["console", "fetch", "WebSocket", "Worker"],
]);

/** Type-only imports count: they are a dependency for whoever reads the file. */
export function findImports(tokens: readonly Token[]): readonly Import[] {
  return tokens.flatMap(({ kind, text, line }, at): Import[] => {
    if (kind !== "word" || (text !== "import" && text !== "from")) return [];
    const next = tokens[at + 1];
    if (next?.kind === "text") return [{ name: next.text, isType: isTypeOnly(tokens, at), line }];
    if (text !== "import" || next?.text !== "(") return [];
    const inside = tokens[at + 2];
    return [{ name: inside?.kind === "text" ? inside.text : undefined, isType: false, line }];
  });
}

function isTypeOnly(tokens: readonly Token[], fromAt: number): boolean {
  const start = tokens.findLastIndex(
    ({ kind, text }, at) => at <= fromAt && kind === "word" && (text === "import" || text === "export"),
  );
  return tokens[start + 1]?.text === "type" && start + 2 !== fromAt;
}

export function findGlobals(tokens: readonly Token[]): readonly Global[] {
  return tokens.flatMap(({ kind, text, line }, at): Global[] => {
    if (kind !== "word") return [];
    const rest = tokens.slice(at + 1, at + 3).map((token) => token.text);
    const pair = rest[0] === "." ? `${text}.${rest[1]}` : "";
    if (pair === "Math.random" || pair === "import.meta") return [{ name: pair, line }];
    if (!impure.has(text) || isMember(tokens, at)) return [];
    return [{ name: text, line }];
  });
}

function isMember(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1]?.text ?? "";
  if (before === ".") return true;
  const isNamed = ["{", ",", ";", "readonly"].includes(before);
  const [next, second] = tokens.slice(at + 1, at + 3).map((token) => token.text);
  return isNamed && (next === ":" || (next === "?" && second === ":"));
}

/** Names of the types that the file declares and exports: interfaces, aliases, classes, enums. Not what it re-exports. */
export function findExportedTypes(tokens: readonly Token[]): readonly string[] {
  return tokens.flatMap(({ kind, text }, at): readonly string[] => {
    if (kind !== "word" || text !== "export") return [];
    const words = tokens.slice(at + 1, at + 5).map((token) => token.text);
    const declared = words.findIndex((word) => !["declare", "abstract", "const"].includes(word));
    const [keyword = "", name = ""] = words.slice(declared);
    const isType = ["interface", "type", "class", "enum"].includes(keyword);
    return isType && /^[A-Za-z_$]/.test(name) ? [name] : [];
  });
}
