/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hop KIND TARGET WHO CGROUP COUNT: COUNT processes do what is forbidden, each in a cgroup below CGROUP that was made a
 * moment ago. Prints how many of them got through, how many did not, how many ended otherwise, and how many cgroups
 * processes were moved to.
 *
 *   exec     executes TARGET, a copy of this program
 *   connect  connects a UDP socket to the IPv4 address TARGET, written as a number
 *   call     makes a FIFO with the path TARGET and removes it
 *
 * WHO moves: "self", the process itself, before; or "other": this one moves it on to one new cgroup after the other while
 * the process makes its attempt.
 */
#include <linux/fcntl.h>
#include <linux/in.h>
#include <linux/signal.h>
#include <linux/stat.h>
#include <linux/wait.h>
#include "../harness/bare.h"

#define AF_INET 2
#define SOCK_DGRAM 2
#define EPERM 1
#define SIGKILL_STATUS 9
/* Exit codes of an attempt. */
#define THROUGH 7
#define REFUSED 8
#define BROKEN 9

/* The second letter of KIND. */
static char kind;
static const char *target;
static const char *cgroup;
/* Number of the next cgroup. */
static long next;

static char *append(char *end, const char *text)
{
	while (*text)
		*end++ = *text++;
	*end = 0;
	return end;
}

static char *append_number(char *end, long number)
{
	char digits[24];

	digits[23] = 0;
	return append(end, write_number(digits + 23, number));
}

static char *name_cgroup(char *path, long number)
{
	return append_number(append(append(path, cgroup), "/hop-"), number);
}

/* Makes a cgroup and moves the process there, 0 being this one. Whether it is done. */
static int move_to_new(long number, long pid)
{
	char path[512], text[24];
	char *end = name_cgroup(path, number);

	if (call(__NR_mkdirat, AT_FDCWD, (long)path, 0755, 0, 0) != 0)
		return 0;
	append(end, "/cgroup.procs");
	long fd = call(__NR_openat, AT_FDCWD, (long)path, O_WRONLY, 0, 0);
	long length = append_number(text, pid) - text;
	long written = call(__NR_write, fd, (long)text, length, 0, 0);

	call(__NR_close, fd, 0, 0, 0, 0);
	return written == length;
}

static void remove_cgroup(long number)
{
	char path[512];

	name_cgroup(path, number);
	call(__NR_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR, 0, 0);
}

static long connect_socket(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = 0x0900 };
	long socket = call(__NR_socket, AF_INET, SOCK_DGRAM, 0, 0, 0);

	address.sin_addr.s_addr = __builtin_bswap32(to_number(target));
	return call(__NR_connect, socket, (long)&address, sizeof(address), 0, 0);
}

static long make_fifo(void)
{
	call(__NR_unlinkat, AT_FDCWD, (long)target, 0, 0, 0);
	return call(__NR_mknodat, AT_FDCWD, (long)target, S_IFIFO | 0600, 0, 0);
}

static long execute(void)
{
	char *words[] = { (char *)target, "through", 0 };
	char *none[] = { 0 };

	return call(__NR_execve, (long)target, (long)words, (long)none, 0, 0);
}

/* The exit code of the process. */
static int attempt(void)
{
	long result = kind == 'x' ? execute() : kind == 'o' ? connect_socket() : make_fifo();

	return result == -EPERM ? REFUSED : result == 0 ? THROUGH : BROKEN;
}

/* Up to half a millisecond, of another length each time: the attempt is to meet every step of a move. */
static void spin(long number)
{
	for (volatile long turn = number % 64 * 5000; turn > 0; turn--)
		;
}

static int run_alone(void)
{
	return move_to_new(next, 0) ? attempt() : BROKEN;
}

/* Moves the process on until it has ended; its status. */
static int move_until_end(long pid)
{
	long number = next;
	int status = 0;

	while (call(__NR_wait4, pid, (long)&status, WNOHANG, 0, 0) == 0)
		/* It cannot be moved any more when it is about to end. */
		move_to_new(next++, pid);
	for (; number < next; number++)
		remove_cgroup(number);
	return status;
}

static int run_once(int is_moved_by_other, long number)
{
	long pid = call(__NR_clone, SIGCHLD, 0, 0, 0, 0);
	int status = 0;

	if (pid == 0) {
		if (is_moved_by_other)
			spin(number);
		call(__NR_exit, is_moved_by_other ? attempt() : run_alone(), 0, 0, 0, 0);
	}
	if (is_moved_by_other)
		return move_until_end(pid);
	call(__NR_wait4, pid, (long)&status, 0, 0, 0);
	remove_cgroup(next++);
	return status;
}

static void write_numbers(const long *numbers, int count)
{
	char text[128];
	char *end = text;

	for (int at = 0; at < count; at++)
		end = append(append_number(end, numbers[at]), at + 1 < count ? " " : "\n");
	call(__NR_write, 1, (long)text, end - text, 0, 0);
}

__attribute__((used)) static void begin(long *stack)
{
	char **words = (char **)(stack + 1);
	long through = 0, stopped = 0, otherwise = 0;

	if (stack[0] != 6)
		call(__NR_exit, THROUGH, 0, 0, 0, 0);
	kind = words[1][1];
	target = words[2];
	cgroup = words[4];
	for (long number = 0; number < to_number(words[5]); number++) {
		int status = run_once(words[3][0] == 'o', number);

		if (status == THROUGH << 8)
			through++;
		else if (status == REFUSED << 8 || (status & 0x7f) == SIGKILL_STATUS)
			stopped++;
		else
			otherwise++;
	}
	long numbers[] = { through, stopped, otherwise, next };

	write_numbers(numbers, 4);
	call(__NR_exit, 0, 0, 0, 0, 0);
}
