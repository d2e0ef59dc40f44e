// SPDX-License-Identifier: Apache-2.0

/** Where the export writes. */
export interface ExportFileSettings {
  readonly path: string;
  readonly maxBytes: number;
  /** Files with older events that are kept; 0: all. */
  readonly maxBackups: number;
  readonly compresses: boolean;
  readonly mode: number;
}

export interface ExportSettings extends ExportFileSettings {
  /** 0: the file is rotated by its size only. */
  readonly rotationIntervalMs: number;
  /** Events a minute; undefined: any number. */
  readonly rateLimit: number | undefined;
  /** Which events: a GetEventsRequest. */
  readonly request: Uint8Array;
}
