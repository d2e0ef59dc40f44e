// SPDX-License-Identifier: Apache-2.0
// The overview of the node, explanations and sequence diagrams on the inspector's page, in a real Chromium.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Explanation, NodeOverview } from "@rthooks/explain";
import { deniedExample, overviewExample, startedExample } from "@rthooks/explain/examples";
import { createRecorder, type InspectorFacts, serveInspector } from "@rthooks/inspector";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { createActor, setup } from "xstate";
import { openPage, startBrowser } from "../harness/browser.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("explain-page");
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(workspace);
}, 120_000);
afterAll(() => workspace.close(), 60_000);

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const container = setup({
  types: { context: {} as { readonly report: object }, input: {} as { readonly containerId: string } },
}).createMachine({
  id: "container",
  context: ({ input }) => ({
    report: { ...input, containerName: "redis", podNamespace: "shop", podName: "cache-0" },
  }),
  initial: "released",
  states: { released: {} },
});

/** An inspector with one actor, that of `startedExample`. */
function serve(facts: InspectorFacts | undefined): string {
  const recorder = createRecorder({
    nowMs: () => performance.timeOrigin + performance.now(),
    bounds: { maxEvents: 100, maxPayload: 100_000, maxEnded: 10, maxPending: 100 },
    onPending: () => {},
  });
  const definitions = new Map([["container", JSON.stringify(container.config)]]);
  const opened = serveInspector({
    ...{ host: "127.0.0.1", port: 0, token: "", program: "tetragon", recorder, definitions, facts, log },
  });
  if (!opened.ok) throw new Error(opened.error);
  workspace.onClose(opened.value.close);
  const { containerId } = startedExample;
  createActor(container, {
    ...{ id: `container:${containerId}`, input: { containerId }, inspect: recorder.inspect },
  }).start();
  return `http://127.0.0.1:${opened.value.port}`;
}

const examples: InspectorFacts = {
  explain: (id) => [startedExample, deniedExample].find(({ containerId }) => containerId === id),
  overview: () => overviewExample,
};

const tile = (page: Page, label: string) => page.getByRole("button", { name: label });
const detail = (page: Page) => page.locator("#node-detail");
const tab = (page: Page, name: string) => page.getByRole("tab", { name, exact: true });

test("the node at a glance follows the program, and opens one tile at a time", async () => {
  let overview: NodeOverview = overviewExample;
  const { page, problems } = await openPage(browser, serve({ ...examples, overview: () => overview }));
  await tile(page, "Held now 1").click();
  await detail(page).getByRole("button", { name: "shop/cache-7d9f8b6c5-x2x4z/redis" }).waitFor();
  await tile(page, "Denied, last hour 1").click();
  await detail(page).getByText("What to do: Start the agent").waitFor();
  await detail(page).getByText("denied by the OCI hook").waitFor();
  expect(await page.getByRole("button", { expanded: true }).count()).toBe(1);
  await tile(page, "Sources 1 stale").click();
  await detail(page).getByText("the watch of pods failed: connection refused").waitFor();
  await tile(page, "Containers 41").click();
  await detail(page).getByRole("row", { name: "released 31 7 38" }).waitFor();
  await detail(page).getByRole("row", { name: "CRI containerd 2.1.9 0" }).waitFor();
  await tile(page, "Policies 1 not loaded").click();
  await detail(page).getByRole("row", { name: "load_error 1" }).waitFor();
  await detail(page)
    .getByRole("row", {
      name: "shop/protect-keys enforce signalled: the call completes 1,200 matches, 3 signals",
    })
    .waitFor();
  await tile(page, "Problems 1").click();
  await detail(page).getByText("may be out of date").waitFor();
  await page.keyboard.press("Escape");
  expect(await page.getByRole("button", { expanded: true }).count()).toBe(0);
  overview = { ...overviewExample, held: [], heldCount: 0, problems: [] };
  await tile(page, "Held now 0 no start waits").waitFor();
  await tile(page, "Problems 0 none").waitFor();
  expect(problems).toEqual([]);
  await page.close();
}, 120_000);

test("a container of the overview is explained: with an actor that is selected, and without one", async () => {
  const { page, problems } = await openPage(browser, serve(examples));
  await tile(page, "Held now").click();
  await detail(page).getByRole("button", { name: "shop/cache" }).click();
  await page.getByRole("heading", { name: "Explanation of redis" }).waitFor();
  await page.getByText("The runtime was held by the OCI hook for 11 ms.").waitFor();
  expect(await page.locator("[role=option][aria-selected=true]").textContent()).toContain("redis");
  const panel = page.locator("#explain");
  expect(await panel.locator(".identity > div").allTextContents()).toContainEqual(
    expect.stringMatching(/^labelsapp=cache, tier=backendpod source at \d\d:/),
  );
  expect(await panel.locator(".phases > li").allTextContents()).toEqual([
    "hookread the spec1.10 ms",
    "hookconnect to the agent2.60 ms",
    "pod sourcewait for the pod5.20 ms",
    "agentfind the cgroup0.20 ms",
    "kernel mapwrite the filter maps0.40 ms",
  ]);
  expect(await panel.locator(".policies > li").allTextContents()).toEqual([
    "selects itdeny-shellsstatic, enabled, enforce",
    "does notshop/protect-keysstatic, enabled, enforcenot met: pod label app in (db, web), found: app=cache",
    "does notpayments/egressk8s, disabled, monitornot met: namespace is payments, found: namespace is shop",
  ]);
  expect(await panel.locator(".enforced > li").allTextContents()).toEqual([
    "deny-shellsprevented by lsmenforce, on this node: 12 matches, 12 denials",
  ]);

  await tile(page, "Denied, last hour").click();
  await detail(page).getByRole("button", { name: "payments/ledger-0/ledger" }).click();
  await page.getByRole("heading", { name: "Explanation of ledger" }).waitFor();
  await panel.getByText("What to do: Start the agent").waitFor();
  expect(await page.locator("[role=option][aria-selected=true]").count()).toBe(0);
  expect(problems).toEqual([]);
  await page.close();
}, 120_000);

test("the start as a sequence diagram, drawn and as a list, with the tabs by keyboard", async () => {
  const { page, problems } = await openPage(browser, serve(examples));
  await page.getByRole("option").filter({ hasText: "redis" }).click();
  await tab(page, "Timeline").focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.getByRole("heading", { name: "Start of redis" }).waitFor();
  const drawing = page.getByRole("img", { name: "Sequence diagram of the start" });
  await drawing.waitFor();
  expect(await drawing.locator(".participant text").allTextContents()).toEqual([
    ...["runtime", "hook", "agent", "pod source", "kernel map"],
  ]);
  const texts = await drawing.locator(".sequence-text").allTextContents();
  await page.getByText("The same as a list").click();
  const steps = await page.locator("#sequence-list > li").allTextContents();
  expect([texts.length, steps.length]).toEqual([10, 10]);
  expect(steps[3]).toBe("+4.30 ms, agent to pod source: wait for the pod, 5.20 ms");
  for (const [at, text] of texts.entries()) expect(steps[at]).toContain(text.split("  ")[0] ?? "");
  await page.keyboard.press("Tab");
  expect(problems).toEqual([]);
  await page.close();
}, 120_000);

test("while the past is shown, overview and explanation say that they are of now", async () => {
  const { page, problems } = await openPage(browser, serve(examples));
  const note = page.getByRole("status").filter({ hasText: "This is what is known now" });
  const node = page.locator("#tiles > :first-child");
  await page.getByRole("option").filter({ hasText: "redis" }).click();
  await tab(page, "Explain").click();
  await page.locator("#explain .phases").waitFor();
  expect(await note.count()).toBe(0);
  await page.getByRole("button", { name: "One transition back" }).click();
  await note.waitFor();
  await node.getByText("shown as it is now").waitFor();
  expect(await page.locator("#explain .phases").isVisible()).toBe(true);
  await tab(page, "Start").click();
  await note.waitFor();
  await tab(page, "Timeline").click();
  await note.waitFor({ state: "hidden" });
  await tab(page, "Explain").click();
  await page.getByRole("button", { name: "Back to live" }).click();
  await note.waitFor({ state: "hidden" });
  await node.getByText(/^tetragon /).waitFor();
  expect(problems).toEqual([]);
  await page.close();
}, 120_000);

test("a start whose times do not agree says why", async () => {
  const { hold } = startedExample;
  const late: Explanation = { ...startedExample, hold: hold && { ...hold, durationMs: 8.8 } };
  const { page } = await openPage(browser, serve({ ...examples, explain: () => late }));
  await page.getByRole("option").filter({ hasText: "redis" }).click();
  await tab(page, "Start").click();
  await page.getByText("The clocks of hook and agent differ by 1.50 ms or more.").waitFor();
  await page.close();
}, 120_000);

test("a container that is not on record, and a program that does not answer", async () => {
  let isBroken = false;
  const explain = (): undefined => {
    if (isBroken) throw new Error("broken");
  };
  const overview = (): NodeOverview => {
    if (isBroken) throw new Error("broken");
    return overviewExample;
  };
  const { page } = await openPage(browser, serve({ explain, overview }));
  await page.getByRole("option").filter({ hasText: "redis" }).click();
  await tab(page, "Explain").click();
  await page.getByText("The agent has no record of this container.").first().waitFor();
  isBroken = true;
  await page.getByText(/^As of \d\d:\d\d:\d\d: internal error\.$/).waitFor();
  await page.getByText("No explanation: internal error.").first().waitFor();
  isBroken = false;
  await page.getByText("The agent has no record of this container.").first().waitFor();
  await page.locator("#node-stale").waitFor({ state: "hidden" });
  await page.close();
}, 120_000);

test("a program without explanations has neither overview nor tabs", async () => {
  const { page } = await openPage(browser, serve(undefined));
  await page.getByRole("option").filter({ hasText: "redis" }).click();
  await page.getByRole("heading", { name: "Timeline of redis" }).waitFor();
  expect(await page.locator("#node").isVisible()).toBe(false);
  expect(await tab(page, "Explain").isVisible()).toBe(false);
  await page.close();
}, 120_000);

/** Every text of it is markup, turned around, or very long. */
const makeHostile = (value: unknown): unknown => {
  if (typeof value === "string" && / |\d/.test(value))
    return `<img src=x onerror=alert(1)>\u202e${value.repeat(200)}`;
  if (Array.isArray(value)) return value.map(makeHostile);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, key === "containerId" ? member : makeHostile(member)]),
  );
};
// The casts: only texts differ.
const hostileOverview = makeHostile(overviewExample) as NodeOverview;
const hostileStart = makeHostile(startedExample) as Explanation;
const hostileDenial = makeHostile(deniedExample) as Explanation;
const hostile: InspectorFacts = {
  explain: (id) => (id === startedExample.containerId ? hostileStart : hostileDenial),
  overview: () => hostileOverview,
};

test.each([
  ["light", 1440, examples],
  ["dark", 1440, examples],
  ["light", 360, examples],
  ["dark", 360, examples],
  ["light", 1440, hostile],
  ["light", 360, hostile],
] as const)(
  "in every state nothing leaves the window, and axe finds nothing: %s, %d px wide",
  async (colorScheme, width, facts) => {
    const { page, problems } = await openPage(browser, serve(facts), {
      ...{ colorScheme, viewport: { width, height: 900 } },
    });
    await page.evaluate(axe.source);
    const check = async (): Promise<void> => {
      const scrollWidth: unknown = await page.evaluate("document.documentElement.scrollWidth");
      expect(scrollWidth).toBe(width);
      const violations: unknown = await page.evaluate("axe.run().then(({ violations }) => violations)");
      expect(violations).toEqual([]);
      expect(await page.locator("img").count()).toBe(0);
    };
    for (const label of ["Held now", "Denied", "Sources", "Policies", "Containers", "Problems"]) {
      await tile(page, label).click();
      await check();
    }
    await tile(page, "Denied").click();
    await detail(page).locator("button").first().click();
    await page.locator("#explain .summary").waitFor();
    await check();
    await page.locator("[data-row]").first().click();
    await page.locator("#explain .phases").waitFor();
    await check();
    await tab(page, "Start").click();
    await page.locator("#sequence svg").waitFor();
    await page.getByText("The same as a list").click();
    await check();
    expect(problems).toEqual([]);
    await page.close();
  },
  120_000,
);
