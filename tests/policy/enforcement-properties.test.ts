// SPDX-License-Identifier: Apache-2.0
// The kernel judges by all rules of a policy at once. Where each selector has a rule, the verdict is that of the selectors
// one after the other.
import { expect, test } from "bun:test";
import { parseTracingPolicy, type RuleSubject, type SubjectOutcome, toKernelRules } from "@rthooks/policy";
import fc from "fast-check";

interface Filter {
  readonly index?: number;
  readonly operator: string;
  readonly values: readonly string[];
}
interface Selector {
  readonly matchArgs: readonly Filter[];
  readonly matchActions: readonly { readonly action: string }[];
}

const runs = { numRuns: 2_000 };
const outcomes = (spec: object): readonly SubjectOutcome[] => {
  const parsed = parseTracingPolicy({
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: "a" }, spec },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return toKernelRules(parsed.value);
};

const selectors = (filter: fc.Arbitrary<Filter>): fc.Arbitrary<Selector[]> =>
  fc.array(
    fc.record({
      matchArgs: fc.array(filter, { maxLength: 2 }),
      matchActions: fc.constantFrom("NoPost", "Sigkill").map((action) => [{ action }]),
    }),
    { minLength: 1, maxLength: 5 },
  );

/** As the policy is written: the first selector that matches decides. */
const isKilled = (written: readonly Selector[], matches: (filter: Filter) => boolean): boolean =>
  written.find(({ matchArgs }) => matchArgs.every(matches))?.matchActions[0]?.action === "Sigkill";

/** As the kernel judges; undefined where a selector has no rule. */
function isDenied(
  judged: readonly SubjectOutcome[],
  matches: (subject: RuleSubject) => boolean,
): boolean | undefined {
  if (judged.some(({ kind }) => kind === "unsupported")) return undefined;
  return judged.some(
    (one) => one.kind === "rule" && one.rule.action.effects.length > 0 && matches(one.rule.subject),
  );
}

/** Compares the verdicts, and sees to it that there were enough to compare. */
function compare<E>(
  written: fc.Arbitrary<Selector[]>,
  toSpec: (written: readonly Selector[]) => object,
  events: readonly E[],
  matchesFilter: (event: E, filter: Filter) => boolean,
  matchesRule: (event: E, subject: RuleSubject) => boolean,
): void {
  const verdicts = { true: 0, false: 0, undefined: 0 };
  fc.assert(
    fc.property(written, (list) => {
      const judged = outcomes(toSpec(list));
      for (const event of events) {
        const denied = isDenied(judged, (subject) => matchesRule(event, subject));
        verdicts[`${denied}`] += 1;
        if (denied === undefined) return;
        expect(denied).toBe(isKilled(list, (filter) => matchesFilter(event, filter)));
      }
    }),
    runs,
  );
  expect(verdicts.true).toBeGreaterThan(runs.numRuns);
  expect(verdicts.false).toBeGreaterThan(runs.numRuns);
}

test("an execution is denied exactly where the policy says so", () => {
  const paths = ["/a", "/a/b", "/a/bc", "/ab", "/b", "/b/a"];
  const prefixes = ["/", "/a", "/a/", "/a/b", "/b/"];
  const filter = fc.oneof(
    fc.record({
      operator: fc.constantFrom("Equal", "NotEqual"),
      values: fc.subarray(paths, { minLength: 1 }),
    }),
    fc.record({
      operator: fc.constantFrom("Prefix", "NotPrefix"),
      values: fc.subarray(prefixes, { minLength: 1 }),
    }),
  );
  const one = (path: string, operator: string, value: string): boolean =>
    operator.endsWith("Equal") ? path === value : path.startsWith(value);
  compare(
    selectors(filter),
    (written) => ({
      lsmhooks: [
        { hook: "bprm_check_security", args: [{ index: 0, type: "linux_binprm" }], selectors: written },
      ],
    }),
    [...paths, "/a/b/c", "/c", "/a/d"],
    (path, { operator, values }) =>
      values.some((value) => one(path, operator, value)) !== operator.startsWith("Not"),
    (path, subject) =>
      subject.kind === "exec" &&
      subject.paths.some((rule) => one(path, rule.match === "exact" ? "Equal" : "Prefix", rule.path)) !==
        subject.isNegated,
  );
});

test("a connection is denied exactly where the policy says so", () => {
  const blocks: ReadonlyMap<string, RegExp> = new Map([
    ["0.0.0.0/0", /\./],
    ["10.0.0.0/8", /^10\./],
    ["10.1.0.0/16", /^10\.1\./],
    ["10.1.2.3", /^10\.1\.2\.3$/],
    ["::/0", /^/],
    ["fd00::/16", /^fd00:/],
  ]);
  const isIn = (address: string, block: string): boolean => blocks.get(block)?.test(address) === true;
  const filter = fc.oneof(
    fc.record({
      operator: fc.constantFrom("SAddr", "NotSAddr"),
      index: fc.constant(1),
      values: fc.subarray([...blocks.keys()], { minLength: 1 }),
    }),
    fc.record({
      operator: fc.constant("SPort"),
      index: fc.constant(1),
      values: fc.subarray(["80", "443", "1:100"], { minLength: 1 }),
    }),
    fc.record({
      operator: fc.constant("Protocol"),
      values: fc.subarray(["IPPROTO_TCP", "IPPROTO_UDP"], { minLength: 1 }),
    }),
    fc.record({
      operator: fc.constant("Family"),
      values: fc.subarray(["AF_INET", "AF_INET6"], { minLength: 1 }),
    }),
  );
  const addresses = ["10.1.2.3", "10.1.9.9", "10.9.9.9", "11.0.0.1", "fd00::1", "fe80::1"];
  const events = addresses.flatMap((address) =>
    [80, 443, 8_080].flatMap((port) =>
      (["stream", "datagram"] as const).map((sockets) => ({ address, port, sockets })),
    ),
  );
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
    events,
    ({ address, port, sockets }, { operator, values }) => {
      switch (operator) {
        case "SPort":
          return values.some((value) => (value === "1:100" ? port <= 100 : port === Number(value)));
        case "Protocol":
          return values.includes(sockets === "stream" ? "IPPROTO_TCP" : "IPPROTO_UDP");
        case "Family":
          return values.includes(address.includes(":") ? "AF_INET6" : "AF_INET");
        default:
          return values.some((value) => isIn(address, value)) !== (operator === "NotSAddr");
      }
    },
    (event, subject) =>
      subject.kind === "connect" &&
      subject.addresses.some((block) => isIn(event.address, block)) !== subject.isNegated &&
      (subject.ports.length === 0 || subject.ports.includes(event.port)) &&
      (subject.sockets === "all" || subject.sockets === event.sockets),
  );
});
