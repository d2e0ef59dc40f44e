// SPDX-License-Identifier: Apache-2.0

/**
 * Remembers what was made of objects, up to a capacity, and forgets all when there is more: most events are about the same few
 * processes. `weigh`: what an answer takes of the capacity.
 */
export function rememberAnswers<Question extends object, Answer extends object | string>(
  capacity: number,
  answer: (question: Question) => Answer,
  weigh: (answer: Answer) => number = () => 1,
): (question: Question) => Answer {
  const known = new Map<Question, Answer>();
  let used = 0;
  return (question) => {
    const before = known.get(question);
    if (before !== undefined) return before;
    const made = answer(question);
    const weight = weigh(made);
    if (weight > capacity) return made;
    if (used + weight > capacity) {
      known.clear();
      used = 0;
    }
    known.set(question, made);
    used += weight;
    return made;
  };
}
