// SPDX-License-Identifier: Apache-2.0
// Go templates, from which k3s and RKE2 generate containerd's file. Lines that consist of template actions become
// comments, so that the other lines can be parsed and edited as TOML.

const ACTION_LINE = /^[ \t]*\{\{(?:[^}]|\}(?!\}))*\}\}[ \t]*$/;
const BASE = /\{\{-?\s*template\s+"base"\s+\.\s*-?\}\}/;

interface MaskedTemplate {
  readonly text: string;
  /** Replaces the comments with their actions. */
  unmask(text: string): string;
}

/** Whether the template includes the built-in template of k3s. */
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
