// SPDX-License-Identifier: Apache-2.0
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import {
  type Container,
  type CreateContainer,
  ExplainContainerRequest,
  ExplainContainerResponse,
  FineGuidanceSensorsDefinition,
  ListContainersRequest,
  ListContainersResponse,
  type ListDomainsResponse,
  type ListTracingPoliciesResponse,
  type TracingPolicyMode,
} from "@rthooks/proto";

interface Message<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

function call<Request, Response>(
  address: string,
  path: string,
  types: { readonly requestType: Message<Request>; readonly responseType: Message<Response> },
  request: Request,
  metadata = new Metadata(),
): Promise<Response> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise<Response>((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      (message: Request) => Buffer.from(types.requestType.encode(message).finish()),
      (bytes) => types.responseType.decode(bytes),
      request,
      metadata,
      (error, response) => (error === null && response !== undefined ? resolve(response) : reject(error)),
    );
  }).finally(() => client.close());
}

/** The containers an agent knows, asked over its own socket. */
export async function listContainers(address: string): Promise<readonly Container[]> {
  const types = { requestType: ListContainersRequest, responseType: ListContainersResponse };
  return (await call(address, "/rthooks.v1.AgentState/ListContainers", types, {})).containers;
}

export function explainContainer(
  address: string,
  container: ExplainContainerRequest["container"],
): Promise<ExplainContainerResponse> {
  const types = { requestType: ExplainContainerRequest, responseType: ExplainContainerResponse };
  return call(address, "/rthooks.v1.AgentState/ExplainContainer", types, { container });
}

/**
 * What a hook says of a container, over a connection of its own. Rejects where the container must not start. Vouched: as
 * this project's own hook and plugin, whose reserved annotations are read.
 */
export function callRuntimeHook(
  address: string,
  fields: Partial<CreateContainer>,
  isTrusted = false,
): Promise<unknown> {
  const { runtimeHook } = FineGuidanceSensorsDefinition.methods;
  const createContainer: CreateContainer = {
    ...{ cgroupsPath: "", rootDir: "", annotations: new Map(), containerName: "app", containerID: "" },
    ...{ podName: "", podUID: "", podNamespace: "", containerImage: "web:1", mounts: [] },
    ...fields,
  };
  const event = { $case: "createContainer" as const, createContainer };
  const metadata = new Metadata();
  if (isTrusted) metadata.set("rthooks-vouched", "1");
  return call(address, "/tetragon.FineGuidanceSensors/RuntimeHook", runtimeHook, { event }, metadata);
}

interface PolicyCalls {
  add(yaml: string, domain?: string): Promise<unknown>;
  delete(name: string, domain?: string): Promise<unknown>;
  configure(change: {
    readonly name: string;
    readonly domain?: string;
    readonly enable?: boolean;
    readonly mode?: TracingPolicyMode;
  }): Promise<unknown>;
  list(domain?: string): Promise<ListTracingPoliciesResponse>;
  domains(): Promise<ListDomainsResponse>;
}

/** What `tetra tracingpolicy` calls. */
export function callPolicies(address: string): PolicyCalls {
  const { methods } = FineGuidanceSensorsDefinition;
  const path = (name: string): string => `/tetragon.FineGuidanceSensors/${name}`;
  const namespace = "";
  return {
    add: (yaml, domain = "") =>
      call(address, path("AddTracingPolicy"), methods.addTracingPolicy, { yaml, domain }),
    delete: (name, domain = "") =>
      call(address, path("DeleteTracingPolicy"), methods.deleteTracingPolicy, { name, namespace, domain }),
    configure: ({ name, domain = "", enable, mode }) =>
      call(address, path("ConfigureTracingPolicy"), methods.configureTracingPolicy, {
        ...{ name, namespace, domain, enable, mode },
      }),
    list: (domain = "") =>
      call(address, path("ListTracingPolicies"), methods.listTracingPolicies, { domain }),
    domains: () => call(address, path("ListDomains"), methods.listDomains, {}),
  };
}
