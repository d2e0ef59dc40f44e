// SPDX-License-Identifier: Apache-2.0
// Links of Markdown texts, and names of documents in sources.

export interface Link {
  /** As it is written; "" is the document itself. */
  readonly target: string;
  /** Of a heading, without "#". */
  readonly anchor?: string;
}

const withoutCode = (text: string): string =>
  text.replaceAll(/^ *(```+|~~~+).*?^ *\1$/gms, "").replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/gs, "");

const toLink = (written: string): Link => {
  const [target = "", anchor] = written.split("#");
  return anchor === undefined ? { target } : { target, anchor };
};

/** Links and pictures of a Markdown text, inline, by reference and in HTML; without those to other hosts. */
export function findLinks(text: string): readonly Link[] {
  const prose = withoutCode(text);
  const patterns = [
    /\]\(([^)\s]*)(?: "[^"]*")?\)/g,
    /^ *\[[^\]]+\]: (\S+)/gm,
    /\b(?:src|srcset|href)="([^"]*)"/g,
  ];
  return patterns
    .flatMap((pattern) => [...prose.matchAll(pattern)].map(([, written = ""]) => written))
    .filter((written) => !/^(?:https?|mailto):/.test(written))
    .map(toLink);
}

/** Documents that a source names from the root of the repository, in a comment or a text: docs/hook.md#log. */
export const findNamedDocuments = (source: string): readonly Link[] =>
  [
    ...source.matchAll(
      /(?<![\w./-])(?:docs\/[\w./-]+|README|SECURITY|CONTRIBUTING|CHANGELOG)\.(?:md|svg|png|json)(?:#[\w-]+)?/g,
    ),
  ].map(([name]) => toLink(name));

/** Of the headings of a Markdown text, as GitHub makes them. */
export function findAnchors(text: string): readonly string[] {
  const seen = new Map<string, number>();
  const prose = text.replaceAll(/^ *(```+|~~~+).*?^ *\1$/gms, "");
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => {
    const anchor = toAnchor(heading);
    const earlier = seen.get(anchor) ?? 0;
    seen.set(anchor, earlier + 1);
    return earlier === 0 ? anchor : `${anchor}-${earlier}`;
  });
}

const toAnchor = (heading: string): string =>
  heading
    .replaceAll("`", "")
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
