// SPDX-License-Identifier: Apache-2.0
// The flags of a program with an inspector, apart from the inspector itself: it is loaded on demand.

import { flag } from "@rthooks/flags";

export const inspectFlags = {
  "inspect-address": flag.string({
    usage:
      "address of the live inspector of the state machines, host:port; a page for browsers, and WebSocket messages of @statelyai/inspect (default: none)",
    placeholder: "ADDRESS",
  }),
  "inspect-token-file": flag.string({
    usage: "file with the token that clients of the inspector must send; required off loopback",
    placeholder: "FILE",
  }),
} as const; // const: each flag keeps its own kind
