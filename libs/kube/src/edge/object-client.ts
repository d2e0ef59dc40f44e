// SPDX-License-Identifier: Apache-2.0
// Reads and writes single objects. A write replaces what was read: the resource version in it makes the API server refuse
// a write that is based on an older object (Kubernetes API concepts, "Resource versions").

import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { createObjectLevels } from "../core/object-levels.ts";
import type { ApiClient } from "./api-client.ts";
import { type ApiError, noAnswer } from "./api-error.ts";

/** With all members that the server sent. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly [member: string]: unknown;
  };
  readonly [member: string]: unknown;
}

export interface ObjectClient {
  /** Undefined if the server has no such object. A kind that it does not serve is an error with the status 404. */
  read(path: string): Promise<Result<KubeObject | undefined, ApiError>>;
  /** `path`: of the collection. The error has the status 409 if an object has the name already. */
  create(path: string, object: object): Promise<Result<KubeObject, ApiError>>;
  /** The error has the status 409 if the object in the server has another resource version. */
  replace(path: string, object: KubeObject): Promise<Result<KubeObject, ApiError>>;
}

/** Statuses of `ApiError` to which programs react. */
export const CONFLICT = 409;
export const FORBIDDEN = 403;
const NOT_FOUND = 404;

const schema = v.looseObject({
  metadata: v.looseObject({ name: v.string(), resourceVersion: v.string() }),
});

const levels = createObjectLevels([]).object;

/** `signal`: writes in progress end when it aborts, and later ones are not sent. */
export function openObjectClient(
  client: ApiClient,
  timeoutMs: number,
  signal: AbortSignal = new AbortController().signal,
): ObjectClient {
  const write = async (
    method: "POST" | "PUT",
    path: string,
    body: object,
  ): Promise<Result<KubeObject, ApiError>> => {
    const answer = await client.write(path, { method, body, timeoutMs, levels, signal });
    return answer.ok ? parseObject(answer.value.text) : answer;
  };
  return {
    async read(path) {
      const answer = await client.get(path, { timeoutMs, levels });
      if (answer.ok) return parseObject(answer.value.text);
      const { status, isStatus } = answer.error;
      return status === NOT_FOUND && isStatus ? ok(undefined) : answer;
    },
    create: (path, object) => write("POST", path, object),
    replace: (path, object) => write("PUT", path, object),
  };
}

function parseObject(text: string): Result<KubeObject, ApiError> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // `value` stays undefined, which is not an object.
  }
  const parsed = v.safeParse(schema, value);
  return parsed.success ? ok(parsed.output) : err(noAnswer("the API server's answer is not an object"));
}
