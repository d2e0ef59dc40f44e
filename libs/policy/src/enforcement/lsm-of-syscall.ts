// SPDX-License-Identifier: Apache-2.0
// LSM hooks at which the kernel can deny what a system call does (linux/lsm_hook_defs.h).

/** The hook, and the names of its system calls as patterns. */
const hooks: readonly (readonly [hook: string, calls: RegExp])[] = [
  ["bprm_check_security", /^execve(at)?$/],
  ["file_open", /^(open|openat|openat2|creat)$/],
  ["path_mkdir", /^mkdir(at)?$/],
  ["path_rmdir", /^rmdir$/],
  ["path_unlink", /^unlink(at)?$/],
  ["path_rename", /^rename(at|at2)?$/],
  ["path_link", /^link(at)?$/],
  ["path_symlink", /^symlink(at)?$/],
  ["path_mknod", /^mknod(at)?$/],
  ["path_chmod", /^f?chmod(at2?)?$/],
  ["path_chown", /^[fl]?chown(at)?$/],
  ["path_truncate", /^truncate$/],
  ["file_truncate", /^ftruncate$/],
  ["path_chroot", /^chroot$/],
  ["sb_mount", /^mount$/],
  ["sb_umount", /^umount2?$/],
  ["sb_pivotroot", /^pivot_root$/],
  ["move_mount", /^move_mount$/],
  ["ptrace_access_check", /^(ptrace|process_vm_(readv|writev)|pidfd_getfd)$/],
  ["socket_create", /^socket$/],
  ["socket_connect", /^connect$/],
  ["socket_bind", /^bind$/],
  ["socket_listen", /^listen$/],
  ["socket_accept", /^accept4?$/],
  ["socket_sendmsg", /^(sendto|sendmsg|sendmmsg)$/],
  ["socket_recvmsg", /^(recvfrom|recvmsg|recvmmsg)$/],
  ["socket_setsockopt", /^setsockopt$/],
  ["kernel_read_file", /^finit_module$/],
  ["kernel_load_data", /^init_module$/],
  ["bpf", /^bpf$/],
  ["perf_event_open", /^perf_event_open$/],
  ["task_kill", /^(kill|tkill|tgkill|rt_sigqueueinfo|pidfd_send_signal)$/],
  ["task_fix_setuid", /^set(res?|fs)?uid$/],
  ["task_fix_setgid", /^set(res?|fs)?gid$/],
  ["capset", /^capset$/],
  ["userns_create", /^(unshare|clone3?)$/],
  ["mmap_file", /^mmap$/],
  ["file_mprotect", /^(pkey_)?mprotect$/],
  ["file_ioctl", /^ioctl$/],
  ["settime", /^(settimeofday|clock_settime)$/],
  ["syslog", /^syslog$/],
];

/** `event`: "sys_enter_mkdir". */
export function findLsmOfSyscall(event: string): string | undefined {
  const call = event.replace(/^sys_enter_(new)?/, "");
  return hooks.find(([, calls]) => calls.test(call))?.[0];
}
