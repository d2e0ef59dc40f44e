// SPDX-License-Identifier: Apache-2.0
// matchBinaries and matchParentBinaries (BinarySelector).

import { oneOf, switchedOff, text } from "./scalar.ts";
import { requiredListOf, shape } from "./shape.ts";

export const binaryFilter = shape(
  {
    operator: oneOf(["In", "NotIn", "Prefix", "NotPrefix", "Postfix", "NotPostfix"]),
    followChildren: switchedOff,
    values: requiredListOf(text),
  },
  ({ operator, followChildren }, report) => {
    if (followChildren === true && operator !== undefined && operator !== "In" && operator !== "NotIn") {
      report(["followChildren"], `works with the operators In and NotIn, not with ${operator}`);
    }
  },
);
