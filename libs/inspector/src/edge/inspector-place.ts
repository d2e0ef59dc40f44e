// SPDX-License-Identifier: Apache-2.0
// Where an inspector listens, and the token that its clients need, from the values of the flags.

import { readFileSync } from "node:fs";
import { parseAddress } from "@rthooks/net";
import { describeError, err, ok, type Result } from "@rthooks/result";

export interface InspectorPlace {
  readonly host: string;
  readonly port: number;
  /** Empty: none is needed. */
  readonly token: string;
}

/** `tokenFile`: empty for no token. The error is one line with the name of the flag. */
export function readInspectorPlace(address: string, tokenFile: string): Result<InspectorPlace, string> {
  const parsed = parseAddress(address);
  if (!parsed.ok || parsed.value.kind !== "tcp" || parsed.value.port === undefined) {
    return err(`--inspect-address ${address} is not an address: use host:port`);
  }
  const token = tokenFile === "" ? ok("") : readToken(tokenFile);
  if (!token.ok) return err(`--inspect-token-file ${token.error}`);
  return ok({ host: parsed.value.host || "::", port: parsed.value.port, token: token.value });
}

function readToken(path: string): Result<string, string> {
  try {
    const token = readFileSync(path, "utf8").trim();
    return token.length >= 16 ? ok(token) : err(`${path} has a token of fewer than 16 characters`);
  } catch (error) {
    return err(`cannot read ${path}: ${describeError(error)}`);
  }
}
