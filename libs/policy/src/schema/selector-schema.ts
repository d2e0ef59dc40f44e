// SPDX-License-Identifier: Apache-2.0
// What decides in the kernel whether a hook has something to say, and what it then does (KProbeSelector of
// pkg/k8s/apis/cilium.io/v1alpha1/types.go).

import * as v from "valibot";
import { fields, filled, flag, index, integer, list, oneOf, text } from "./fields.ts";
import { containerLabelSelector, labelSelector } from "./label-selector-schema.ts";

const argumentOperators = [
  ...(["Equal", "NotEqual", "Prefix", "NotPrefix", "Postfix", "NotPostfix", "GreaterThan", "GT"] as const),
  ...(["LessThan", "LT", "Mask", "InRange", "NotInRange", "InMap", "NotInMap", "SubString"] as const),
  ...(["SubStringIgnCase", "CelExpr", "FileType", "NotFileType", "CapabilitiesGained"] as const),
  ...(["SAddr", "NotSAddr", "DAddr", "NotDAddr", "SPort", "NotSPort", "DPort", "NotDPort"] as const),
  ...(["SPortPriv", "NotSPortPriv", "DPortPriv", "NotDPortPriv", "Protocol", "Family", "State"] as const),
] as const; // const: the names are a union

const membership = oneOf(["In", "NotIn"]);

const argument = fields({
  index: v.nullish(index),
  args: v.nullish(list(index)),
  operator: oneOf(argumentOperators),
  values: v.nullish(list(text)),
});

const binary = fields({
  operator: oneOf(["In", "NotIn", "Prefix", "NotPrefix", "Postfix", "NotPostfix"]),
  values: list(filled),
  followChildren: v.nullish(flag),
});

const capability = fields({
  type: v.nullish(oneOf(["Effective", "Inheritable", "Permitted"])),
  operator: membership,
  isNamespaceCapability: v.nullish(flag),
  values: list(filled),
});

const actionNames = [
  ...(["Post", "NoPost", "Sigkill", "Signal", "Override", "GetUrl", "DnsLookup", "TrackSock"] as const),
  ...(["UntrackSock", "NotifyEnforcer", "CleanupEnforcerNotification", "Set"] as const),
] as const; // const: the names are a union

const action = v.pipe(
  fields({
    action: oneOf(actionNames),
    argError: v.nullish(integer),
    argSig: v.nullish(index),
    argSock: v.nullish(index),
    argUrl: v.nullish(text),
    argFqdn: v.nullish(text),
    argIndex: v.nullish(index),
    argValue: v.nullish(index),
    rateLimit: v.nullish(v.pipe(text, v.regex(/^\d+[smh]?$/, "is no time such as 5, 5s, 5m or 5h"))),
    rateLimitScope: v.nullish(oneOf(["thread", "process", "global"])),
    kernelStackTrace: v.nullish(flag),
    userStackTrace: v.nullish(flag),
    imaHash: v.nullish(flag),
  }),
  v.forward(
    v.check((one) => one.action !== "Signal" || one.argSig != null, "Signal needs the number of a signal"),
    ["argSig"],
  ),
);

const workloads = fields({
  podSelector: v.nullish(labelSelector),
  containerSelector: v.nullish(containerLabelSelector),
  hostSelector: v.nullish(labelSelector),
});

export const hookSelector = fields({
  label: v.nullish(text),
  macros: v.nullish(list(filled)),
  matchPIDs: v.nullish(
    list(
      fields({
        operator: membership,
        values: list(index),
        isNamespacePID: v.nullish(flag),
        followForks: v.nullish(flag),
      }),
    ),
  ),
  matchArgs: v.nullish(list(argument, 5)),
  matchData: v.nullish(list(argument, 5)),
  matchReturnArgs: v.nullish(list(argument, 5)),
  matchActions: v.nullish(list(action, 3)),
  matchReturnActions: v.nullish(list(action, 3)),
  matchBinaries: v.nullish(list(binary, 1)),
  matchParentBinaries: v.nullish(list(binary, 1)),
  matchNamespaces: v.nullish(
    list(
      fields({
        namespace: oneOf([
          ...(["Uts", "Ipc", "Mnt", "Pid", "PidForChildren", "Net", "Time", "TimeForChildren"] as const),
          ...(["Cgroup", "User"] as const),
        ]),
        operator: membership,
        values: list(filled, 4),
      }),
    ),
  ),
  matchNamespaceChanges: v.nullish(list(fields({ operator: membership, values: list(filled) }), 1)),
  matchCapabilities: v.nullish(list(capability)),
  matchCapabilityChanges: v.nullish(list(capability)),
  matchWorkloads: v.nullish(workloads),
});

export type HookSelector = v.InferOutput<typeof hookSelector>;
