// SPDX-License-Identifier: Apache-2.0

import { createContainerChanges } from "./container-changes.ts";

/** Changes that never come. */
export const unwatched = createContainerChanges({
  list: () => [],
  find: () => undefined,
  observe: () => () => {},
  nowNanos: () => 0n,
});
