// SPDX-License-Identifier: Apache-2.0
// What a peer may make us hold or do. A server that needs more than this for one small answer is broken.

/** The default of gRPC implementations for a received message. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** Of one header list, counted as RFC 9113 section 6.5.2 does; also of its encoded form. Announced to the peer. */
export const MAX_HEADER_LIST_BYTES = 64 * 1024;

/** Of acknowledgements that the caller has not taken yet. */
export const MAX_WAITING_ACK_BYTES = 64 * 1024;

/** Frames in a row that bring the call no further. */
export const MAX_IDLE_FRAMES = 10_000;
