// SPDX-License-Identifier: Apache-2.0
// How programs reach each other: addresses, and the pauses between attempts.

export { type Address, DEFAULT_AGENT_ADDRESS, parseAddress, renderAddress } from "./address.ts";
export { type BackOff, createBackOff, toPauseMs } from "./back-off.ts";
export { contains, isBlock, isLoopback, parseBlock, parseIp, renderIp } from "./ip-address.ts";
