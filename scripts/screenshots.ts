// SPDX-License-Identifier: Apache-2.0
// `make screenshots`: writes docs/images again, pictures of the inspector's page in Chromium. The page shows the recording of
// the tests, so that the same things are to be seen each time.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startBrowser } from "../tests/harness/browser.ts";
import { startProcess } from "../tests/harness/process.ts";
import { findAgent } from "../tests/harness/programs.ts";
import { waitFor } from "../tests/harness/wait.ts";
import { createWorkspace } from "../tests/harness/workspace.ts";

type Browser = Awaited<ReturnType<typeof startBrowser>>;
type Page = Awaited<ReturnType<Browser["newPage"]>>;

const root = join(import.meta.dir, "..");
const recording = join(root, "tests", "inspector", "fixtures", "busy-node.ndjson.gz");
const images = join(root, "docs", "images");

interface Picture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: "light" | "dark";
  /** The view of the selected actor; a page without it has no such picture. */
  readonly tab?: "Explain" | "Start";
  /** Only this part of the page. */
  readonly part?: string;
  /** Brings the page into the state to be shown. */
  arrange(page: Page): Promise<void>;
}

/** The chart has room for the states around the selected one. */
const desktop = { width: 1280, height: 990 } as const; // const: sizes are literals
const phone = { width: 360, height: 780 } as const;

const select = async (page: Page, words: string): Promise<void> => {
  await page.getByRole("searchbox").fill(words);
  await page.getByRole("listbox", { name: "Actors" }).getByRole("option").first().click();
};

const pictures: readonly Picture[] = [
  {
    ...{ name: "inspector", ...desktop, colorScheme: "light" },
    arrange: (page) => select(page, "container shop api released"),
  },
  {
    ...{ name: "inspector-dark", ...desktop, colorScheme: "dark" },
    arrange: (page) => select(page, "container shop api released"),
  },
  {
    ...{
      name: "inspector-explain",
      width: 1280,
      height: 2700,
      colorScheme: "light",
      tab: "Explain",
      part: ".detail",
    },
    arrange: (page) => select(page, "container shop api released"),
  },
  {
    ...{ name: "inspector-policies", ...desktop, colorScheme: "light" },
    async arrange(page) {
      await select(page, "container shop api released");
      await page.getByRole("button", { name: /^Policies/ }).click();
    },
  },
  {
    ...{ name: "inspector-denied", ...desktop, colorScheme: "dark" },
    arrange: (page) => select(page, "hook batch denied"),
  },
  {
    ...{
      name: "inspector-start",
      width: 1280,
      height: 1730,
      colorScheme: "light",
      tab: "Start",
      part: ".detail",
    },
    arrange: (page) => select(page, "container batch report gone"),
  },
  {
    ...{ name: "inspector-moment", ...desktop, colorScheme: "light" },
    async arrange(page) {
      await select(page, "container batch report");
      for (let steps = 0; steps < 3; steps++) {
        await page.getByRole("button", { name: "One transition back" }).click();
      }
    },
  },
  {
    ...{ name: "inspector-phone", ...phone, colorScheme: "light" },
    arrange: (page) => page.locator(".row-of-actor").first().waitFor(),
  },
  {
    ...{ name: "inspector-phone-dark", ...phone, colorScheme: "dark" },
    async arrange(page) {
      await select(page, "container shop api released");
      await page.getByRole("heading", { name: /^Timeline/ }).scrollIntoViewIfNeeded();
    },
  },
];

/** Whether the page has what the picture shows. */
async function take(browser: Browser, address: string, picture: Picture): Promise<boolean> {
  const { name, width, height, colorScheme, tab, part, arrange } = picture;
  const page = await browser.newPage({
    ...{ viewport: { width, height }, colorScheme },
    ...{ timezoneId: "UTC", locale: "en-US", reducedMotion: "reduce" },
  });
  await page.goto(address);
  await page.locator('[role=status][data-status="live"]').waitFor({ state: "attached" });
  await arrange(page);
  if (tab !== undefined) {
    const views = page.getByRole("tab", { name: tab, exact: true });
    if ((await views.count()) === 0) return false;
    await views.click();
  }
  // No button is marked because the mouse is over it.
  await page.mouse.move(0, 0);
  // Until the drawings are loaded and the marks of transitions are over.
  await page.waitForLoadState("networkidle").catch(() => {});
  await page.waitForTimeout(1500);
  const shown = part === undefined ? page : page.locator(part);
  await shown.screenshot({ path: join(images, `${name}.png`), animations: "disabled", caret: "hide" });
  await page.close();
  return true;
}

/** With a palette: a third of the size, and no difference is seen. */
function compress(path: string): void {
  const { success, stderr } = Bun.spawnSync([
    ...["pngquant", "--speed", "1", "--strip", "--force", "--output", path, "128", path],
  ]);
  if (!success) throw new Error(`pngquant ${path}: ${stderr.toString()}`);
}

/** Milliseconds until something is to be seen. */
async function measureFirstPaint(browser: Browser, address: string): Promise<number> {
  const page = await browser.newPage();
  await page.goto(address);
  const paint: unknown = await page.evaluate(`new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => resolve(list.getEntries()[0].startTime));
    observer.observe({ type: "paint", buffered: true });
  })`);
  await page.close();
  return Number(paint);
}

const workspace = createWorkspace("pictures");
try {
  const replay = startProcess(
    [
      ...[findAgent(), "inspect", "--replay", recording],
      ...["--speed", "1000", "--inspect-address", "127.0.0.1:0"],
    ],
    {},
    workspace,
  );
  const [, address = ""] = await waitFor("the replay", () => / open (http:\S+)\n/.exec(replay.stdout()));
  const browser = await startBrowser(workspace);
  rmSync(images, { recursive: true, force: true });
  mkdirSync(images, { recursive: true });
  const first = await browser.newPage();
  await first.goto(address);
  await waitFor("the end of the recording", () => replay.stdout().includes("has ended"), 60_000);
  await first.close();
  for (const picture of pictures) {
    const isTaken = await take(browser, address, picture);
    if (isTaken) compress(join(images, `${picture.name}.png`));
    console.log(
      isTaken ? `docs/images/${picture.name}.png` : `the page has no ${picture.tab}: no ${picture.name}`,
    );
  }
  const paints: number[] = [];
  for (let time = 0; time < 5; time++) paints.push(await measureFirstPaint(browser, address));
  console.log(`first paint after ${paints.map((ms) => ms.toFixed(0)).join(", ")} ms`);
} finally {
  await workspace.close();
}
