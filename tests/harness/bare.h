/* SPDX-License-Identifier: Apache-2.0 */
/* A program without a C library, whose headers a machine may not have: system calls, and where it begins. */
#ifndef BARE_H
#define BARE_H

#include <asm/unistd.h>
#include <linux/time.h>

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

/* Nanoseconds. */
static __attribute__((unused)) long read_clock(int clock)
{
	long time[2];

	call(__NR_clock_gettime, clock, (long)time, 0, 0, 0);
	return time[0] * 1000000000 + time[1];
}

static __attribute__((unused)) long to_number(const char *digits)
{
	long number = 0;

	for (; *digits; digits++)
		number = number * 10 + *digits - '0';
	return number;
}

/* Writes the decimal digits of a number that is not negative, so that they end before `end`; where they begin. */
static __attribute__((unused)) char *write_number(char *end, long number)
{
	do {
		*--end = '0' + number % 10;
		number /= 10;
	} while (number > 0);
	return end;
}

/* The program's own. The stack begins with the number of arguments and their addresses. */
static void begin(long *stack);

#ifdef __x86_64__
asm(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin");
#else
asm(".globl _start\n_start: mov x0, sp\nbl begin");
#endif

#endif
