// SPDX-License-Identifier: Apache-2.0

import { readMember, textOf } from "./messages.ts";

/** The container that an actor is about; empty for a pod or a session. Contexts come from outside: any member may be missing. */
export const findContainerId = (context: unknown): string =>
  textOf(readMember(context, "report"), "containerId") ||
  textOf(readMember(context, "request"), "containerId") ||
  textOf(context, "containerId");
