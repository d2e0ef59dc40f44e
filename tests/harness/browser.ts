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
