// SPDX-License-Identifier: Apache-2.0
// A process with the watches of many nodes: for each those of its pods and of both kinds of policies, as an agent has them.
// Arguments: the server's address, the path of its CA, its token, the number of the first node, how many nodes.
import { openApiClient, watchPods, watchResource } from "@rthooks/kube";

const [server = "", caPath = "", token = "", first = "0", count = "0"] = process.argv.slice(2);
const silent = (): void => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };
const access = {
  ...{ server, insecure: false, serverName: undefined, proxy: undefined },
  ca: { kind: "file" as const, path: caPath }, // const: one of a union
  credentials: { kind: "token" as const, token }, // const: likewise
};

for (let at = Number(first); at < Number(first) + Number(count); at++) {
  const client = openApiClient(() => Promise.resolve({ ok: true, value: access }), "scale/1");
  watchPods({ client, nodeName: `node-${at}`, log, onChange: silent });
  for (const plural of ["tracingpolicies", "tracingpoliciesnamespaced"]) {
    watchResource({
      ...{ client, log, fieldSelector: "", what: plural, parse: (object) => object, onChange: silent },
      path: `/apis/cilium.io/v1alpha1/${plural}`,
    });
  }
  // The nodes of a cluster do not start in one moment either.
  if (at % 10 === 9) await Bun.sleep(100);
}
