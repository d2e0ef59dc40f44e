// SPDX-License-Identifier: Apache-2.0
// The health service as grpc-js takes it, from ts-proto's framework-neutral definition.

import type { MethodDefinition } from "@grpc/grpc-js";
import { HealthDefinition } from "@rthooks/proto/health";

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

const { check: checkMethod, list: listMethod, watch: watchMethod } = HealthDefinition.methods;
export const healthDefinition = {
  Check: toMethod(checkMethod),
  List: toMethod(listMethod),
  Watch: toMethod(watchMethod),
};

function toMethod<Request, Response>(method: {
  readonly name: string;
  readonly requestType: Codec<Request>;
  readonly responseType: Codec<Response>;
  readonly responseStream: boolean;
}): MethodDefinition<Request, Response> {
  const { name, requestType, responseType, responseStream } = method;
  return {
    path: `/${HealthDefinition.fullName}/${name}`,
    ...{ requestStream: false, responseStream },
    requestSerialize: (message) => Buffer.from(requestType.encode(message).finish()),
    requestDeserialize: (bytes) => requestType.decode(bytes),
    responseSerialize: (message) => Buffer.from(responseType.encode(message).finish()),
    responseDeserialize: (bytes) => responseType.decode(bytes),
  };
}
