// SPDX-License-Identifier: Apache-2.0
// Shell completion scripts, rendered from the flag table.

import type { Flag, FlagTable } from "./flag.ts";

export type Shell = "bash" | "zsh" | "fish";

export interface CompletedProgram {
  readonly name: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: FlagTable;
}

export function renderCompletion(shell: Shell, program: CompletedProgram): string {
  switch (shell) {
    case "bash":
      return renderBash(program);
    case "zsh":
      return renderZsh(program);
    case "fish":
      return renderFish(program);
  }
}

const isFile = (flag: Flag): boolean => flag.placeholder === "FILE" || flag.placeholder === "DIR";

const choicesOf = (flag: Flag): readonly string[] => (flag.kind === "string" ? (flag.choices ?? []) : []);

/** A function name that is valid in every shell. */
const functionName = (program: CompletedProgram): string => `_${program.name.replace(/[^a-zA-Z0-9]/g, "_")}`;

/** Text in single quotes, for any of the three shells. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function renderBash(program: CompletedProgram): string {
  const name = functionName(program);
  const flags = Object.entries(program.flags);
  const values = flags
    .filter(([, flag]) => flag.kind !== "boolean")
    .map(([flagName, flag]) => {
      const words = choicesOf(flag).join(" ");
      const reply = isFile(flag) ? `compgen -f -- "$word"` : `compgen -W ${quote(words)} -- "$word"`;
      // With this option bash quotes file names and appends a slash to directories.
      const manner = isFile(flag) ? "compopt -o filenames 2>/dev/null; " : "";
      const names = [`--${flagName}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])].join("|");
      return `    ${names}) ${manner}mapfile -t COMPREPLY < <(${reply}); return ;;`;
    });
  return `# bash completion for ${program.name}
${name}() {
  local at=$COMP_CWORD
  local word="\${COMP_WORDS[at]}"
  # Bash splits --name=value into three words.
  if [[ "$word" == "=" ]]; then word=""; at=$((at + 1)); fi
  local previous="\${COMP_WORDS[at-1]}"
  if [[ "$previous" == "=" ]]; then previous="\${COMP_WORDS[at-2]}"; fi
  case "$previous" in
${values.join("\n")}
  esac
  local words=${quote(program.commands.map((command) => command.name).join(" "))}
  [[ "$word" == -* ]] && words=${quote(flags.map(([flagName]) => `--${flagName}`).join(" "))}
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F ${name} ${program.name}
`;
}

function renderZsh(program: CompletedProgram): string {
  const name = functionName(program);
  const describe = (text: string): string => text.replace(/[[\]:\\]/g, "\\$&");
  const flags = Object.entries(program.flags).map(([flagName, flag]) => {
    const words = choicesOf(flag);
    const action = isFile(flag) ? "_files" : words.length > 0 ? `(${words.join(" ")})` : "";
    const value = flag.kind === "boolean" ? "" : `:${flagName}:${action}`;
    const names = [`--${flagName}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])];
    return names.map((dashed) => `    ${quote(`${dashed}[${describe(flag.usage)}]${value}`)} \\`).join("\n");
  });
  const commands = program.commands.map((command) =>
    quote(`${describe(command.name)}:${describe(command.summary)}`),
  );
  return `#compdef ${program.name}
${name}() {
  local -a commands=(${commands.join(" ")})
  _arguments \\
${flags.join("\n")}
    '1:command:{_describe command commands}'
}
compdef ${name} ${program.name}
`;
}

function renderFish(program: CompletedProgram): string {
  const flags = Object.entries(program.flags).map(([flagName, flag]) => {
    const words = choicesOf(flag);
    const value =
      flag.kind === "boolean"
        ? ""
        : isFile(flag)
          ? " -r -F"
          : words.length > 0
            ? ` -x -a ${quote(words.join(" "))}`
            : " -x";
    const short = flag.short === undefined ? "" : ` -s ${flag.short}`;
    return `complete -c ${program.name} -l ${flagName}${short}${value} -d ${quote(flag.usage)}`;
  });
  const commands = program.commands.map(
    (command) =>
      `complete -c ${program.name} -n __fish_use_subcommand -f -a ${command.name} -d ${quote(command.summary)}`,
  );
  return `${[`# fish completion for ${program.name}`, ...commands, ...flags].join("\n")}\n`;
}
