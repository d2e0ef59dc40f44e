// SPDX-License-Identifier: Apache-2.0

/** The default of every effect of a machine. It throws when the program has not provided the effect. */
export const notProvided = (effect: string) => (): never => {
  throw new Error(`the effect ${effect} is not provided`);
};
