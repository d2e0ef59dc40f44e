// SPDX-License-Identifier: Apache-2.0
// Valid TOML 1.0 in every way it may be written: dotted keys, headers in any order, inline tables, arrays of tables,
// all kinds of strings, comments where they may stand, mixed line endings, no end of the last line.

/** Texts are values as they are written. */
type Tree = Map<string, Tree | string>;

const names = ["a", "b", "c", "plugins", "x y", "é", "a.b", "'", "#", "", "1", "__proto__", "k-1"];
const texts = ['"x"', "'y'", '"z"', '"io.containerd.nri.v1.nri"'];
const scalars = [
  ...["1", "-0", "0xFF", "1_000", "9223372036854775807", "1.5e3", "inf", "-nan", "true", "false"],
  ...["1979-05-27T07:32:00Z", "1979-05-27 07:32:00.5", "07:32:00", "1979-05-27"],
  ...['""', "''", '"a # b [x]"', "'C:\\x'", '"\\u00e9\\n"', '""""q""""', '"""a\\\n   b"""'],
  ...['"""\n[plugins]\ndisable = true # "" \n"""', "'''\n[x.\"y\"]\nk = 1\n'''"],
];
/** Every value that is neither a list nor a table. */
export const valuesAsWritten: readonly string[] = [...texts, ...scalars];

const comments = ["# c", "#", "# [x]", "# a = 1", '#é "', "# '''"];

/** `wanted`: places of which a document is likely to have something, or what stands above them. */
export function writeToml(
  random: () => number,
  wanted: readonly (readonly string[])[],
  root: Tree = new Map(),
): string {
  const chance = (share: number): boolean => random() < share;
  const count = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(choices: readonly T[]): T => {
    const chosen = choices[count(choices.length)];
    if (chosen === undefined) throw new Error("nothing to pick from");
    return chosen;
  };

  const endings = pick([["\n"], ["\n"], ["\r\n"], ["\n", "\r\n"]]);
  const ending = (): string => pick(endings);
  const blank = (): string => pick(["", "", " ", "\t", "  "]);
  const comment = (): string => (chance(0.3) ? blank() + pick(comments) : "");
  /** Between the parts of an array, where lines may end. */
  const gap = (): string => (chance(0.3) ? blank() + comment() + ending() + blank() : blank());

  const writeName = (name: string): string => {
    const basic = JSON.stringify(name);
    const literal = name.includes("'") ? basic : `'${name}'`;
    return /^[A-Za-z0-9_-]+$/.test(name) ? pick([basic, literal, name, name, name]) : pick([basic, literal]);
  };
  const writeKey = (path: readonly string[]): string =>
    path.map(writeName).join(pick([".", ".", ".", " . ", "\t."]));
  const writeScalar = (): string => pick(scalars).replaceAll("\n", ending());
  const writeList = (length: number, element: () => string): string => {
    let list = `[${gap()}`;
    for (let at = 1; at <= length; at++) {
      list += element() + gap();
      if (at < length || chance(0.3)) list += `,${gap()}`;
    }
    return `${list}]`;
  };
  const writeValue = (depth: number): string => {
    if (depth < 3 && chance(0.15)) return writeList(count(4), () => writeValue(depth + 1));
    return depth < 3 && chance(0.14) ? writeInline(createTree(depth + 2)) : writeScalar();
  };
  const writeTexts = (): string => writeList(count(4), () => pick(texts));

  function createTree(depth: number): Tree {
    const tree: Tree = new Map();
    for (let left = count(4); left > 0; left--) {
      const name = pick(names);
      if (tree.has(name)) continue;
      const value = chance(0.2) ? writeTexts() : writeValue(depth);
      tree.set(name, depth < 4 && chance(0.4) ? createTree(depth + 1) : value);
    }
    return tree;
  }

  function writeInline(tree: Tree): string {
    const items = flatten(tree, []).map(
      ([path, value]) =>
        `${writeKey(path)}${blank()}=${blank()}${typeof value === "string" ? value : writeInline(value)}`,
    );
    return `{${blank()}${items.join(`${blank()},${blank()}`)}${blank()}}`;
  }

  /** Some tables as dotted keys. */
  function flatten(
    tree: Tree,
    above: readonly string[],
  ): readonly (readonly [path: readonly string[], value: string | Tree])[] {
    return [...tree].flatMap(([name, value]) => {
      const path = [...above, name];
      const isWhole = typeof value === "string" || value.size === 0 || chance(0.5);
      return isWhole ? [[path, value] as const] : flatten(value, path);
    });
  }

  function grow(tree: Tree, [name, ...below]: readonly string[]): void {
    if (name === undefined) return;
    const old = tree.get(name);
    if (old instanceof Map) grow(old, below);
    if (old !== undefined) return;
    if (below.length === 0 || chance(0.1)) tree.set(name, chance(0.5) ? writeTexts() : writeScalar());
    else {
      const made = createTree(3);
      tree.set(name, made);
      if (chance(0.8)) grow(made, below);
    }
  }

  const sections: (readonly string[])[] = [];

  function addSection(tree: Tree, path: readonly string[]): void {
    const tables = [...tree].filter((entry): entry is [string, Tree] => typeof entry[1] !== "string");
    const isImplicit =
      tree.size > 0 && tables.length === tree.size && tables.every(([, table]) => table.size > 0);
    if (isImplicit && chance(0.5)) {
      for (const [name, table] of tables) addSection(table, [...path, name]);
      return;
    }
    const lines = chance(0.3) ? [pick(["", "# about", "  "])] : [];
    if (chance(0.08)) {
      // What follows belongs to this element, so nothing may follow.
      lines.push(`${blank()}[[${blank()}${writeKey(path)}${blank()}]]${comment()}`);
      for (const [name, value] of tree) {
        lines.push(
          `${blank()}${writeKey([name])} = ${typeof value === "string" ? value : writeInline(value)}`,
        );
      }
    } else {
      lines.push(`${blank()}[${blank()}${writeKey(path)}${blank()}]${comment()}`);
      addBody(tree, [], path, lines);
    }
    sections.push(lines);
  }

  /** `dotted`: the part of the path that the body's keys write out. */
  function addBody(tree: Tree, dotted: readonly string[], path: readonly string[], lines: string[]): void {
    for (const [name, value] of tree) {
      const key = [...dotted, name];
      const line = (written: string): number =>
        lines.push(`${blank()}${writeKey(key)}${blank()}=${blank()}${written}${blank()}${comment()}`);
      if (typeof value === "string") line(value);
      else if (value.size === 0 || chance(0.25)) line(writeInline(value));
      else if (dotted.length > 0 || chance(0.25)) addBody(value, key, path, lines);
      else addSection(value, [...path, name]);
      if (chance(0.15)) lines.push(pick(["", "  ", "# own line", " # [plugins]", "\t"]));
    }
  }

  for (const [name, tree] of createTree(0)) if (!root.has(name)) root.set(name, tree);
  for (const path of wanted) if (chance(0.7)) grow(root, path);
  const lines: string[] = [];
  addBody(root, [], [], lines);
  const order = sections.map((section) => ({ section, place: random() }));
  order.sort((one, other) => one.place - other.place);
  let text = chance(0.05) ? "\ufeff" : "";
  for (const line of [...lines, ...order.flatMap(({ section }) => section)]) text += line + ending();
  if (chance(0.2)) text = text.replace(/\r?\n$/, "");
  return text;
}
