// SPDX-License-Identifier: Apache-2.0
// A failure in plain words: what failed, what to do next, and what the program said.

import type { FailureAdvice } from "@rthooks/explain";
import { createElement } from "./elements.ts";

export const renderFailure = ({ what, next, message }: FailureAdvice): HTMLElement =>
  createElement("div", { class: "failure" }, [
    createElement("p", { class: "failed" }, [what]),
    createElement("p", {}, [next]),
    createElement("p", { class: "message", dir: "auto" }, [message]),
  ]);
