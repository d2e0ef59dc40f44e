// SPDX-License-Identifier: Apache-2.0
// NRI's messages by reflection over the .proto files, with fields beside those that the project knows, as the real
// runtimes send them.
import { join } from "node:path";
import { Field, loadSync, type Type } from "protobufjs";

const proto = join(import.meta.dir, "../../libs/proto/proto");
const root = loadSync([join(proto, "nri/v1alpha1/nri.proto"), join(proto, "ttrpc/request.proto")]);

const container = root.lookupType("nri.pkg.api.v1alpha1.Container");
container.add(new Field("args", 7, "string", "repeated"));
container.add(new Field("env", 8, "string", "repeated"));
container.add(new Field("createdAt", 14, "int64"));
const pod = root.lookupType("nri.pkg.api.v1alpha1.PodSandbox");
pod.add(new Field("ips", 10, "string", "repeated"));

export type NriFields = Readonly<Record<string, unknown>>;

const find = (name: string): Type =>
  name.includes(".") ? root.lookupType(name) : root.lookupType(`nri.pkg.api.v1alpha1.${name}`);

export const encodeMessage = (name: string, fields: NriFields): Buffer =>
  Buffer.from(find(name).encode(find(name).fromObject(fields)).finish());

/** Numbers for enums and 64-bit integers, plain objects for maps. Fields that were not sent are left out. */
export function decodeMessage(name: string, bytes: Uint8Array): NriFields {
  const type = find(name);
  return type.toObject(type.decode(bytes), { longs: Number });
}
