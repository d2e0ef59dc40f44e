// SPDX-License-Identifier: Apache-2.0
// Shell completion scripts, rendered from the flag table.

import { COMPLETE_COMMAND } from "./complete-command.ts";
import type { Flag, FlagTable } from "./flag.ts";

export type Shell = "bash" | "zsh" | "fish";

export interface CompletedProgram {
  readonly name: string;
  readonly commands: readonly CompletedCommand[];
  readonly flags: FlagTable;
}

interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  /** What its arguments are, as `names` of a flag. */
  readonly names?: string;
}

/** A name that no shell expands: names come from pods. */
export const isCompletable = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,511}$/.test(name);

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
      const reply = isFile(flag)
        ? `compgen -f -- "$word"`
        : flag.names === undefined
          ? `compgen -W ${quote(words)} -- "$word"`
          : `${name}_names ${flag.names} "$word"`;
      // With this option bash quotes file names and appends a slash to directories.
      const manner = isFile(flag) ? "compopt -o filenames 2>/dev/null; " : "";
      const names = [`--${flagName}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])].join("|");
      return `    ${names}) ${manner}mapfile -t COMPREPLY < <(${reply}); return ;;`;
    });
  const named = namedCommands(program).map(
    ({ name: command, names }) =>
      `    ${command}) mapfile -t COMPREPLY < <(${name}_names ${names} "$word"); return ;;`,
  );
  const ofCommand =
    named.length === 0
      ? ""
      : `  if (( COMP_CWORD > 1 )) && [[ "$word" != -* ]]; then case "\${COMP_WORDS[1]}" in
${named.join("\n")}
  esac; fi
`;
  // compgen -W would expand the names: they are taken as they are.
  const askForNames = hasNames(program)
    ? `${name}_names() {
  local address=()
  local pattern='--server-address[= ]+([^ ]+)'
  if [[ "$COMP_LINE" =~ $pattern ]]; then address=(--server-address "\${BASH_REMATCH[1]}"); fi
  "\${COMP_WORDS[0]}" ${COMPLETE_COMMAND} "\${address[@]}" -- "$1" "$2" 2>/dev/null
}
`
    : "";
  return `# bash completion for ${program.name}
${askForNames}${name}() {
  local at=$COMP_CWORD
  local word="\${COMP_WORDS[at]}"
  # Bash splits --name=value into three words.
  if [[ "$word" == "=" ]]; then word=""; at=$((at + 1)); fi
  local previous="\${COMP_WORDS[at-1]}"
  if [[ "$previous" == "=" ]]; then previous="\${COMP_WORDS[at-2]}"; fi
  case "$previous" in
${values.join("\n")}
  esac
${ofCommand}  local words=${quote(program.commands.map((command) => command.name).join(" "))}
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
    const action =
      flag.names !== undefined
        ? `{${name}_names ${flag.names}}`
        : isFile(flag)
          ? "_files"
          : words.length > 0
            ? `(${words.join(" ")})`
            : "";
    const value = flag.kind === "boolean" ? "" : `:${flagName}:${action}`;
    const names = [`--${flagName}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])];
    return names.map((dashed) => `    ${quote(`${dashed}[${describe(flag.usage)}]${value}`)} \\`).join("\n");
  });
  const commands = program.commands.map((command) =>
    quote(`${describe(command.name)}:${describe(command.summary)}`),
  );
  const askForNames = hasNames(program)
    ? `${name}_names() {
  local -a address names
  if [[ "$words" =~ '--server-address[= ]+([^ ]+)' ]]; then address=(--server-address "$match[1]"); fi
  names=(\${(f)"$($words[1] ${COMPLETE_COMMAND} $address -- "$1" "$PREFIX" 2>/dev/null)"})
  compadd -a names
}
`
    : "";
  const named = namedCommands(program).map(
    ({ name: command, names }) => `    ${command}) ${name}_names ${names} ;;`,
  );
  const ofCommand =
    named.length === 0
      ? ""
      : `
${name}_arguments() {
  case "$words[2]" in
${named.join("\n")}
  esac
}`;
  return `#compdef ${program.name}
${askForNames}${name}() {
  local -a commands=(${commands.join(" ")})
  _arguments \\
${flags.join("\n")}
    '1:command:{_describe command commands}'${named.length === 0 ? "" : ` \\\n    '*:name:${name}_arguments'`}
}${ofCommand}
compdef ${name} ${program.name}
`;
}

function renderFish(program: CompletedProgram): string {
  const flags = Object.entries(program.flags).map(([flagName, flag]) => {
    const words = choicesOf(flag);
    const value =
      flag.kind === "boolean"
        ? ""
        : flag.names !== undefined
          ? ` -x -a ${quote(askInFish(program, flag.names))}`
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
  const named = namedCommands(program).map(
    ({ name: command, names = "" }) =>
      `complete -c ${program.name} -n ${quote(`__fish_seen_subcommand_from ${command}`)} -f -a ${quote(askInFish(program, names))}`,
  );
  return `${[`# fish completion for ${program.name}`, ...commands, ...named, ...flags].join("\n")}\n`;
}

const askInFish = ({ name }: CompletedProgram, names: string): string =>
  `(${name} ${COMPLETE_COMMAND} (string match -r -- "--server-address[= ][^ ]+" (commandline) | string split " ") -- ${names} (commandline -ct) 2>/dev/null)`;

const namedCommands = ({ commands }: CompletedProgram): readonly CompletedCommand[] =>
  commands.filter(({ names }) => names !== undefined);

const hasNames = (program: CompletedProgram): boolean =>
  namedCommands(program).length > 0 || Object.values(program.flags).some(({ names }) => names !== undefined);
