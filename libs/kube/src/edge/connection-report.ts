// SPDX-License-Identifier: Apache-2.0
// Whether what is known of a kind is of now: for the log and for health.

import type { Logger } from "@rthooks/log";
import type { ApiError } from "./api-error.ts";

export interface ConnectionReport {
  heard(): void;
  failed(error: ApiError): void;
  isConnected(): boolean;
  /** Why what is known may be old, one line for people; empty where it is not. */
  problem(): string;
}

/** `what`: "pods" */
export function createConnectionReport(what: string, log: Logger): ConnectionReport {
  let isConnected = false;
  /** A kind of a definition that is not installed, which may come at any time. */
  let isMissing = false;
  let reason = "no answer yet";
  return {
    heard() {
      if (!isConnected) log.info(`${what} of the API server are up to date`, {});
      isConnected = true;
      isMissing = false;
      reason = "";
    },
    failed({ status, message }) {
      const isNews = message !== reason;
      const wasMissing = isMissing;
      isMissing = status === 404 && !isConnected;
      isConnected = false;
      reason = message;
      const fields = { err: message };
      if (isMissing && !wasMissing) log.info(`the API server has no ${what} yet`, fields);
      else if (!isMissing && isNews) {
        log.warn(`the API server is not heard; the ${what} stay as they were`, fields);
      } else log.debug("the API server is not heard", fields);
    },
    isConnected: () => isConnected,
    problem: () =>
      isConnected || isMissing ? "" : `${what} of the API server may be out of date: ${reason}`,
  };
}
