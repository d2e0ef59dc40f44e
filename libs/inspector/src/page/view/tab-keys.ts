// SPDX-License-Identifier: Apache-2.0

/** The arrow keys of a tab: `go` shows the tab that is so many places further, and returns it; undefined without one. */
export function onTabKeys(tab: HTMLElement, go: (step: 1 | -1) => HTMLElement | undefined): void {
  tab.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowRight") go(1)?.focus();
    if (key === "ArrowLeft") go(-1)?.focus();
  });
}
