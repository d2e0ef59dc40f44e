// SPDX-License-Identifier: Apache-2.0

import type { Time } from "../core/time.ts";

export const systemTime: Time = {
  unixMs: () => Date.now(),
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
