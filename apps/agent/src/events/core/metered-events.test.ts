// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { noStatistics } from "./event-statistics.ts";
import { toMeteredEvents } from "./metered-events.ts";

test("records that could not be read are among those that were received, and counted on their own", () => {
  const records = { ...noStatistics.records, exec: 3, match: 2 };
  expect(toMeteredEvents({ ...noStatistics, records, unreadable: 4 })).toMatchObject({
    received: 9,
    unreadable: 4,
  });
});
