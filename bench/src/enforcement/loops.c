/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loops KIND COUNT: makes the same system call again and again, and prints the nanoseconds of processor time of one; for
 * "exec" those of a child that executes a program. Without a C library, whose headers a machine may not have.
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/signal.h>
#include <linux/time.h>

#define AF_INET 2
#define SOCK_DGRAM 2

static long call(long number, long a, long b, long c, long d, long e)
{
#ifdef __x86_64__
	long result;
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;

	asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
		     : "rcx", "r11", "memory");
	return result;
#else
	register long x8 asm("x8") = number;
	register long x0 asm("x0") = a;
	register long x1 asm("x1") = b;
	register long x2 asm("x2") = c;
	register long x3 asm("x3") = d;
	register long x4 asm("x4") = e;

	asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
#endif
}

static long now(void)
{
	long time[2];

	call(__NR_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, (long)time, 0, 0, 0);
	return time[0] * 1000000000 + time[1];
}

static long run(char kind, long count, char *self)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = 0x0900, .sin_addr = { 0x0200007f } };
	char *quit[] = { self, "quit", 0 };
	char *none[] = { 0 };
	long socket = kind == 'c' ? call(__NR_socket, AF_INET, SOCK_DGRAM, 0, 0, 0) : 0;
	long children = 0;
	long started = now();

	for (long done = 0; done < count; done++) {
		if (kind == 'g') {
			call(__NR_getpid, 0, 0, 0, 0, 0);
		} else if (kind == 'o') {
			long fd = call(__NR_openat, AT_FDCWD, (long)"/proc/version", O_RDONLY, 0, 0);

			call(__NR_close, fd, 0, 0, 0, 0);
		} else if (kind == 'c') {
			if (call(__NR_connect, socket, (long)&address, sizeof(address), 0, 0) != 0)
				return -1;
		} else {
			int status = 0;
			long child = call(__NR_clone, SIGCHLD, 0, 0, 0, 0);

			if (child == 0) {
				call(__NR_execve, (long)self, (long)quit, (long)none, 0, 0);
				call(__NR_exit, 1, 0, 0, 0, 0);
			}
			/* struct rusage starts with seconds and microseconds of the program, then of the kernel. */
			long usage[18];

			call(__NR_wait4, child, (long)&status, 0, (long)usage, 0);
			if (status != 0)
				return -1;
			children += (usage[0] + usage[2]) * 1000000000 + (usage[1] + usage[3]) * 1000;
		}
	}
	return (kind == 'e' ? children : now() - started) / count;
}

/* The kernel puts the number of arguments and their addresses on the stack. */
__attribute__((used)) static void begin(long *stack)
{
	char **words = (char **)(stack + 1);

	if (stack[0] < 3)
		call(__NR_exit, 0, 0, 0, 0, 0);
	long count = 0;

	for (char *digit = words[2]; *digit; digit++)
		count = count * 10 + *digit - '0';
	long nanoseconds = run(words[1][0], count, words[0]);
	char text[24];
	int at = sizeof(text);

	text[--at] = '\n';
	for (long rest = nanoseconds; at > 0 && (rest > 0 || at == sizeof(text) - 1); rest /= 10)
		text[--at] = '0' + rest % 10;
	call(__NR_write, 1, (long)(text + at), sizeof(text) - at, 0, 0);
	call(__NR_exit, nanoseconds < 0, 0, 0, 0, 0);
}

#ifdef __x86_64__
asm(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin");
#else
asm(".globl _start\n_start: mov x0, sp\nbl begin");
#endif
