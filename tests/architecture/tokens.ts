// SPDX-License-Identifier: Apache-2.0
// TypeScript as words, texts and signs, without its comments: enough to see what a file imports and which globals
// it names. Bun's own import scanner leaves out type-only imports.

export interface Token {
  readonly kind: "word" | "text" | "sign";
  /** A text is without its quotes. Of a template only the code in it comes out, as tokens of its own. */
  readonly text: string;
  readonly line: number;
}

const word = /[\p{ID_Start}$_#@][\p{ID_Continue}$]*/uy;
const number = /\d[\w.]*/y;
const quoted = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/sy;
const comment = /\/\/[^\n]*|\/\*.*?\*\//sy;
const expression = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const templatePart = /(?:[^`\\$]|\\.|\$(?!\{))*/sy;
const operand = /^(?:[)\]}]|\d.*)$/;
const beforeExpression = new Set([
  "return",
  "typeof",
  "case",
  "of",
  "in",
  "do",
  "else",
  "await",
  "yield",
  "void",
]);

export function readTokens(source: string): readonly Token[] {
  const tokens: Token[] = [];
  /** For each template that is open, how many braces are open in its code. */
  const templates: number[] = [];
  let at = 0;
  let line = 1;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const add = (kind: Token["kind"], text: string) => tokens.push({ kind, text, line });
  const takeAs = (kind: Token["kind"], pattern: RegExp): boolean => {
    const found = take(pattern);
    if (found !== undefined) add(kind, pattern === quoted ? found.slice(1, -1) : found);
    return found !== undefined;
  };
  // A slash is a division behind an operand.
  const takeToken = (isOperand: boolean): boolean =>
    takeAs("text", quoted) ||
    takeAs("word", word) ||
    takeAs("sign", number) ||
    (!isOperand && takeAs("text", expression));
  const readTemplate = () => {
    take(templatePart);
    if (source[at] === "$") {
      at += 2;
      templates.push(0);
    } else at++;
  };
  while (at < source.length) {
    const start = at;
    const character = source.charAt(at);
    const last = tokens.at(-1);
    const isOperand =
      last !== undefined &&
      (last.kind === "word"
        ? !beforeExpression.has(last.text)
        : last.kind === "text" || operand.test(last.text));
    if (take(comment) !== undefined) {
      // Nothing is in it.
    } else if (character === "`") {
      at++;
      readTemplate();
      add("sign", "`");
    } else if (character === "}" && templates.at(-1) === 0) {
      templates.pop();
      at++;
      readTemplate();
      add("sign", "}");
    } else if (!takeToken(isOperand)) {
      const depth = templates.length - 1;
      if (character === "{" && depth >= 0) templates[depth] = (templates[depth] ?? 0) + 1;
      if (character === "}" && depth >= 0) templates[depth] = (templates[depth] ?? 0) - 1;
      if (character.trim() !== "") add("sign", character);
      at++;
    }
    line += source.slice(start, at).split("\n").length - 1;
  }
  return tokens;
}
