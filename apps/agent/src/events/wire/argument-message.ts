// SPDX-License-Identifier: Apache-2.0
// An argument of a hook as Tetragon's KprobeArgument: its field is chosen by the type that the policy declares (Tetragon
// pkg/sensors/tracing/args_linux.go).

import type { ReportedArgument } from "@rthooks/policy";
import type { KprobeArgument } from "@rthooks/proto/events";
import type { MatchFacts } from "../core/agent-event.ts";
import { nameCapability } from "../core/capability-names.ts";
import { nameSocketNumber } from "../core/socket-names.ts";

type Value = NonNullable<KprobeArgument["arg"]>;

/** `abi`: of system calls, "x64" or "arm64". */
export function toArgumentMessage(
  { facet, type, label }: ReportedArgument,
  facts: MatchFacts,
  abi: string,
): KprobeArgument {
  const socket = toSocketValue(type, facts);
  if (socket !== undefined) return { arg: socket, label };
  const number = facet === "socket" ? undefined : facts.numbers[facet];
  const text = facet === "socket" ? undefined : facts.texts[facet];
  const bytes = facet === "socket" ? undefined : facts.bytes?.[facet];
  const arg =
    toPathValue(type, text) ??
    (bytesTypes.has(type) ? toBytesValue(text, bytes, number) : toPlainValue(type, number, text, abi));
  return { arg: arg ?? { $case: "errorArg", errorArg: { Message: "the value could not be read" } }, label };
}

/** Undefined for another type. What is not known stays empty: `tetra` takes for granted that the message is there. */
function toSocketValue(type: string, { numbers, addresses }: MatchFacts): Value | undefined {
  const family = nameSocketNumber("family", numbers.family);
  switch (type) {
    case "sock":
    case "socket":
      return {
        $case: "sockArg",
        sockArg: {
          family,
          type: nameSocketNumber("socketType", numbers.socketType),
          protocol: nameSocketNumber("protocol", numbers.protocol),
          ...{ mark: 0, priority: 0, cookie: 0n },
          saddr: addresses.source ?? "",
          daddr: addresses.destination ?? "",
          sport: Number(numbers.sourcePort ?? 0n),
          dport: Number(numbers.destinationPort ?? 0n),
          state: nameSocketNumber("socketState", numbers.socketState),
        },
      };
    case "sockaddr": {
      const addr = addresses.destination ?? addresses.source ?? "";
      const port = Number(numbers.destinationPort ?? numbers.sourcePort ?? 0n);
      return { $case: "sockaddrArg", sockaddrArg: { family, addr, port } };
    }
    default:
      return undefined;
  }
}

function toPathValue(type: string, text = ""): Value | undefined {
  const unknown = { flags: "", permission: "" };
  switch (type) {
    case "file":
    case "fd":
    case "kiocb":
      return { $case: "fileArg", fileArg: { mount: "", path: text, ...unknown } };
    case "path":
    case "dentry":
      return { $case: "pathArg", pathArg: { mount: "", path: text, ...unknown } };
    case "linux_binprm":
      return { $case: "linuxBinprmArg", linuxBinprmArg: { path: text, ...unknown } };
    default:
      return undefined;
  }
}

function toPlainValue(
  type: string,
  number: bigint | undefined,
  text: string | undefined,
  abi: string,
): Value | undefined {
  if (number === undefined) {
    return text === undefined ? undefined : { $case: "stringArg", stringArg: text };
  }
  switch (type) {
    case "int64":
    case "s64":
    case "long":
      return { $case: "longArg", longArg: BigInt.asIntN(64, number) };
    case "uint64":
    case "u64":
    case "size_t":
    case "unsigned long":
      return { $case: "sizeArg", sizeArg: BigInt.asUintN(64, number) };
    case "uint32":
    case "u32":
    case "uint16":
    case "u16":
    case "uint8":
    case "u8":
    case "unsigned int":
      return { $case: "uintArg", uintArg: Number(BigInt.asUintN(32, number)) };
    case "syscall64":
      return { $case: "syscallId", syscallId: { id: Number(BigInt.asUintN(32, number)), abi } };
    case "capability": {
      const value = Number(BigInt.asIntN(32, number));
      return { $case: "capabilityArg", capabilityArg: { value, name: nameCapability(value) } };
    }
    case "cred": {
      const uid = Number(BigInt.asUintN(32, number));
      return { $case: "processCredentialsArg", processCredentialsArg: { uid } };
    }
    default:
      return { $case: "intArg", intArg: Number(BigInt.asIntN(32, number)) };
  }
}

/** `length`: of the buffer, of which the bytes may be the beginning alone. */
function toBytesValue(
  text: string | undefined,
  bytes: Uint8Array | undefined,
  length = 0n,
): Value | undefined {
  if (text === undefined) return undefined;
  const bytesArg = bytes ?? new TextEncoder().encode(text);
  return length > bytesArg.length
    ? { $case: "truncatedBytesArg", truncatedBytesArg: { bytesArg, origSize: length } }
    : { $case: "bytesArg", bytesArg };
}

const bytesTypes = new Set(["char_buf", "char_iovec", "iov_iter", "bytes"]);
