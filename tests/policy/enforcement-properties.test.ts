// SPDX-License-Identifier: Apache-2.0
// The rules of a policy decide as its selectors do when they are read one after the other.
import { expect, test } from "bun:test";
import { type HookOutcome, parseTracingPolicy, toKernelRules } from "@rthooks/policy";
import fc from "fast-check";
import { type Covers, decide, type FacetEvent } from "./rule-evaluator.ts";

interface Filter {
  readonly index?: number;
  readonly operator: string;
  readonly values: readonly string[];
}
interface Selector {
  readonly matchArgs: readonly Filter[];
  readonly matchBinaries?: readonly Filter[];
  readonly matchPIDs?: readonly { readonly operator: string; readonly values: readonly number[] }[];
  readonly matchActions: readonly { readonly action: string }[];
}

const runs = { numRuns: 2_000 };
const convert = (spec: object): readonly HookOutcome[] => {
  const parsed = parseTracingPolicy({
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: "a" }, spec },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return toKernelRules(parsed.value, "x64");
};

const actions = fc.constantFrom("NoPost", "Sigkill").map((action) => [{ action }]);
const selectors = (filter: fc.Arbitrary<Filter>, more: Partial<Record<string, fc.Arbitrary<unknown>>> = {}) =>
  fc.array(fc.record({ matchArgs: fc.array(filter, { maxLength: 2 }), matchActions: actions, ...more }), {
    minLength: 1,
    maxLength: 5,
  }) as fc.Arbitrary<Selector[]>; // `more` has the optional fields

const isNegated = (operator: string): boolean => operator.startsWith("Not");

/** Whether a text has one of the values, by the operator's name. */
const matchesText = (text: string, { operator, values }: Filter): boolean =>
  values.some((value) => {
    if (operator.endsWith("Prefix")) return text.startsWith(value);
    return operator.endsWith("Postfix") ? text.endsWith(value) : text === value;
  }) !== isNegated(operator);

/** Compares the verdicts of all events, and sees to it that there were enough to compare. */
function compare<E>(
  written: fc.Arbitrary<Selector[]>,
  toSpec: (written: readonly Selector[]) => object,
  events: readonly E[],
  isMatch: (event: E, selector: Selector) => boolean,
  toEvent: (event: E) => FacetEvent,
  covers: Covers = () => false,
): void {
  const verdicts = { kill: 0, other: 0, none: 0 };
  fc.assert(
    fc.property(written, (list) => {
      const judged = convert(toSpec(list));
      for (const event of events) {
        const decided = decide(judged, toEvent(event), covers);
        if (decided === "no rules") throw new Error(JSON.stringify(judged));
        const found = list.find((selector) => isMatch(event, selector));
        const expected = found?.matchActions[0]?.action;
        expect(decided?.effects.length).toBe(
          expected === undefined ? undefined : Number(expected === "Sigkill"),
        );
        expect(decided?.posts).toBe(expected === undefined ? undefined : expected === "Sigkill");
        verdicts[expected === undefined ? "none" : expected === "Sigkill" ? "kill" : "other"] += 1;
      }
    }),
    runs,
  );
  for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(100 * events.length);
}

/** The kernel has no path with a "/" at its end. */
const textFilter = (
  exact: readonly string[],
  beginnings: readonly string[],
  ends: readonly string[],
  [equal, notEqual]: readonly [string, string] = ["Equal", "NotEqual"],
): fc.Arbitrary<Filter> => {
  const one = (operators: readonly string[], values: readonly string[]) =>
    fc.record({
      operator: fc.constantFrom(...operators),
      values: fc.subarray([...values], { minLength: 1 }),
    });
  return fc.oneof(
    one([equal, notEqual], exact),
    one(["Prefix", "NotPrefix"], beginnings),
    one(["Postfix", "NotPostfix"], ends),
  );
};

test("an execution is judged as the policy says, by path and calling program", () => {
  const paths = ["/a", "/a/b", "/a/bc", "/ab", "/b", "/b/a"];
  const binaries = ["/bin/sh", "/bin/bash", "/usr/bin/sh"];
  const matchBinaries = fc.array(textFilter(binaries, ["/bin/", "/usr"], ["/sh", "ash"], ["In", "NotIn"]), {
    maxLength: 1,
  });
  compare(
    selectors(textFilter(paths, ["/", "/a", "/a/", "/a/b", "/b/"], ["a", "/b", "bc"]), { matchBinaries }),
    (written) => ({
      lsmhooks: [
        { hook: "bprm_check_security", args: [{ index: 0, type: "linux_binprm" }], selectors: written },
      ],
    }),
    [...paths, "/a/b/c", "/c", "/a/d"].flatMap((path) => binaries.map((binary) => ({ path, binary }))),
    ({ path, binary }, { matchArgs, matchBinaries = [] }) =>
      matchArgs.every((filter) => matchesText(path, filter)) &&
      matchBinaries.every((filter) => matchesText(binary, filter)),
    ({ path, binary }) => ({ texts: { arg0: path, binary } }),
  );
});

test("a connection is judged as the policy says", () => {
  const blocks: ReadonlyMap<string, RegExp> = new Map([
    ["0.0.0.0/0", /\./],
    ["10.0.0.0/8", /^10\./],
    ["10.1.0.0/16", /^10\.1\./],
    ["10.1.2.3", /^10\.1\.2\.3$/],
    ["::/0", /^/],
    ["fd00::/16", /^fd00:/],
  ]);
  const covers: Covers = (block, address) => blocks.get(block)?.test(address) === true;
  const ports: ReadonlyMap<string, (port: number) => boolean> = new Map([
    ["80", (port) => port === 80],
    ["0x1bb", (port) => port === 443],
    ["1:100", (port) => port >= 1 && port <= 100],
    ["2000:9000", (port) => port >= 2_000 && port <= 9_000],
  ]);
  const at = fc.constant(1);
  const filter = fc.oneof(
    fc.record({
      operator: fc.constantFrom("SAddr", "NotSAddr"),
      index: at,
      values: fc.subarray([...blocks.keys()], { minLength: 1 }),
    }),
    fc.record({
      operator: fc.constantFrom("SPort", "NotSPort"),
      index: at,
      values: fc.subarray([...ports.keys()], { minLength: 1 }),
    }),
    fc.record({ operator: fc.constantFrom("SPortPriv", "NotSPortPriv"), index: at, values: fc.constant([]) }),
    fc.record({
      operator: fc.constant("Protocol"),
      values: fc.subarray(["IPPROTO_TCP", "17"], { minLength: 1 }),
    }),
    fc.record({
      operator: fc.constant("Family"),
      values: fc.subarray(["AF_INET", "10"], { minLength: 1 }),
    }),
  );
  const addresses = ["10.1.2.3", "10.1.9.9", "10.9.9.9", "11.0.0.1", "fd00::1", "fe80::1"];
  compare(
    selectors(filter),
    (written) => ({
      kprobes: [
        {
          ...{ call: "security_socket_connect", syscall: false, selectors: written },
          args: [
            { index: 0, type: "socket" },
            { index: 1, type: "sockaddr" },
          ],
        },
      ],
    }),
    addresses.flatMap((address) =>
      [80, 443, 8_080].flatMap((port) => [6, 17].map((protocol) => ({ address, port, protocol }))),
    ),
    ({ address, port, protocol }, { matchArgs }) =>
      matchArgs.every(({ operator, values }) => {
        switch (operator) {
          case "SPort":
          case "NotSPort":
            return values.some((value) => ports.get(value)?.(port) === true) !== isNegated(operator);
          case "SPortPriv":
          case "NotSPortPriv":
            return port < 1024 !== isNegated(operator);
          case "Protocol":
            return values.includes(protocol === 6 ? "IPPROTO_TCP" : "17");
          case "Family":
            return values.includes(address.includes(":") ? "10" : "AF_INET");
          default:
            return values.some((value) => covers(value, address)) !== isNegated(operator);
        }
      }),
    ({ address, port, protocol }) => ({
      addresses: { destination: address },
      numbers: {
        destinationPort: BigInt(port),
        protocol: BigInt(protocol),
        family: address.includes(":") ? 10n : 2n,
      },
    }),
    covers,
  );
});

const types = [
  ["int", 32, true],
  ["uint32", 32, false],
  ["int64", 64, true],
  ["uint64", 64, false],
  ["int8", 8, true],
  ["uint16", 16, false],
] as const; // const: types of the CRD

for (const [type, bits, isSigned] of types) {
  test(`numbers of the type ${type} are judged as the policy says`, () => {
    const [min, max] = isSigned
      ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
      : [0n, 2n ** BigInt(bits) - 1n];
    const interesting = [...new Set([min, min + 1n, 0n, 1n, 2n, 5n, 6n, 100n, max - 1n, max])].filter(
      (value) => value >= min && value <= max,
    );
    const write = (value: bigint): fc.Arbitrary<string> =>
      fc.constantFrom(
        ...[10, 16, 8].map((base) => {
          const digits = (value < 0n ? -value : value).toString(base);
          return (value < 0n ? "-" : "") + (base === 16 ? "0x" : base === 8 ? "0o" : "") + digits;
        }),
      );
    const value = fc.constantFrom(...interesting).chain(write);
    const range = fc
      .tuple(fc.constantFrom(...interesting), fc.constantFrom(...interesting))
      .map(([one, other]) => (one < other ? [one, other] : [other, one]).join(":"));
    const filter = fc.oneof(
      fc.record({
        operator: fc.constantFrom("Equal", "NotEqual", "InMap", "NotInMap", "GT", "LessThan", "Mask"),
        values: fc.array(value, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({
        operator: fc.constantFrom("InRange", "NotInRange"),
        values: fc.array(range, { minLength: 1, maxLength: 3 }),
      }),
    );
    const parse = (text: string): bigint => (text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text));
    const one = (number: bigint, operator: string, text: string): boolean => {
      const [from = 0n, to = from] = text.split(":").map(parse);
      if (operator === "GT") return number > from;
      if (operator === "LessThan") return number < from;
      if (operator === "Mask") return BigInt.asUintN(bits, number & from) !== 0n;
      return number >= from && number <= to;
    };
    compare(
      selectors(filter, {
        matchPIDs: fc.array(
          fc.record({
            operator: fc.constantFrom("In", "NotIn"),
            values: fc.subarray([1, 2, 3], { minLength: 1 }),
            isNamespacePID: fc.constant(true),
          }),
          { maxLength: 1 },
        ),
      }),
      (written) => ({ kprobes: [{ call: "sys_a", args: [{ index: 0, type }], selectors: written }] }),
      interesting.flatMap((number) => [1, 3, 4].map((pid) => ({ number, pid }))),
      ({ number, pid }, { matchArgs, matchPIDs = [] }) =>
        matchArgs.every(
          ({ operator, values }) =>
            values.some((value) => one(number, operator, value)) !== isNegated(operator),
        ) && matchPIDs.every(({ operator, values }) => values.includes(pid) === (operator === "In")),
      ({ number, pid }) => ({ numbers: { arg0: number, namespacePid: BigInt(pid), pid: 77n } }),
    );
  });
}

test("an event without what a filter is about matches only where the filter is negated", () => {
  const filter = fc.oneof(
    fc.record({
      index: fc.constant(0),
      operator: fc.constantFrom("Equal", "NotEqual"),
      values: fc.constant(["1"]),
    }),
    fc.record({
      index: fc.constant(0),
      operator: fc.constantFrom("InRange", "NotInRange"),
      values: fc.constant(["1:5"]),
    }),
    fc.record({
      index: fc.constant(1),
      operator: fc.constantFrom("Prefix", "NotPrefix"),
      values: fc.constant(["a"]),
    }),
  );
  compare(
    selectors(filter),
    (written) => ({
      kprobes: [
        {
          call: "sys_a",
          args: [
            { index: 0, type: "int" },
            { index: 1, type: "string" },
          ],
          selectors: written,
        },
      ],
    }),
    [undefined],
    (_, { matchArgs }) => matchArgs.every(({ operator }) => isNegated(operator)),
    () => ({}),
  );
});
