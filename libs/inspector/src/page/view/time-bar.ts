// SPDX-License-Identifier: Apache-2.0
// The recorded time: a slider over it, with how much happened when, and the buttons that play it again.

import { renderBars, toDensity, toTimeRange } from "../core/density.ts";
import {
  advance,
  live,
  type Playback,
  pause,
  play,
  seek,
  stepTo,
  toLive,
  toSpeed,
} from "../core/playback.ts";
import type { Moment, StepLog, TimelineStep } from "../core/step-log.ts";
import { renderTime } from "../core/time-format.ts";
import { findElement } from "./elements.ts";

export interface TimeBar {
  /** Reads the log again. */
  render(): void;
  /** What is shown; undefined: now. */
  moment(): Moment | undefined;
  /** Shows this moment, and stops there. */
  goTo(moment: Moment): void;
  /** Shows what happens now. */
  goLive(): void;
}

const bars = 200;

export interface TimeBarHandlers {
  /** Other steps are to be shown. */
  onChange(): void;
  /** The reader wants to see whose transition it was. */
  onSelect(sessionId: string): void;
  /** The name of an actor. */
  nameOf(sessionId: string): string;
}

export function openTimeBar(log: StepLog, { onChange, onSelect, nameOf }: TimeBarHandlers): TimeBar {
  const section = findElement("time", HTMLElement);
  const slider = findElement("moment", HTMLInputElement);
  const clock = findElement("clock", HTMLParagraphElement);
  const [startLabel, endLabel] = [findElement("start", HTMLSpanElement), findElement("end", HTMLSpanElement)];
  const playButton = findElement("play", HTMLButtonElement);
  const liveButton = findElement("live", HTMLButtonElement);
  const taken = findElement("taken", HTMLButtonElement);
  const buttons = ["back", "play", "forward"].map((id) => findElement(id, HTMLButtonElement));
  const speed = findElement("speed", HTMLSelectElement);
  const density = section.querySelector("#density");
  let playback: Playback = live;
  let frameMs: number | undefined;

  const change = (next: Playback): void => {
    // The beginning is an earlier one after more of the history was read. While it plays, only steps change what is shown.
    const hasOtherTime = !next.isPlaying && next.moment?.atMs !== playback.moment?.atMs;
    const isOther = hasOtherTime || next.moment?.sequence !== playback.moment?.sequence;
    playback = next;
    renderMoment();
    if (isOther) onChange();
    if (playback.isPlaying && frameMs === undefined) requestAnimationFrame(tick);
  };

  const tick = (nowMs: number): void => {
    const elapsedMs = frameMs === undefined ? 0 : nowMs - frameMs;
    frameMs = playback.isPlaying ? nowMs : undefined;
    if (!playback.isPlaying) return;
    change(advance(playback, log, elapsedMs));
    requestAnimationFrame(tick);
  };

  const renderMoment = (): void => {
    const { moment, isPlaying } = playback;
    const range = toTimeRange(log);
    const isLive = moment === undefined;
    const startMs = range?.startMs ?? 0;
    const length = (range?.endMs ?? 0) - startMs;
    slider.max = `${length}`;
    slider.value = `${isLive ? length : moment.atMs - startMs}`;
    for (const control of [slider, ...buttons]) control.disabled = range === undefined;
    const time = isLive ? "Live" : renderTime(moment.atMs);
    slider.setAttribute("aria-valuetext", time);
    clock.textContent = time;
    // Read aloud where the reader steps, and not while it plays.
    clock.ariaLive = isPlaying || isLive ? "off" : "polite";
    const move = moment === undefined ? undefined : lastMove(moment);
    taken.hidden = move === undefined;
    taken.textContent = move === undefined ? "" : renderMove(move);
    section.classList.toggle("past", !isLive);
    playButton.textContent = isLive || isPlaying ? "Pause" : "Play";
    liveButton.hidden = isLive;
  };

  const lastMove = (moment: Moment): TimelineStep | undefined =>
    log.at(log.findMove(log.find(moment) + 1, -1) ?? -1);

  const renderMove = ({ sessionId, from, to }: TimelineStep): string =>
    `${nameOf(sessionId)}: ${[from.at(-1) ?? "", to.at(-1) ?? ""].join(" → ").trimStart()}`;

  const renderRange = (): void => {
    const range = toTimeRange(log);
    startLabel.textContent = range === undefined ? "nothing is recorded yet" : renderTime(range.startMs);
    endLabel.textContent = range === undefined ? "" : renderTime(range.endMs);
    const parts = toDensity(log, bars);
    const highest = Math.max(...parts.map(({ transitions }) => transitions));
    density?.setAttribute("viewBox", `0 0 ${bars} 1`);
    const draw = (name: string, counts: readonly number[]): void =>
      density?.querySelector(name)?.setAttribute("d", renderBars(counts, highest));
    draw(
      ".transitions",
      parts.map(({ transitions }) => transitions),
    );
    draw(
      ".failures",
      parts.map(({ failures }) => failures),
    );
  };

  const seekBy = (share: number): void => {
    const range = toTimeRange(log);
    if (range === undefined) return;
    const fromMs = playback.moment?.atMs ?? range.endMs;
    const atMs = fromMs + share * (range.endMs - range.startMs);
    change(atMs >= range.endMs ? toLive(playback) : seek(playback, log, atMs));
  };

  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => change(stepTo(playback, log, -1)),
    ArrowDown: () => change(stepTo(playback, log, -1)),
    ArrowRight: () => change(stepTo(playback, log, 1)),
    ArrowUp: () => change(stepTo(playback, log, 1)),
    PageDown: () => seekBy(-0.1),
    PageUp: () => seekBy(0.1),
    Home: () => change(seek(playback, log, 0)),
    End: () => change(toLive(playback)),
    " ": () => togglePlay(),
  };

  const togglePlay = (): void => {
    const isRunning = playback.moment === undefined || playback.isPlaying;
    change(isRunning ? pause(playback, log) : play(playback, log));
  };

  slider.addEventListener("keydown", (event) => {
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
    if (act === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
  slider.addEventListener("input", () => {
    const { startMs, endMs } = toTimeRange(log) ?? { startMs: 0, endMs: 0 };
    const atMs = startMs + slider.valueAsNumber;
    change(atMs >= endMs ? toLive(playback) : seek(playback, log, atMs));
  });
  taken.addEventListener("click", () => {
    const { moment } = playback;
    const move = moment === undefined ? undefined : lastMove(moment);
    if (move !== undefined) onSelect(move.sessionId);
  });
  playButton.addEventListener("click", togglePlay);
  liveButton.addEventListener("click", () => {
    change(toLive(playback));
    // The button is hidden now: the keyboard goes on from the slider.
    slider.focus();
  });
  findElement("back", HTMLButtonElement).addEventListener("click", () => change(stepTo(playback, log, -1)));
  findElement("forward", HTMLButtonElement).addEventListener("click", () => change(stepTo(playback, log, 1)));
  speed.addEventListener("change", () => change({ ...playback, speed: toSpeed(speed.value) }));

  return {
    render() {
      renderRange();
      renderMoment();
    },
    moment: () => playback.moment,
    goLive: () => change(toLive(playback)),
    goTo: (moment) => change({ ...playback, moment, isPlaying: false, shownMs: 0 }),
  };
}
