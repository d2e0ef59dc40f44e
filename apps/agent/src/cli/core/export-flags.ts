// SPDX-License-Identifier: Apache-2.0
// The flags of the file with events.

import { flag } from "@rthooks/flags";

/** Names and defaults are Tetragon's. */
export const exportFlags = {
  "cluster-name": flag.string({ usage: "name of the cluster, in each event", placeholder: "NAME" }),
  "export-filename": flag.string({
    usage: "file to which events are written as JSON lines (default: none)",
    placeholder: "FILE",
  }),
  "export-file-max-size-mb": flag.string({
    usage: "size in MiB at which the export file is rotated",
    default: "10",
    placeholder: "NUMBER",
  }),
  "export-file-rotation-interval": flag.duration({
    usage: "how often the export file is rotated in addition; 0s: by its size only",
    default: "0s",
  }),
  "export-file-max-backups": flag.string({
    usage: "number of rotated export files that are kept; 0: all",
    default: "5",
    placeholder: "NUMBER",
  }),
  "export-file-compress": flag.boolean({ usage: "compress rotated export files with gzip" }),
  "export-file-perm": flag.string({
    usage: "mode of the export files, in octal; at most 664",
    default: "600",
    placeholder: "MODE",
  }),
  "export-rate-limit": flag.string({
    usage: "events a minute that are exported at most; -1: any number, 0: none",
    default: "-1",
    placeholder: "NUMBER",
  }),
  "export-allowlist": flag.string({
    usage: 'filters of the export as JSON objects, of which one must match: {"namespace":["shop"]}',
    placeholder: "FILTERS",
  }),
  "export-denylist": flag.string({
    usage: "filters of the export as JSON objects, of which none may match",
    placeholder: "FILTERS",
  }),
  "field-filters": flag.string({
    usage:
      'fields that are exported, as JSON objects: {"fields":"process.pod,parent.exec_id","action":"INCLUDE"}',
    placeholder: "FILTERS",
  }),
  "enable-export-aggregation": flag.boolean({
    usage: "accepted for compatibility: no event of this agent is aggregated",
  }),
  "export-aggregation-window-size": flag.duration({
    usage: "accepted for compatibility, without effect",
    default: "15s",
  }),
  "export-aggregation-buffer-size": flag.string({
    usage: "accepted for compatibility, without effect",
    default: "10000",
    placeholder: "NUMBER",
  }),
} as const; // const: each flag keeps its own kind
