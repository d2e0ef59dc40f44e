// SPDX-License-Identifier: Apache-2.0
import { Client, credentials } from "@grpc/grpc-js";
import { type Container, ListContainersRequest, ListContainersResponse } from "@rthooks/proto";

/** The containers an agent knows, asked over its own socket. */
export function listContainers(address: string): Promise<readonly Container[]> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise<readonly Container[]>((resolve, reject) => {
    client.makeUnaryRequest(
      "/rthooks.v1.AgentState/ListContainers",
      (request: ListContainersRequest) => Buffer.from(ListContainersRequest.encode(request).finish()),
      (bytes) => ListContainersResponse.decode(bytes),
      {},
      (error, response) => (error === null && response ? resolve(response.containers) : reject(error)),
    );
  }).finally(() => client.close());
}
