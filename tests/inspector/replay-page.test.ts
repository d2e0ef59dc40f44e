// SPDX-License-Identifier: Apache-2.0
// The recorded run of a node under load (`make record-node`) in a real Chromium, without a node: its actors move,
// a reload shows what was before it, and a page of another origin gets nothing.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { startBrowser } from "../harness/browser.ts";
import { minimalEnv, startProcess } from "../harness/process.ts";
import { findAgent } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const recording = join(import.meta.dir, "fixtures", "busy-node.ndjson.gz");
const workspace = createWorkspace("rpage");
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(workspace);
}, 120_000);
afterAll(() => workspace.close(), 60_000);

async function replay(speed: string) {
  const shown = startProcess(
    [
      ...[findAgent(), "inspect", "--replay", recording, "--speed", speed],
      ...["--inspect-address", "127.0.0.1:0"],
    ],
    { env: minimalEnv },
    workspace,
  );
  const [, address = ""] = await waitFor("the replay", () =>
    / open http:\/\/([\d.:]+)\/\n/.exec(shown.stdout()),
  );
  return { shown, address };
}

async function open(address: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(address);
  return page;
}

const rows = (page: Page) => page.getByRole("listbox", { name: "Actors" }).getByRole("option");
const search = (page: Page, words: string) => page.getByRole("searchbox").fill(words);
/** The list may still have rows from before the search. */
const clickFound = async (page: Page, words: string, text: string): Promise<void> => {
  await search(page, words);
  await rows(page).filter({ hasText: text }).first().click();
};

test("its actors appear, go through their states and end, and a reload shows the same", async () => {
  const { shown, address } = await replay("10");
  const page = await open(`http://${address}/`);
  // One whose whole life is in the recording.
  await search(page, "report-20");
  const container = rows(page).filter({ hasText: "container" });
  // How long it shows each of its states depends on the machine; the timeline has them all.
  await container.click();
  await container.getByText("gone").waitFor();
  const timeline = page.locator(".timeline .what");
  // Each step's text ends with the state that it led to, and then the guards of the transition.
  const states = (await timeline.allTextContents()).flatMap(
    (text) => /→ (\w+?)(?:if .*)?$/.exec(text)?.[1] ?? [],
  );
  expect(states).toEqual(["identified", "placed", "registered", "released", "gone"]);
  await search(page, "hook denied");
  await rows(page).first().getByText("denied").waitFor();
  // One that the hook denied at its deadline.
  await clickFound(page, "hook denied report-46", "report-46");
  await page.locator("#detail > div > .failure").getByText("What to do:").waitFor();
  expect(await page.locator("#detail > div > .failure code").allTextContents()).toEqual(["tetragon status"]);
  // Once, at the step into the failure.
  expect(await page.locator(".timeline .failure").count()).toBe(1);
  await page.locator(".timeline > li").filter({ hasText: "failCheck" }).locator(".failure").first().waitFor();
  // The parent of all pods has no machine.
  expect(await page.getByRole("tablist", { name: "Machine" }).getByRole("tab").allTextContents()).toEqual([
    ...["pod", "container", "hook"],
  ]);
  expect(await page.getByLabel("Machine").locator("option").allTextContents()).toEqual([
    ...["all", "pod", "container", "hook"],
  ]);
  expect(await page.locator(".row-of-actor .state-name").allTextContents()).not.toContain("");
  await waitFor("the end", () => shown.stdout().includes("the recording has ended"), 60_000);
  await page.reload();
  await clickFound(page, "report-20 container", "report-20");
  await page.getByText("→ identified").first().waitFor();
  expect((await timeline.allTextContents()).length).toBeGreaterThanOrEqual(states.length);
  await page.close();
}, 240_000);

test("a page of another origin gets nothing, whatever it loads", async () => {
  const { address } = await replay("1000");
  const hostile = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () =>
      new Response(`<!doctype html><title>waiting</title><iframe src="http://${address}/"></iframe>`, {
        headers: { "content-type": "text/html" },
      }),
  });
  workspace.onClose(() => hostile.stop(true));
  const page = await open(`http://127.0.0.1:${hostile.port}/`);
  const outcomes: unknown = await page.evaluate(`(async () => {
    const target = ${JSON.stringify(address)};
    const load = (tag, attribute, path) => new Promise((resolve) => {
      const element = document.createElement(tag);
      element.onload = () => resolve("loaded");
      element.onerror = () => resolve("nothing");
      element[attribute] = "http://" + target + path;
      document.body.append(element);
    });
    const connect = new Promise((resolve) => {
      const socket = new WebSocket("ws://" + target + "/?after=0");
      socket.onmessage = () => resolve("a message");
      socket.onerror = () => resolve("nothing");
    });
    const read = (path) => fetch("http://" + target + path).then(() => "an answer", () => "nothing");
    return {
      overview: await read("/api/overview"),
      history: await read("/api/history"),
      socket: await connect,
      script: await load("script", "src", "/app.js"),
      image: await load("img", "src", "/icon.svg"),
    };
  })()`);
  expect(outcomes).toEqual({
    ...{ overview: "nothing", history: "nothing", socket: "nothing", script: "nothing", image: "nothing" },
  });
  const [, frame] = page.frames();
  expect(await frame?.content()).not.toContain("Actors");
  await page.close();
}, 120_000);
