// SPDX-License-Identifier: Apache-2.0
// The inspector's page in a real Chromium: a real container's start and end, before and after the page was opened; moments
// of the past; 10,000 actors; a broken connection; names that are markup; and a narrow window.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRecorder, type InspectorServer, serveInspector } from "@rthooks/inspector";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { assign, createActor, setup } from "xstate";
import { startAgent } from "../harness/agent.ts";
import { openPage, startBrowser } from "../harness/browser.ts";
import { createBundle, firstActScript } from "../harness/bundle.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { findInspectorAddress } from "../harness/inspector-address.ts";
import { findHook } from "../harness/programs.ts";
import { createRunc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("page");
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(workspace);
}, 120_000);
afterAll(() => workspace.close(), 60_000);

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** A machine with the id and states of the container machine, whose drawing the page has. */
const container = setup({
  types: {
    context: {} as { readonly report: object; readonly failure?: object },
    input: {} as { readonly containerName: string; readonly labels?: object },
    events: {} as { readonly type: string; readonly note?: string },
  },
}).createMachine({
  id: "container",
  context: ({ input }) => ({ report: { ...input, podNamespace: "shop", podName: "web-0" } }),
  initial: "identified",
  states: {
    identified: {
      on: {
        "cgroup.found": "placed",
        "cgroup.refused": {
          target: "failed",
          actions: assign({ failure: { kind: "cgroup-missing", message: "no cgroup at /kubepods/c1" } }),
        },
      },
    },
    placed: { on: { "filter.added": "registered" } },
    registered: {},
    failed: {},
  },
});

/** A server that this test controls; `port` 0 for any. */
function serve(port = 0) {
  const recorder = createRecorder({
    nowMs: () => performance.timeOrigin + performance.now(),
    bounds: { maxEvents: 50_000, maxPayload: 100_000_000, maxEnded: 10, maxPending: 1000 },
    onPending: () => setTimeout(() => server.publish(recorder.flush()), 5),
  });
  const definitions = new Map([["container", JSON.stringify(container.config)]]);
  const opened = serveInspector({
    ...{
      host: "127.0.0.1",
      port,
      token: "",
      program: "tetragon",
      recorder,
      definitions,
      facts: undefined,
      log,
    },
  });
  if (!opened.ok) throw new Error(opened.error);
  const server: InspectorServer = opened.value;
  workspace.onClose(server.close);
  const start = (containerName: string, labels: object = {}) => {
    const input = { containerName, labels };
    const actor = createActor(container, {
      ...{ id: `container:${containerName.slice(0, 20)}`, input, inspect: recorder.inspect },
    });
    actor.start();
    return actor;
  };
  return { server, start, address: `http://127.0.0.1:${server.port}` };
}

const rows = (page: Page) => page.getByRole("listbox", { name: "Actors" }).getByRole("option");
const row = (page: Page, text: string) => rows(page).filter({ hasText: text });
/** Of the timeline, the steps that led to another state: event, transition, guard. */
const listMoves = async (page: Page) => {
  const items = page.locator(".timeline > li").filter({ has: page.locator(".move") });
  return Promise.all((await items.all()).map((item) => item.locator(".what > span").allTextContents()));
};
const countIn = (page: Page, state: string) => page.locator(`[data-state="${state}"] > .badge`);

test("a real container's start and end, with a name that is markup", async () => {
  const agent = await startAgent(workspace, { flags: ["--inspect-address", "127.0.0.1:0"] });
  const address = await findInspectorAddress(agent.process);
  const { page, problems } = await openPage(browser, `http://${address}`);
  await page.getByText("Connected", { exact: true }).waitFor();
  const runc = createRunc(workspace);
  const id = `shown-${workspace.tag}`;
  const hostile = '<img src=x onerror="document.title=1">';
  const uid = "6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b23";
  const args = ["tetragon-oci-hook", "createRuntime", "--grpc-address", agent.address];
  const bundle = createBundle(workspace, {
    id,
    cgroupsPath: `${runc.cgroupParent}/pod${uid}/${id}`,
    annotations: containerdAnnotations({ uid, namespace: "shop", name: "web-0", container: hostile }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        { path: findHook(), args: [...args, "--log-fname", workspace.path("page.log")], env: [] },
      ],
    },
  });
  const running = runc.start(bundle);
  await waitForFirstAct(running, bundle.outDir);
  const shown = row(page, hostile);
  await shown.click();
  await shown.getByText("released").waitFor();
  await countIn(page, "released").getByText("1").waitFor();
  await page.getByRole("heading", { name: `Timeline of ${hostile}` }).waitFor();
  expect(await page.locator("img").count()).toBe(0);
  writeFileSync(join(bundle.outDir, "end"), "");
  expect((await running.exited).exitCode).toBe(0);
  await shown.getByText("gone").waitFor();
  const steps = [
    ["xstate.init", "→ identified", "if hasIdentity"],
    ["cgroup.found", "identified → placed", "if isForCurrentPath"],
    ["filter.added", "placed → registered"],
    ["answer.sent", "registered → released"],
    [expect.stringMatching(/vanished|stopped/), "released → gone"],
  ];
  expect(await listMoves(page)).toEqual(steps);
  await page.close();
  const later = await openPage(browser, `http://${address}`);
  await row(later.page, hostile).click();
  await later.page.getByText("released → gone").waitFor();
  expect(await listMoves(later.page)).toEqual(steps);
  expect([...problems, ...later.problems]).toEqual([]);
  await later.page.close();
  await agent.stop();
}, 120_000);

test("10,000 actors: few rows in the document, found by name, selected by keyboard", async () => {
  const { start, address } = serve();
  for (let at = 0; at < 10_000; at++) start(`web-${at}`);
  const { page, problems } = await openPage(browser, address);
  await page.getByText("10,000 actors").waitFor();
  expect(await rows(page).count()).toBeLessThan(60);
  await countIn(page, "identified").getByText("10,000").waitFor();
  await page.getByRole("searchbox").fill("shop WEB-777");
  await page.getByText("11 actors").waitFor();
  await page.getByRole("listbox", { name: "Actors" }).focus();
  await page.keyboard.press("End");
  await page.getByRole("heading", { name: "Timeline of web-777" }).waitFor();
  expect(await page.locator("[aria-selected=true][role=option]").textContent()).toContain("web-777");
  await page.getByRole("searchbox").fill("");
  await page.getByRole("button", { name: "One transition back" }).click();
  await page.getByText("9,999 actors").waitFor();
  await countIn(page, "identified").getByText("9,999").waitFor();
  // The beginning is an earlier one while the history is still read.
  await waitFor(
    "the time before the first actor",
    async () => {
      await page.getByRole("slider", { name: "Moment" }).press("Home");
      return (await countIn(page, "identified").count()) === 0;
    },
    60_000,
  );
  await page.getByRole("button", { name: "Back to live" }).click();
  await countIn(page, "identified").getByText("10,000").waitFor();
  expect(problems).toEqual([]);
  await page.close();
}, 120_000);

test("a paused page stays at its moment, and one that lost its program connects again", async () => {
  const { server, start, address } = serve();
  const actor = start("web");
  const { page } = await openPage(browser, address);
  await row(page, "identified").click();
  await page.getByRole("button", { name: "Pause" }).click();
  actor.send({ type: "cgroup.found" });
  await page.locator(".timeline > .later").getByText("identified → placed").waitFor();
  expect(await row(page, "placed").count()).toBe(0);
  await page.getByRole("button", { name: "Back to live" }).click();
  await row(page, "placed").waitFor();
  actor.send({ type: "filter.added" });
  await row(page, "registered").waitFor();
  expect(await listMoves(page)).toEqual([
    ["xstate.init", "→ identified", "if hasIdentity"],
    ["cgroup.found", "identified → placed", "if isForCurrentPath"],
    ["filter.added", "placed → registered"],
  ]);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Back to live" }).waitFor();
  server.close();
  await page.getByText("No connection, trying again").waitFor();
  serve(server.port).start("db");
  await row(page, "db").waitFor();
  await page.getByText("1 actor", { exact: true }).waitFor();
  await page.close();
}, 120_000);

describe("the recorded time", () => {
  /** Two containers that started, and one that failed, before the page was opened. */
  async function openPast() {
    const { start, address } = serve();
    const [front, db, bad] = [start("front"), start("db"), start("bad")];
    front.send({ type: "cgroup.found" });
    db.send({ type: "cgroup.found" });
    front.send({ type: "filter.added" });
    bad.send({ type: "cgroup.refused" });
    const { page, problems } = await openPage(browser, address);
    await row(page, "front").click();
    await page.getByText("placed → registered").waitFor();
    const slider = page.getByRole("slider", { name: "Moment" });
    const states = async () => {
      const shown = await Promise.all(
        ["front", "db", "bad"].map((name) => row(page, name).allTextContents()),
      );
      return shown.map((texts) => /identified|placed|registered|failed/.exec(texts[0] ?? "")?.[0]);
    };
    return { page, problems, slider, states, front };
  }

  test("is gone through by keyboard: list, chart and timeline show each moment", async () => {
    const { page, problems, slider, states } = await openPast();
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    await row(page, "bad").getByText("identified").waitFor();
    expect(await states()).toEqual(["registered", "placed", "identified"]);
    await page.keyboard.press("ArrowLeft");
    await row(page, "front").getByText("placed").waitFor();
    expect(await states()).toEqual(["placed", "placed", "identified"]);
    expect(await countIn(page, "placed").textContent()).toBe("2");
    expect(await countIn(page, "registered").count()).toBe(0);
    expect(await page.locator('[data-state="placed"].chosen').count()).toBe(1);
    expect(await page.locator('.timeline > [aria-current="step"] .move').textContent()).toBe(
      "identified → placed",
    );
    expect(await page.locator(".timeline > .later .move").allTextContents()).toEqual(["placed → registered"]);
    await page.getByRole("button", { name: "db: identified → placed" }).click();
    await page.getByRole("heading", { name: "Timeline of db" }).waitFor();
    await row(page, "front").click();
    await slider.focus();
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
    await page.keyboard.press("ArrowRight");
    await row(page, "front").getByText("registered").waitFor();
    await page.keyboard.press("Home");
    await page.getByText("not started").waitFor();
    expect(await rows(page).count()).toBe(0);
    await page.keyboard.press("End");
    await row(page, "bad").getByText("failed").waitFor();
    expect(await slider.getAttribute("aria-valuetext")).toBe("Live");
    expect(await states()).toEqual(["registered", "placed", "failed"]);
    expect(problems).toEqual([]);
    await page.close();
  }, 120_000);

  test("is played: one transition after the other, until it is now", async () => {
    const { page, slider, front } = await openPast();
    await slider.focus();
    await page.keyboard.press("Home");
    await page.getByText("not started").waitFor();
    await page.getByLabel("Speed").selectOption("step by step");
    await page.evaluate("window.seen = new Set()");
    await page.evaluate(`new MutationObserver(() => window.seen.add(document.querySelector(".facts .state-name").textContent))
      .observe(document.querySelector("#detail"), { childList: true, subtree: true })`);
    await page.getByRole("button", { name: "Play" }).click();
    await page.getByRole("button", { name: "Back to live" }).waitFor({ state: "hidden" });
    expect(await page.evaluate("[...window.seen]")).toEqual(["identified", "placed", "registered"]);
    // The recorded time ends so much behind the last transition: playing it at 1/100 takes 30 s.
    await Bun.sleep(300);
    front.send({ type: "note" });
    await page.locator(".timeline > li").getByText("note").waitFor();
    await page.getByRole("button", { name: "One transition back" }).click();
    await page.getByLabel("Speed").selectOption("1/100");
    await page.getByRole("button", { name: "Play" }).click();
    const before = Number(await slider.inputValue());
    await waitFor("time goes on", async () => Number(await slider.inputValue()) > before);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Back to live" }).click();
    await row(page, "registered").waitFor();
    await page.close();
  }, 120_000);

  test("has the moment of each step, and a failure in plain words with what to do next", async () => {
    const { page, states } = await openPast();
    await page.locator(".timeline > li").nth(1).getByRole("button").click();
    await row(page, "front").getByText("placed").waitFor();
    expect(await states()).toEqual(["placed", "identified", "identified"]);
    await row(page, "bad").click();
    expect(await page.locator(".facts + .failure").count()).toBe(0);
    await page.getByRole("button", { name: "Back to live" }).click();
    const failure = page.locator("#detail > div > .failure");
    await failure.getByText("The agent did not find the container's cgroup.").waitFor();
    expect(await failure.textContent()).toContain("no cgroup at /kubepods/c1");
    await page.close();
  }, 120_000);
});

test("names that are markup, that turn around what follows, or that are long are shown as text", async () => {
  const { start, address } = serve();
  const script = "<script>document.title='x'</script>";
  const turned = "\u202Etxt.exe";
  const label = `<b>${"x".repeat(65_536)}</b>`;
  start(`${script}${turned}`, { label }).send({ type: "cgroup.found", note: `${script}${label}${turned}` });
  const { page, problems } = await openPage(browser, address, { viewport: { width: 360, height: 900 } });
  await row(page, script).click();
  const visible = `${script}\\u{202e}txt.exe`;
  expect(await row(page, script).locator(".title").textContent()).toBe(visible);
  await page.getByRole("heading", { name: `Timeline of ${visible}` }).waitFor();
  await page.getByText("identified → placed").waitFor();
  for (const summary of await page.getByText(/^(Payload|Context)$/).all()) await summary.click();
  const [input, payload, context] = await page.locator("pre").allTextContents();
  expect(input).toContain(`"containerName": "${visible}"`);
  expect(input).toContain(`"label": "<b>xxx`);
  // The recorder cuts texts.
  expect(input?.length).toBeLessThan(5000);
  expect(payload).toContain(`"note": "${script}<b>xxx`);
  expect(context).toContain(`"containerName": "${visible}"`);
  expect(await page.locator("script:not([src]), b").count()).toBe(0);
  expect(await page.title()).toBe("tetragon: state machines");
  const scrollWidth: unknown = await page.evaluate("document.documentElement.scrollWidth");
  expect(scrollWidth).toBe(360);
  expect(problems).toEqual([]);
  await page.close();
}, 120_000);

test.each([
  ["light", 1440],
  ["dark", 1440],
  ["light", 360],
  ["dark", 360],
] as const)(
  "nothing leaves the window, and axe finds nothing: %s, %d px wide",
  async (colorScheme, width) => {
    const { start, address } = serve();
    start("w".repeat(400)).send({ type: "cgroup.refused" });
    const { page, problems } = await openPage(browser, address, {
      colorScheme,
      viewport: { width, height: 900 },
    });
    await page.evaluate(axe.source);
    const judge = async (): Promise<void> => {
      const scrollWidth: unknown = await page.evaluate("document.documentElement.scrollWidth");
      expect(scrollWidth).toBe(width);
      expect(await page.evaluate("axe.run().then(({ violations }) => violations)")).toEqual([]);
    };
    await row(page, "failed").click();
    await page.locator('[data-state="failed"].chosen').waitFor();
    await page.getByText("Payload").first().click();
    await judge();
    await page.getByRole("button", { name: "One transition back" }).click();
    await page.locator('[data-state="identified"].chosen').waitFor();
    await judge();
    expect(problems).toEqual([]);
    await page.close();
  },
  120_000,
);
