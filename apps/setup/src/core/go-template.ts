// SPDX-License-Identifier: Apache-2.0
// Configuration that is a Go template: k3s and RKE2 make containerd's file from one. Lines that are actions and
// nothing else become comments, so that the rest can be read and changed as TOML.

const ACTION_LINE = /^[ \t]*\{\{(?:[^}]|\}(?!\}))*\}\}[ \t]*$/;
const BASE = /\{\{-?\s*template\s+"base"\s+\.\s*-?\}\}/;

interface MaskedTemplate {
  readonly text: string;
  /** Puts the actions back where their comments are. */
  unmask(text: string): string;
}

/** k3s' own template comes in here. */
export const includesBase = (text: string): boolean => BASE.test(text);

export const BASE_LINE = '{{ template "base" . }}\n';

export function maskTemplate(text: string): MaskedTemplate {
  const actions: string[] = [];
  const masked = text.split("\n").map((line) => {
    const content = line.replace(/\r$/, "");
    if (!ACTION_LINE.test(content)) return line;
    actions.push(content);
    return line.replace(content, () => `#${MASK}${actions.length - 1}`);
  });
  return {
    text: masked.join("\n"),
    unmask: (changed) =>
      changed.replaceAll(new RegExp(`#${MASK}(\\d+)`, "g"), (_, at: string) => actions[Number(at)] ?? ""),
  };
}

const MASK = " tetragon-oci-hook-setup: template action ";
