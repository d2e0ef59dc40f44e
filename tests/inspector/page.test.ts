// SPDX-License-Identifier: Apache-2.0
// The inspector's page in a real Chromium: a real container's start and end, 10,000 actors, a broken connection, and
// a narrow window.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRecorder, type InspectorServer, serveInspector } from "@rthooks/inspector";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { createActor, setup } from "xstate";
import { startAgent } from "../harness/agent.ts";
import { startBrowser } from "../harness/browser.ts";
import { createBundle, firstActScript } from "../harness/bundle.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
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
  types: { context: {} as { readonly report: object }, input: {} as { readonly containerName: string } },
}).createMachine({
  id: "container",
  context: ({ input }) => ({ report: { ...input, podNamespace: "shop", podName: "web-0" } }),
  initial: "identified",
  states: {
    identified: { on: { "cgroup.found": "placed" } },
    placed: { on: { "filter.added": "registered" } },
    registered: {},
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
  const start = (containerName: string) => {
    const actor = createActor(container, {
      ...{ id: `container:${containerName}`, input: { containerName }, inspect: recorder.inspect },
    });
    actor.start();
    return actor;
  };
  return { server, start, address: `http://127.0.0.1:${server.port}` };
}

/** A page whose errors, also those against its content security policy, fail the test. */
async function open(address: string, options: Parameters<Browser["newPage"]>[0] = {}) {
  const page = await browser.newPage(options);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.setDefaultTimeout(60_000);
  await page.goto(address);
  return { page, problems };
}

const rows = (page: Page) => page.getByRole("listbox", { name: "Actors" }).getByRole("option");
const row = (page: Page, text: string) => rows(page).filter({ hasText: text });
const countIn = (page: Page, state: string) => page.locator(`[data-state="${state}"] > .badge`);

test("a real container's start and end, with a name that is markup", async () => {
  const agent = await startAgent(workspace, { flags: ["--inspect-address", "127.0.0.1:0"] });
  const [, address = ""] = await waitFor("the address of the inspector", () =>
    /inspector listens.*?address[="":]*([\d.]+:\d+)/.exec(agent.process.stderr()),
  );
  const { page, problems } = await open(`http://${address}`);
  await page.getByText("Live", { exact: true }).waitFor();
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
  const events = await page.locator(".timeline .what").allTextContents();
  expect(events.filter((text) => text.includes("→"))).toEqual([
    "xstate.init→ identified",
    "cgroup.found→ placed",
    "filter.added→ registered",
    "answer.sent→ released",
    expect.stringMatching(/→ gone$/),
  ]);
  expect(problems).toEqual([]);
  await page.close();
  await agent.stop();
}, 120_000);

test("10,000 actors: few rows in the document, found by name, selected by keyboard", async () => {
  const { start, address } = serve();
  for (let at = 0; at < 10_000; at++) start(`web-${at}`);
  const { page, problems } = await open(address);
  await page.getByText("10,000 actors").waitFor();
  expect(await rows(page).count()).toBeLessThan(60);
  await countIn(page, "identified").getByText("10,000").waitFor();
  await page.getByRole("searchbox").fill("shop WEB-777");
  await page.getByText("11 actors").waitFor();
  await page.getByRole("listbox", { name: "Actors" }).focus();
  await page.keyboard.press("End");
  await page.getByRole("heading", { name: "Timeline of web-777" }).waitFor();
  expect(await page.locator("[aria-selected=true][role=option]").textContent()).toContain("web-777");
  expect(problems).toEqual([]);
  await page.close();
}, 120_000);

test("a paused page shows what it missed when it goes on, and one that lost its program connects again", async () => {
  const { server, start, address } = serve();
  const actor = start("web");
  const { page } = await open(address);
  await row(page, "identified").click();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused", { exact: true }).waitFor();
  actor.send({ type: "cgroup.found" });
  await Bun.sleep(50);
  expect(await row(page, "placed").count()).toBe(0);
  await page.getByRole("button", { name: "Resume" }).click();
  await row(page, "placed").waitFor();
  actor.send({ type: "filter.added" });
  await row(page, "registered").waitFor();
  expect(await page.locator(".timeline .what").allTextContents()).toEqual([
    "cgroup.found→ placed",
    "filter.added→ registered",
  ]);
  server.close();
  await page.getByText("No connection, trying again").waitFor();
  serve(server.port).start("db");
  await row(page, "db").waitFor();
  await page.getByText("1 actor", { exact: true }).waitFor();
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
    start("w".repeat(400));
    const { page, problems } = await open(address, { colorScheme, viewport: { width, height: 900 } });
    await row(page, "identified").click();
    await page.locator(".state.chosen").waitFor();
    const scrollWidth: unknown = await page.evaluate("document.documentElement.scrollWidth");
    expect(scrollWidth).toBe(width);
    await page.evaluate(axe.source);
    const violations: unknown = await page.evaluate("axe.run().then(({ violations }) => violations)");
    expect(violations).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  },
  120_000,
);
