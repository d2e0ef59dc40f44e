// SPDX-License-Identifier: Apache-2.0
import { ErrorCode, type Violation } from "./frames.ts";

export function protocolError(reason: string): Violation {
  return { reason, code: ErrorCode.protocolError };
}

export function sizeError(name: string): Violation {
  return { reason: `${name} of a wrong size`, code: ErrorCode.frameSizeError };
}

export function calm(what: string): Violation {
  return { reason: `too much: ${what}`, code: ErrorCode.enhanceYourCalm };
}
