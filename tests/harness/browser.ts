// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium, without a window.
import { type Browser, chromium } from "playwright-core";
import type { Workspace } from "./workspace.ts";

/** Closed with the workspace. */
export async function startBrowser(workspace: Workspace): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // As root it has no sandbox. The rest keeps it from the network.
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"],
    ],
    timeout: 120_000,
  });
  workspace.onClose(() => browser.close());
  return browser;
}

/** A page whose errors, also those against its content security policy, fail the test. */
export async function openPage(
  browser: Browser,
  address: string,
  options: Parameters<Browser["newPage"]>[0] = {},
) {
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
