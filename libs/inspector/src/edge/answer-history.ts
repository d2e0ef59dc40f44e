// SPDX-License-Identifier: Apache-2.0
// `GET /api/history`: rendered piece by piece while the client takes it, so that it does not keep the program from its work.

import { setImmediate } from "node:timers/promises";
import { type HistorySource, listHistory, readHistoryRequest } from "../wire/history-part.ts";

/** Answers that are being sent at the same time. */
const maxReaders = 8;
/** In UTF-16 code units; one line may exceed it. */
const chunkLength = 64 * 1024;

export function createHistoryAnswer(source: HistorySource, headers: Readonly<Record<string, string>>) {
  let readers = 0;

  const stream = (lines: Generator<string, void>): ReadableStream<Uint8Array> => {
    const encoder = new TextEncoder();
    readers++;
    return new ReadableStream({
      async pull(controller) {
        await setImmediate();
        let chunk = "";
        while (chunk.length < chunkLength) {
          const { done, value } = lines.next();
          if (done === true) break;
          chunk += `${value}\n`;
        }
        if (chunk !== "") return controller.enqueue(encoder.encode(chunk));
        readers--;
        controller.close();
      },
      // The client has left, or asked with HEAD.
      cancel: () => void readers--,
    });
  };

  return (query: URLSearchParams): Response => {
    if (readers >= maxReaders)
      return new Response("too many clients read the history\n", { status: 503, headers });
    const type = { ...headers, "content-type": "application/x-ndjson; charset=utf-8" };
    return new Response(stream(listHistory(readHistoryRequest(query), source)), { headers: type });
  };
}
