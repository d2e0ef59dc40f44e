// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { ContainerQuery } from "@rthooks/explain";
import { deniedExample, startedExample } from "@rthooks/explain/examples";
import { ExplainContainerRequest, ExplainContainerResponse } from "@rthooks/proto";
import {
  toContainerQuery,
  toExplainRequest,
  toExplanation,
  toExplanationMessage,
} from "./explanation-messages.ts";

const send = (message: ExplainContainerResponse) =>
  ExplainContainerResponse.decode(ExplainContainerResponse.encode(message).finish());

test("an explanation comes out of a message as it went in", () => {
  const explanations = [startedExample, deniedExample];
  const received = send({ explanations: explanations.map(toExplanationMessage) });
  expect(received.explanations.map(toExplanation)).toEqual(explanations);
});

test("words of a newer agent become known ones", () => {
  const message = toExplanationMessage(startedExample);
  const { hold } = message;
  const phases = hold?.phases.map((phase) => ({ ...phase, where: "elsewhere" })) ?? [];
  const received = toExplanation({
    ...message,
    outcome: "dreaming",
    hold: hold && { ...hold, by: "x", phases },
  });
  expect([received.outcome, received.hold?.by, received.hold?.phases[0]?.where]).toEqual([
    "running",
    "hook",
    "agent",
  ]);
});

test.each<ContainerQuery>([
  { kind: "id", id: "4f2a" },
  { kind: "pod", namespace: "shop", pod: "web-0", container: undefined },
  { kind: "pod", namespace: "shop", pod: "web-0", container: "app" },
])("the query $kind $container", (query) => {
  const bytes = ExplainContainerRequest.encode(toExplainRequest(query)).finish();
  expect(toContainerQuery(ExplainContainerRequest.decode(bytes))).toEqual(query);
});

test("a request without a container is none", () =>
  expect(toContainerQuery({ container: undefined })).toBeUndefined());
