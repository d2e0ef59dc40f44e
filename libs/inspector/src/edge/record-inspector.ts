// SPDX-License-Identifier: Apache-2.0
// Records what the inspector of a running program sends.

import { renderAddress } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { createRecordingWriter, type RecordingWriter } from "../wire/write-recording.ts";
import type { InspectorPlace } from "./inspector-place.ts";

export interface RecordOptions {
  /** Where the inspector listens. */
  readonly place: InspectorPlace;
  readonly durationMs: number;
  /** Ends the recording early. */
  readonly signal: AbortSignal;
  /** The recording has all that happens from then on. */
  onStart(): void;
}

export interface RecordedText {
  readonly text: string;
  readonly durationMs: number;
  readonly messages: number;
  /** Why it ended before its time; undefined if it did not, or was ended by the signal. */
  readonly problem: string | undefined;
}

/** As much as a replay reads. */
const maxLength = 200 * 1024 * 1024;
const answerTimeoutMs = 5000;
const factsIntervalMs = 500;

/** The error is one line. */
export async function recordInspector({
  place,
  durationMs,
  signal,
  onStart,
}: RecordOptions): Promise<Result<RecordedText, string>> {
  const address = renderAddress({ kind: "tcp", ...place });
  const headers = place.token === "" ? {} : { authorization: `Bearer ${place.token}` };
  const refusal = await findRefusal(`http://${address}/`, headers);
  if (refusal !== undefined) return err(`no inspector answers at ${address}: ${refusal}`);
  const startedMs = Date.now();
  const writer = createRecordingWriter(startedMs);
  const socket = new WebSocket(`ws://${address}/?after=0`, { headers });
  const facts = followFacts(`http://${address}`, headers, writer);
  const problem = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), durationMs);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    // The first message says up to which event the inspector has come.
    socket.addEventListener("message", onStart, { once: true });
    socket.addEventListener("message", ({ data }) => {
      writer.addMessage(String(data));
      if (writer.length() > maxLength)
        resolve(`it has ${maxLength} characters, the most that a replay reads`);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      clearTimeout(timer);
      resolve(`the inspector closed the connection (${reason || code})`);
    });
  });
  socket.close();
  await facts.stop();
  const endedMs = Date.now();
  const text = writer.render(endedMs);
  return ok({ text, durationMs: endedMs - startedMs, messages: writer.messages(), problem });
}

/** Asks for the overview, and for explanations of containers that have changed. */
function followFacts(
  origin: string,
  headers: Readonly<Record<string, string>>,
  writer: RecordingWriter,
): { stop(): Promise<void> } {
  let isStopping = false;

  const ask = async (path: string): Promise<unknown> => {
    try {
      const response = await fetch(origin + path, { headers, signal: AbortSignal.timeout(answerTimeoutMs) });
      return response.ok ? await response.json() : undefined;
    } catch {
      return undefined; // The connection's end is seen at the WebSocket.
    }
  };

  const follow = async (): Promise<void> => {
    while (!isStopping) {
      const overview = await ask("/api/overview");
      if (overview !== undefined) writer.addOverview(Date.now(), overview);
      for (const id of writer.takeChanged()) {
        if (isStopping) break;
        const explanation = await ask(`/api/explain?container=${encodeURIComponent(id)}`);
        if (explanation !== undefined) writer.addExplanation(Date.now(), explanation);
      }
      if (!isStopping) await Bun.sleep(factsIntervalMs);
    }
  };

  const following = follow();
  return {
    stop() {
      isStopping = true;
      return following;
    },
  };
}

/** What the inspector says to a request; a WebSocket's error says nothing. */
async function findRefusal(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(answerTimeoutMs) });
    if (response.ok) return undefined;
    const [line = ""] = (await response.text()).split("\n");
    return `${response.status} ${line.slice(0, 200)}`.trim();
  } catch (error) {
    return describeError(error);
  }
}
