// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findEventName, isEventMask, toEventMask, toEventName } from "./event-mask.ts";

test("a mask has the bits of NRI's table", () => {
  expect(toEventMask(["RunPodSandbox"])).toBe(0x0001);
  expect(toEventMask(["StartContainer"])).toBe(0x0020);
  expect(toEventMask(["CreateContainer", "StopContainer", "RemoveContainer"])).toBe(0x0608);
});

test("an event that is asked for twice has one bit", () => {
  expect(toEventMask(["StopContainer", "StopContainer"])).toBe(0x0200);
});

test("a mask of no events, or of events that not every runtime knows, is none", () => {
  for (const mask of [1, 0x20, 0x7ff]) expect(isEventMask(mask)).toBe(true);
  for (const mask of [0, -1, 0x800, 0x3fff, 1.5, Number.NaN]) expect(isEventMask(mask)).toBe(false);
});

test("numbers and methods name the same events", () => {
  expect(findEventName(6)).toBe("StartContainer");
  expect(toEventName("StartContainer")).toBe("StartContainer");
  for (const number of [-1, 0, 12, 99]) expect(findEventName(number)).toBeUndefined();
  for (const method of ["", "StateChange", "constructor", "UpdatePodSandbox"]) {
    expect(toEventName(method)).toBeUndefined();
  }
});
