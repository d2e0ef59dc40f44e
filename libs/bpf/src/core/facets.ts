// SPDX-License-Identifier: Apache-2.0
// The facets of an event in the order of their numbers: bpf/facets.h.

const argumentNames = ["arg0", "arg1", "arg2", "arg3", "arg4"] as const; // const: the names are a union

export const numberFacets = [
  ...argumentNames,
  ...(["destinationPort", "sourcePort", "protocol", "family", "socketType", "socketState"] as const),
  ...(["pid", "namespacePid"] as const),
] as const;

/** Those that a record tells; the binary is known from its execution. */
export const recordedTexts = argumentNames;

export const textFacets = [...argumentNames, "binary"] as const; // const: the names are a union

export const addressFacets = ["destination", "source"] as const;
