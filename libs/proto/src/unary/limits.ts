// SPDX-License-Identifier: Apache-2.0
// Limits on memory and work that a peer can cause, far above what one small answer needs.

/** The default of gRPC implementations for a received message. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** Of one header list (RFC 9113 section 6.5.2), and of its encoded form. Announced to the peer. */
export const MAX_HEADER_LIST_BYTES = 64 * 1024;

/** Of pending acknowledgements. */
export const MAX_WAITING_ACK_BYTES = 64 * 1024;

/** Consecutive frames without progress of the call. */
export const MAX_IDLE_FRAMES = 10_000;
