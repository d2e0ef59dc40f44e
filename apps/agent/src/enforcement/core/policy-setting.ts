// SPDX-License-Identifier: Apache-2.0

/** What a loaded policy is set to; clients change it at run time. */
export interface PolicySetting {
  /** False: its hooks are not in force. */
  readonly isEnabled: boolean;
  /** False: its rules only count and report what they would do. */
  readonly enforces: boolean;
}
