// SPDX-License-Identifier: Apache-2.0
// Whether the watch on one kind of object is up to date, for the log and for health.

import type { Logger } from "@rthooks/log";
import type { ApiError } from "./api-error.ts";

export interface ConnectionReport {
  /** The watch is up to date. */
  succeeded(): void;
  failed(error: ApiError): void;
  isConnected(): boolean;
  /** One line on why the known objects may be out of date; empty if they are not. */
  problem(): string;
}

/** `what`: "pods" */
export function createConnectionReport(what: string, log: Logger): ConnectionReport {
  let isConnected = false;
  /** The kind's CustomResourceDefinition is not installed; it may be installed at any time. */
  let isMissing = false;
  let reason = "no answer yet";
  return {
    succeeded() {
      if (!isConnected) log.info(`watch on ${what} is up to date`, {});
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
      if (isMissing && !wasMissing) log.info(`the API server does not serve ${what} yet`, fields);
      else if (!isMissing && isNews) {
        log.warn(`watch on ${what} lost; keeping the last known state`, fields);
      } else log.debug(`watch on ${what} lost`, fields);
    },
    isConnected: () => isConnected,
    problem: () =>
      isConnected || isMissing ? "" : `watch on ${what} lost, ${what} may be out of date: ${reason}`,
  };
}
