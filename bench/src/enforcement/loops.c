/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loops KIND COUNT [PER_MILLISECOND]: makes the same system call again and again, at once or so many in a millisecond,
 * and prints the nanoseconds of processor time of one; for "exec" those of a child that executes a program.
 */
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/signal.h>
#include "../../../tests/harness/bare.h"

#define AF_INET 2
#define SOCK_DGRAM 2

/* Waits until it is time for the call after `done` ones, of so many in a millisecond. */
static void keep_pace(long began, long done, long per_millisecond)
{
	long ahead = began + done * 1000000 / per_millisecond - read_clock(CLOCK_MONOTONIC);
	long time[2] = { ahead / 1000000000, ahead % 1000000000 };

	if (ahead > 0)
		call(__NR_nanosleep, (long)time, 0, 0, 0, 0);
}

static long run(char kind, long count, long per_millisecond, char *self)
{
	long began = read_clock(CLOCK_MONOTONIC);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = 0x0900, .sin_addr = { 0x0200007f } };
	char *quit[] = { self, "quit", 0 };
	char *none[] = { 0 };
	long socket = kind == 'c' ? call(__NR_socket, AF_INET, SOCK_DGRAM, 0, 0, 0) : 0;
	long children = 0;
	long started = read_clock(CLOCK_PROCESS_CPUTIME_ID);

	for (long done = 0; done < count; done++) {
		if (per_millisecond && done % per_millisecond == 0)
			keep_pace(began, done, per_millisecond);
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
	return (kind == 'e' ? children : read_clock(CLOCK_PROCESS_CPUTIME_ID) - started) / count;
}

__attribute__((used)) static void begin(long *stack)
{
	char **words = (char **)(stack + 1);

	if (stack[0] < 3)
		call(__NR_exit, 0, 0, 0, 0, 0);
	long nanoseconds = run(words[1][0], to_number(words[2]), stack[0] > 3 ? to_number(words[3]) : 0, words[0]);
	char text[24];
	char *end = text + sizeof(text) - 1;

	*end = '\n';
	char *first = nanoseconds < 0 ? end : write_number(end, nanoseconds);

	call(__NR_write, 1, (long)first, end + 1 - first, 0, 0);
	call(__NR_exit, nanoseconds < 0, 0, 0, 0, 0);
}
