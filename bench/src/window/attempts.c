/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempts KIND TARGET PAUSE_US BOUND_MS STAY_MS: does one thing again and again, the first time with its first system
 * calls, and writes a line to standard output for each attempt that came to its end: when it began and when it had ended
 * (nanoseconds of CLOCK_BOOTTIME), and what became of it, 0 for "went through", or the errno of a refusal (EPERM).
 *
 *   exec     is executed itself, by the path TARGET: each execution is an attempt
 *   connect  connects a UDP socket to the IPv4 address TARGET, written as a number
 *   call     makes a FIFO with the path TARGET, by mknodat(2)
 *   clock    writes the time once
 *
 * It ends STAY_MS after the first refusal, so that one that goes through later is seen too, or BOUND_MS after the first
 * attempt. A process that is killed writes nothing more.
 */
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/stat.h>
#include "../../../tests/harness/bare.h"

#define AF_INET 2
#define SOCK_DGRAM 2
#define EPERM 1

static void write_attempt(long began, long ended, long result)
{
	char text[64];
	char *end = text + sizeof(text) - 1;

	*end = '\n';
	char *first = write_number(end, result);

	*--first = ' ';
	first = write_number(first, ended);
	*--first = ' ';
	first = write_number(first, began);
	call(__NR_write, 1, (long)first, end + 1 - first, 0, 0);
}

static void rest(long microseconds)
{
	long time[2] = { microseconds / 1000000, microseconds % 1000000 * 1000 };

	call(__NR_nanosleep, (long)time, 0, 0, 0, 0);
}

static int is_same(const char *one, const char *other)
{
	while (*one && *one == *other) {
		one++;
		other++;
	}
	return *one == *other;
}

static long attempt(int is_call, const char *target)
{
	if (is_call)
		return call(__NR_mknodat, AT_FDCWD, (long)target, S_IFIFO | 0600, 0, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = 0x0900 };
	long socket = call(__NR_socket, AF_INET, SOCK_DGRAM, 0, 0, 0);

	address.sin_addr.s_addr = __builtin_bswap32(to_number(target));
	long result = call(__NR_connect, socket, (long)&address, sizeof(address), 0, 0);

	call(__NR_close, socket, 0, 0, 0, 0);
	return result;
}

static void repeat(char **words)
{
	int is_call = is_same(words[1], "call");
	long pause = to_number(words[3]);
	long bound = to_number(words[4]) * 1000000;
	long stay = to_number(words[5]) * 1000000;
	long first = read_clock(CLOCK_BOOTTIME);
	long refused = 0;

	for (;;) {
		long began = read_clock(CLOCK_BOOTTIME);

		if (began - first > bound || (refused && began - refused > stay))
			return;
		long result = attempt(is_call, words[2]) == -EPERM ? EPERM : 0;
		long ended = read_clock(CLOCK_BOOTTIME);

		write_attempt(began, ended, result);
		if (result && !refused)
			refused = ended;
		rest(pause);
	}
}

/* `words` gets two more: when this execution and when the first one began. */
static void execute(char **words, long count)
{
	static char began_text[24], first_text[24];
	long now = read_clock(CLOCK_BOOTTIME);
	long began = count > 6 ? to_number(words[6]) : now;
	long first = count > 7 ? to_number(words[7]) : now;

	write_attempt(began, now, 0);
	if (now - first > to_number(words[4]) * 1000000)
		return;
	rest(to_number(words[3]));
	char *next[] = { words[0], words[1], words[2], words[3], words[4], words[5], 0, 0, 0 };
	char *none[] = { 0 };

	next[6] = write_number(began_text + sizeof(began_text) - 1, read_clock(CLOCK_BOOTTIME));
	next[7] = write_number(first_text + sizeof(first_text) - 1, first);
	if (call(__NR_execve, (long)words[2], (long)next, (long)none, 0, 0) == -EPERM)
		write_attempt(read_clock(CLOCK_BOOTTIME), read_clock(CLOCK_BOOTTIME), EPERM);
}

__attribute__((used)) static void begin(long *stack)
{
	char **words = (char **)(stack + 1);
	long count = stack[0];

	if (count == 2)
		write_attempt(0, read_clock(CLOCK_BOOTTIME), 0);
	else if (count >= 6 && is_same(words[1], "exec"))
		execute(words, count);
	else if (count >= 6)
		repeat(words);
	call(__NR_exit, 0, 0, 0, 0, 0);
}
