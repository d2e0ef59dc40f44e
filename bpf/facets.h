/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The facets of an event by their numbers: what rules compare and records tell. libs/bpf/src/core/facets.ts has the names. */
#ifndef FACETS_H
#define FACETS_H

/* Of a hook. Each can be a number, a text or both. */
#define ARGUMENTS 5

/* Argument n is number n. */
#define NUMBER_ARGUMENT 0
#define NUMBER_DESTINATION_PORT 5
#define NUMBER_SOURCE_PORT 6
#define NUMBER_PROTOCOL 7
#define NUMBER_FAMILY 8
#define NUMBER_SOCKET_TYPE 9
#define NUMBER_SOCKET_STATE 10
#define NUMBER_PID 11
#define NUMBER_NAMESPACE_PID 12
#define NUMBERS 13

/* Argument n is text n. */
#define TEXT_ARGUMENT 0
#define TEXT_BINARY 5
#define TEXTS 6

#define ADDRESS_DESTINATION 0
#define ADDRESS_SOURCE 1
#define ADDRESSES 2

#endif
