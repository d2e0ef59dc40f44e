// SPDX-License-Identifier: Apache-2.0
// Cuts what is read of a log file into lines. A line that is too long is left out as a whole, so that memory is bounded.

export interface LineCutter {
  /** The lines that end in these bytes, without their newlines. They are valid until the next call. */
  cut(bytes: Uint8Array): readonly Uint8Array[];
  /** Starts a new text: forgets the line that has not ended. */
  restart(): void;
}

const newline = 0x0a;

/**
 * `skipsFirst`: the text starts within a line, which is left out. `onTooLong` is called once for a line that is left out
 * because it is too long.
 */
export function createLineCutter(
  maxBytes: number,
  skipsFirst: boolean,
  onTooLong: () => void = () => {},
): LineCutter {
  let parts: Uint8Array[] = [];
  let length = 0;
  let isSkipped = skipsFirst;

  const keep = (part: Uint8Array): void => {
    length += part.length;
    if (length > maxBytes && !isSkipped) {
      isSkipped = true;
      parts = [];
      onTooLong();
    }
    // A copy: the caller reuses its buffer.
    if (!isSkipped && part.length > 0) parts.push(part.slice());
  };
  const restart = (): void => {
    parts = [];
    length = 0;
    isSkipped = false;
  };

  return {
    cut(bytes) {
      const lines: Uint8Array[] = [];
      let start = 0;
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
        const rest = bytes.subarray(start, end);
        start = end + 1;
        if (!isSkipped && length + rest.length <= maxBytes) lines.push(join([...parts, rest]));
        else if (!isSkipped) onTooLong();
        restart();
      }
      keep(bytes.subarray(start));
      return lines;
    },
    restart,
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
