// SPDX-License-Identifier: Apache-2.0

import type { KprobeArgument, KprobeFile, KprobeLinuxBinprm, KprobeSock } from "../gen/tetragon/events.ts";
import { orNone, toLong } from "./json-value.ts";

export const toArgumentJson = ({ arg, label }: KprobeArgument): unknown => ({
  ...(arg === undefined ? undefined : toValue(arg)),
  label: orNone(label),
});

/** A member of a oneof is written also where it has the default of its type. */
function toValue(arg: NonNullable<KprobeArgument["arg"]>): Readonly<Record<string, unknown>> {
  switch (arg.$case) {
    case "stringArg":
      return { string_arg: arg.stringArg };
    case "intArg":
      return { int_arg: arg.intArg };
    case "sizeArg":
      return { size_arg: `${arg.sizeArg}` };
    case "bytesArg":
      return { bytes_arg: arg.bytesArg.toBase64() };
    case "truncatedBytesArg": {
      const { bytesArg, origSize } = arg.truncatedBytesArg;
      return { truncated_bytes_arg: { bytes_arg: orNone(bytesArg.toBase64()), orig_size: toLong(origSize) } };
    }
    case "pathArg":
      return { path_arg: toFile(arg.pathArg) };
    case "fileArg":
      return { file_arg: toFile(arg.fileArg) };
    case "sockArg":
      return { sock_arg: toSock(arg.sockArg) };
    case "longArg":
      return { long_arg: `${arg.longArg}` };
    case "uintArg":
      return { uint_arg: arg.uintArg };
    case "capabilityArg": {
      const { value, name } = arg.capabilityArg;
      return { capability_arg: { value, name: orNone(name) } };
    }
    case "processCredentialsArg":
      return { process_credentials_arg: { uid: arg.processCredentialsArg.uid } };
    case "linuxBinprmArg":
      return { linux_binprm_arg: toPath(arg.linuxBinprmArg) };
    case "syscallId": {
      const { id, abi } = arg.syscallId;
      return { syscall_id: { id: orNone(id), abi: orNone(abi) } };
    }
    case "sockaddrArg": {
      const { family, addr, port } = arg.sockaddrArg;
      return { sockaddr_arg: { family: orNone(family), addr: orNone(addr), port: orNone(port) } };
    }
    case "errorArg":
      return { error_arg: { Message: orNone(arg.errorArg.Message) } };
    case "sockaddrunArg": {
      const { family, path } = arg.sockaddrunArg;
      return { sockaddrun_arg: { family: orNone(family), path: orNone(path) } };
    }
  }
}

const toFile = (file: KprobeFile): unknown => ({ mount: orNone(file.mount), ...toPath(file) });

const toPath = ({ path, flags, permission }: KprobeLinuxBinprm) => ({
  path: orNone(path),
  flags: orNone(flags),
  permission: orNone(permission),
});

const toSock = (sock: KprobeSock): unknown => ({
  family: orNone(sock.family),
  type: orNone(sock.type),
  protocol: orNone(sock.protocol),
  mark: orNone(sock.mark),
  priority: orNone(sock.priority),
  saddr: orNone(sock.saddr),
  daddr: orNone(sock.daddr),
  sport: orNone(sock.sport),
  dport: orNone(sock.dport),
  cookie: toLong(sock.cookie),
  state: orNone(sock.state),
});
