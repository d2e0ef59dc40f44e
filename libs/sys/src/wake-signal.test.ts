// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createFileWait, createSignalReader, openWakeSignal, type WakeSignal } from "./wake-signal.ts";

function open(): WakeSignal {
  const signal = openWakeSignal();
  if (!signal.ok) throw new Error(signal.error.message);
  return signal.value;
}

test("a wait ends by the signal that was sent, until it is taken back", () => {
  const [one, other] = [open(), open()];
  const wait = createFileWait([one.fd, other.fd]);
  const take = createSignalReader(other.fd);
  expect(wait(0)).toEqual({ ok: true, value: [false, false] });
  other.send();
  other.send();
  expect(wait(600_000)).toEqual({ ok: true, value: [false, true] });
  take();
  expect(wait(0)).toEqual({ ok: true, value: [false, false] });
  // There is none.
  take();
  one.close();
  other.close();
});

test("a signal that is closed does not reach the file that has its descriptor now", () => {
  const closed = open();
  closed.close();
  const next = open();
  expect(next.fd).toBe(closed.fd);
  closed.send();
  closed.close();
  expect(createFileWait([next.fd])(0)).toEqual({ ok: true, value: [false] });
  next.close();
});

test("a thread that waits is woken by another one", async () => {
  const signal = open();
  const script = `
    import { createFileWait } from "${import.meta.dir}/wake-signal.ts";
    self.onmessage = ({ data }) => {
      self.postMessage("waits");
      self.postMessage(createFileWait([data])(600_000));
    };`;
  const worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const next = (): Promise<unknown> =>
    new Promise((resolve) => worker.addEventListener("message", ({ data }) => resolve(data), { once: true }));
  worker.postMessage(signal.fd);
  expect(await next()).toBe("waits");
  const woken = next();
  signal.send();
  expect(await woken).toEqual({ ok: true, value: [true] });
  worker.terminate();
  signal.close();
});
