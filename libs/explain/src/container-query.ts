// SPDX-License-Identifier: Apache-2.0
// Which containers a user means.

import { err, ok, type Result } from "@rthooks/result";

export type ContainerQuery =
  /** A container id, or its beginning. */
  | { readonly kind: "id"; readonly id: string }
  /** An undefined container stands for all containers of the pod. */
  | {
      readonly kind: "pod";
      readonly namespace: string;
      readonly pod: string;
      readonly container: string | undefined;
    };

/** What is wrong with a query; the message is one line for users. */
export interface QueryProblem {
  /** `invalid`: the query itself is wrong; `ambiguous`: several containers have an id with this beginning. */
  readonly kind: "invalid" | "ambiguous" | "not-found";
  readonly message: string;
}

/** As short as the beginning of a container id may be. */
export const MIN_ID_LENGTH = 4;

/** "NAMESPACE/POD", "NAMESPACE/POD/CONTAINER", or a container id or its beginning. The error is one line. */
export function parseContainerQuery(text: string): Result<ContainerQuery, string> {
  const parts = text.split("/");
  if (parts.includes("") || parts.length > 3) {
    return err(
      `${quoteQuery(text)} names no container: use NAMESPACE/POD, NAMESPACE/POD/CONTAINER, or a container id`,
    );
  }
  const [first = "", pod, container] = parts;
  if (pod !== undefined) return ok({ kind: "pod", namespace: first, pod, container });
  if (first.length >= MIN_ID_LENGTH) return ok({ kind: "id", id: first });
  return err(
    `${quoteQuery(text)} is too short: give NAMESPACE/POD, or at least ${MIN_ID_LENGTH} characters of a container id`,
  );
}

/** What a user wrote, for a message: a part of it where it is long. */
export const quoteQuery = (text: string): string =>
  JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
