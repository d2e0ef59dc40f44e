// SPDX-License-Identifier: Apache-2.0
// What rules can be about, each tried on stock kernels by a process in a container and by one beside it.
import type {
  ArgumentReading,
  HookArgument,
  HookPoint,
  KernelRule,
  RuleEffect,
  RuleFilters,
} from "@rthooks/policy";

export interface HookCase {
  /** Letters and digits. */
  readonly name: string;
  /** As a table for users has it. */
  readonly feature: string;
  readonly rule: KernelRule;
  /** Shell text that ends with 0 if nothing stops it. */
  readonly command: string;
  /** Done before each try, outside of the container. */
  readonly before?: string;
}

const filterless: RuleFilters = { numbers: [], comparisons: [], texts: [], addresses: [] };
const deny: RuleEffect = { kind: "override", errno: 1 };
const kill: RuleEffect = { kind: "kill" };

const toRule = (hook: HookPoint, filters: Partial<RuleFilters>, effect: RuleEffect): KernelRule => ({
  ...{ hooks: [hook], filters: { ...filterless, ...filters }, effects: [effect] },
  ...{ posts: true, rateLimit: undefined },
});

type Facet = "arg0" | "arg1" | "arg2" | "arg3";
const text = (facet: Facet, value: string, match: "exact" | "prefix" | "postfix" = "exact") => ({
  texts: [{ facet, match, values: [value], isNegated: false }],
});
const number = (facet: Facet | "socketType" | "sourcePort", value: number) => ({
  numbers: [{ facet, values: [BigInt(value)], isNegated: false }],
});
const to = (block: string) => ({
  addresses: [{ facet: "destination" as const, blocks: [block], isNegated: false }],
}); // const: a facet
const arg = (index: number, reading: ArgumentReading): HookArgument => ({ index, reading });

const lsm = (hook: string, filters: Partial<RuleFilters>, command: string, before?: string): HookCase => ({
  ...{ name: hook.replace(/_/g, ""), feature: `LSM hook \`${hook}\`` },
  ...{ rule: toRule({ kind: "lsm", hook }, filters, deny), command },
  ...(before === undefined ? {} : { before }),
});

const fn = (
  what: string,
  name: string,
  args: readonly HookArgument[],
  filters: Partial<RuleFilters>,
  command: string,
): HookCase => ({
  ...{ name: `fn${name.replace(/_/g, "")}`, feature: `kernel function with ${what} (\`${name}\`)` },
  ...{ rule: toRule({ kind: "function", name, args }, filters, kill), command },
});

const refused = (address: string): string => `nc ${address} 9 2>&1 | grep -q refused`;

export const hookCases: readonly HookCase[] = [
  {
    ...{ name: "exec", feature: "execution of a path" },
    rule: toRule({ kind: "exec" }, text("arg0", "/files/forbidden/true"), deny),
    command: "/files/forbidden/true",
  },
  {
    ...{ name: "connect", feature: "connection to an address" },
    rule: toRule({ kind: "connect" }, to("127.0.0.2"), deny),
    command: refused("127.0.0.2"),
  },
  {
    ...{ name: "mapped", feature: "the same address in IPv6 form" },
    rule: toRule({ kind: "connect" }, to("127.0.0.4"), deny),
    command: refused("::ffff:127.0.0.4"),
  },
  {
    ...{ name: "bind", feature: "bind(2) to a port" },
    rule: toRule({ kind: "bind" }, number("sourcePort", 7777), deny),
    // Nothing connects: it ends with the signal of timeout(1).
    command: "timeout 1 nc -l -p 7777; [ $? -ge 124 ]",
  },
  lsm("file_open", text("arg0", "/files/secret"), "cat /files/secret"),
  lsm("path_mkdir", text("arg1", "/files/new"), "mkdir /files/new && rmdir /files/new"),
  lsm("path_rmdir", text("arg1", "/files/old"), "rmdir /files/old", "mkdir -p /files/old"),
  lsm("path_unlink", text("arg1", "/files/kept"), "rm /files/kept", "touch /files/kept"),
  lsm("path_rename", text("arg3", ".done", "postfix"), "mv /files/a /files/a.done", "touch /files/a"),
  lsm("path_symlink", text("arg2", "/etc/shadow"), "ln -s /etc/shadow /files/link && rm /files/link"),
  lsm("path_link", text("arg0", "/files/linked"), "ln /files/linked /files/hard && rm /files/hard"),
  lsm("path_mknod", text("arg1", "/files/pipe"), "mkfifo /files/pipe && rm /files/pipe"),
  lsm("path_chmod", number("arg1", 0o4755), "chmod 4755 /files/linked"),
  lsm("path_chown", number("arg1", 1234), "chown 1234 /files/linked"),
  lsm("inode_getattr", text("arg0", "/files/measured"), "stat /files/measured"),
  lsm("sb_mount", text("arg1", "/files/mnt"), "mount -t tmpfs none /files/mnt && umount /files/mnt"),
  lsm("task_kill", number("arg2", 12), "sleep 3 & kill -12 $!"),
  lsm("capable", number("arg2", 18), "chroot / true"),
  lsm("ptrace_access_check", number("arg0", 1), "cat /proc/1/environ"),
  lsm("socket_create", number("socketType", 3), "ping -c 1 127.0.0.1"),
  lsm("bpf", number("arg0", 11), "bpftool prog show"),
  fn("sock", "tcp_connect", [arg(0, "sock")], to("127.0.0.3"), refused("127.0.0.3")),
  fn("file", "security_file_open", [arg(0, "file")], text("arg0", "/files/probed"), "cat /files/probed"),
  fn(
    ...(["path and number", "security_path_chmod", [arg(0, "path"), arg(1, "uint16")]] as const), // const: a tuple
    { ...text("arg0", "/files/moded"), ...number("arg1", 0o700) },
    "chmod 700 /files/moded",
  ),
  fn(
    "a user's string",
    "do_sys_openat2",
    [arg(1, "string")],
    text("arg0", "/files/named"),
    "cat /files/named",
  ),
  fn(
    ...(["a kernel's string", "security_sb_mount", [arg(0, "string"), arg(1, "path")]] as const), // const: a tuple
    text("arg0", "forbidden-device"),
    "mount -t tmpfs forbidden-device /files/other && umount /files/other",
  ),
  fn(
    ...(["linux_binprm", "security_bprm_check", [arg(0, "linux_binprm")]] as const), // const: a tuple
    text("arg0", "/files/checked/true"),
    "/files/checked/true",
  ),
  fn(
    "capability",
    "security_capable",
    [arg(2, "capability")],
    number("arg0", 27),
    "rm -f /files/null; mknod /files/null c 1 3",
  ),
  {
    ...{ name: "chdir", feature: "system call with a string (`chdir`)" },
    rule: toRule(
      {
        ...{ kind: "tracepoint", subsystem: "syscalls", event: "sys_enter_chdir" },
        args: [arg(5, "string")],
      },
      text("arg0", "/files/cd"),
      kill,
    ),
    command: "cd /files/cd",
  },
  {
    ...{ name: "fsync", feature: "system call with a descriptor (`fsync`)" },
    rule: toRule(
      {
        ...{ kind: "tracepoint", subsystem: "syscalls", event: "sys_enter_fsync" },
        args: [arg(5, "fd")],
      },
      text("arg0", "/files/synced"),
      kill,
    ),
    command: "dd if=/dev/zero of=/files/synced bs=1 count=1 conv=fsync",
  },
  {
    ...{ name: "write", feature: "system call with a buffer (`write`)" },
    rule: toRule(
      {
        ...{ kind: "tracepoint", subsystem: "syscalls", event: "sys_enter_write" },
        args: [arg(5, "fd"), { ...arg(6, "char_buf"), sizeIndex: 7 }],
      },
      text("arg1", "forbidden bytes", "prefix"),
      kill,
    ),
    command: 'printf "forbidden bytes" >/files/written',
  },
];

export const prepareCases = `
mkdir -p /files/forbidden /files/checked /files/mnt /files/other /files/cd
for name in secret linked measured probed moded named; do touch /files/$name; done
cp /bin/busybox /files/forbidden/true
cp /bin/busybox /files/checked/true
`;
