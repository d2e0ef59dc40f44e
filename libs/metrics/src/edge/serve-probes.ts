// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "@rthooks/log";
import type { Result } from "@rthooks/result";
import { serveText, type TextServer } from "./serve-text.ts";

/**
 * Answers the kubelet's probes: /healthz while the process works, /readyz while `problem` returns an empty text. The error is
 * one line that follows the name of the flag.
 */
export const serveProbes = (
  address: string,
  log: Logger,
  problem: () => string,
): Promise<Result<TextServer, string>> => {
  const contentType = "text/plain; charset=utf-8";
  const healthy = async () => ({ status: 200, contentType, text: "ok\n" });
  const ready = async () => {
    const text = problem();
    return text === "" ? await healthy() : { status: 503, contentType, text: `${text}\n` };
  };
  const pages = new Map([
    ["/healthz", healthy],
    ["/readyz", ready],
  ]);
  return serveText(address, { what: "probes", pages, log });
};
