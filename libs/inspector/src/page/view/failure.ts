// SPDX-License-Identifier: Apache-2.0
// A failure in plain words: what failed, what to do next, and what the program said.

import type { FailureAdvice } from "@rthooks/explain";
import { splitCode } from "../core/code-parts.ts";
import { showInvisible } from "../core/visible-text.ts";
import { createElement } from "./elements.ts";

export const renderFailure = ({ what, next, message }: FailureAdvice): HTMLElement =>
  createElement("div", { class: "failure" }, [
    createElement("p", { class: "failed", dir: "auto" }, [showInvisible(what)]),
    createElement("p", {}, [createElement("strong", {}, ["What to do: "]), ...renderAdvice(next)]),
    createElement("p", { class: "message", dir: "auto" }, [showInvisible(message)]),
  ]);

const renderAdvice = (next: string): readonly (Node | string)[] =>
  splitCode(showInvisible(next)).map(({ text, isCode }) =>
    isCode ? createElement("code", {}, [text]) : text,
  );
