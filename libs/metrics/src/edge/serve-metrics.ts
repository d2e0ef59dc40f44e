// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "@rthooks/log";
import type { Result } from "@rthooks/result";
import { serveText, type TextServer } from "./serve-text.ts";

/** Serves the text of `render` at /metrics. The error is one line that follows the name of the flag. */
export const serveMetrics = (
  address: string,
  log: Logger,
  render: () => Promise<string>,
): Promise<Result<TextServer, string>> => {
  const page = async () => ({
    ...{ status: 200, contentType: "text/plain; version=0.0.4" },
    text: await render(),
  });
  return serveText(address, { what: "metrics", pages: new Map([["/metrics", page]]), log });
};
