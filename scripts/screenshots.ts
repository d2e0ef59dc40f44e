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
  /** Brings the page into the state to be shown. */
  arrange(page: Page): Promise<void>;
}

const desktop = { width: 1280, height: 860 } as const; // const: sizes are literals
const phone = { width: 360, height: 780 } as const;

const select = async (page: Page, words: string): Promise<void> => {
  await page.getByRole("searchbox").fill(words);
  await page.getByRole("listbox", { name: "Actors" }).getByRole("option").first().click();
};

const openTab = (page: Page, name: string): Promise<void> =>
  page.getByRole("tab", { name, exact: true }).click();

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
    ...{ name: "inspector-explain", ...desktop, colorScheme: "light" },
    async arrange(page) {
      await select(page, "container shop api released");
      await openTab(page, "Explain");
    },
  },
  {
    ...{ name: "inspector-denied", ...desktop, colorScheme: "dark" },
    async arrange(page) {
      await select(page, "hook batch denied");
      await openTab(page, "Start");
    },
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
    arrange: (page) => page.getByRole("option").first().waitFor(),
  },
  {
    ...{ name: "inspector-phone-dark", ...phone, colorScheme: "dark" },
    async arrange(page) {
      await select(page, "container shop api released");
      await openTab(page, "Explain");
      await page.getByRole("tab", { name: "Explain", exact: true }).scrollIntoViewIfNeeded();
    },
  },
];

async function take(browser: Browser, address: string, picture: Picture): Promise<void> {
  const { name, width, height, colorScheme, arrange } = picture;
  const page = await browser.newPage({
    ...{ viewport: { width, height }, colorScheme },
    ...{ timezoneId: "UTC", locale: "en-US", reducedMotion: "reduce" },
  });
  await page.goto(address);
  await page.getByText("Live", { exact: true }).first().waitFor();
  await arrange(page);
  // Until the drawings are loaded and the marks of transitions are over.
  await page.waitForLoadState("networkidle").catch(() => {});
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(images, `${name}.png`), animations: "disabled", caret: "hide" });
  await page.close();
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
  for (const picture of pictures) await take(browser, address, picture);
  console.log(`${pictures.length} pictures in docs/images`);
} finally {
  await workspace.close();
}
