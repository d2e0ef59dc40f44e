// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { at, call, exec, filter, filtersOf, select, socket, syscall, tcp } from "./written-policy.fixture.ts";

const number = (type: string, operator: string, ...values: readonly string[]) =>
  filtersOf(syscall("sys_a", [type], select(filter(operator, ...values))));
const set = (values: readonly bigint[], isNegated = false) => ({
  numbers: [{ facet: "arg0", values, isNegated }],
});
const compare = (operator: string, values: readonly bigint[], isSigned: boolean) => ({
  comparisons: [{ facet: "arg0", operator, isSigned, values }],
});

describe("a number", () => {
  test.each([
    ["decimal", number("int", "Equal", "12", "-100"), set([12n, -100n])],
    ["hexadecimal", number("uint32", "Equal", "0xffffffff"), set([0xffff_ffffn])],
    ["octal", number("int", "Equal", "0644", "0o17"), set([0o644n, 0o17n])],
    ["binary", number("int", "Equal", "0b101"), set([5n])],
    ["of 64 bits", number("uint64", "Equal", "18446744073709551615"), set([(1n << 64n) - 1n])],
    ["the smallest", number("int64", "Equal", "-9223372036854775808"), set([-(1n << 63n)])],
    ["not equal", number("int", "NotEqual", "1"), set([1n], true)],
    ["in a map, with a range", number("int", "InMap", "7", "1:3"), set([7n, 1n, 2n, 3n])],
    ["not in a map", number("int", "NotInMap", "7"), set([7n], true)],
    ["in a long range", number("int", "InMap", "1:2000", "7"), compare("inRange", [1n, 2000n, 7n, 7n], true)],
    ["greater than any of two", number("int", "GT", "5", "3"), compare("gt", [3n], true)],
    ["less than any of two", number("uint32", "LessThan", "5", "3"), compare("lt", [5n], false)],
    ["with any of the bits", number("int", "Mask", "64", "1", "2"), compare("mask", [67n], true)],
    [
      "in ranges",
      number("int", "InRange", "-5:5", "0x10:0x20"),
      compare("inRange", [-5n, 5n, 16n, 32n], true),
    ],
    ["not in a range", number("uint64", "NotInRange", "1:2"), compare("notInRange", [1n, 2n], false)],
  ])("%s", (_, found, expected) => {
    expect<unknown>(found).toEqual(expected);
  });

  test("of a capability has its name", () => {
    const capable = (...values: readonly string[]) =>
      filtersOf(call("cap_capable", ["nop", "nop", "capability"], select(at(2, filter("Equal", ...values)))));
    expect<unknown>(capable("CAP_SYS_ADMIN", "cap_chown", "39")).toEqual(set([21n, 0n, 39n]));
  });
});

describe("a text", () => {
  const text = (operator: string, ...values: readonly string[]) =>
    filtersOf(call("a", ["string"], select(filter(operator, ...values))));
  const texts = (match: string, isNegated: boolean, ...values: readonly string[]) => ({
    texts: [{ facet: "arg0", match, isNegated, values }],
  });
  test.each([
    ["Equal", texts("exact", false, "a")],
    ["NotEqual", texts("exact", true, "a")],
    ["Prefix", texts("prefix", false, "a")],
    ["NotPrefix", texts("prefix", true, "a")],
    ["Postfix", texts("postfix", false, "a")],
    ["NotPostfix", texts("postfix", true, "a")],
  ])("%s", (operator, expected) => {
    expect<unknown>(text(operator, "a", "a")).toEqual(expected);
  });

  test("may end with the zero of C", () => {
    expect<unknown>(text("Equal", "a\0")).toEqual(texts("exact", false, "a"));
  });

  test("of an open file is its path", () => {
    const spec = syscall("sys_write", ["fd"], select(filter("Prefix", "/etc/")));
    expect<unknown>(filtersOf(spec)).toEqual(texts("prefix", false, "/etc/"));
    expect<unknown>(filtersOf(syscall("sys_write", ["fd"], select(filter("LT", "3"))))).toEqual(
      compare("lt", [3n], true),
    );
  });

  test("several filters on one stay several", () => {
    const spec = exec(select(filter("Prefix", "/usr/"), filter("NotEqual", "/usr/bin/ls")));
    expect<unknown>(filtersOf(spec)).toEqual({
      texts: [
        { facet: "arg0", match: "prefix", isNegated: false, values: ["/usr/"] },
        { facet: "arg0", match: "exact", isNegated: true, values: ["/usr/bin/ls"] },
      ],
    });
  });
});

describe("a socket", () => {
  const tcpOnly = { facet: "protocol", values: [6n], isNegated: false };
  const port = (facet: string, isNegated: boolean, ...values: readonly bigint[]) => ({
    numbers: [{ facet, values, isNegated }],
  });
  const address = (facet: string, isNegated: boolean, ...blocks: readonly string[]) => ({
    addresses: [{ facet, blocks, isNegated }],
  });
  test.each([
    ["DAddr", tcp(select(filter("DAddr", "10.0.0.1", "fd00::/8")))],
    ["NotDAddr", tcp(select(filter("NotDAddr", "10.0.0.1", "fd00::/8")))],
  ])("%s of a TCP connection", (operator, spec) => {
    expect<unknown>(filtersOf(spec)).toEqual({
      numbers: [tcpOnly],
      ...address("destination", operator.startsWith("Not"), "10.0.0.1", "fd00::/8"),
    });
  });

  const sock = (operator: string, ...values: readonly string[]) =>
    filtersOf(call("tcp_close", ["sock"], select(filter(operator, ...values))));
  const privileged = (facet: string, operator: string) => ({
    comparisons: [{ facet, operator, isSigned: false, values: [0n, 1023n] }],
  });
  test.each([
    ["SAddr", sock("SAddr", "10.0.0.1"), address("source", false, "10.0.0.1")],
    ["NotSAddr", sock("NotSAddr", "10.0.0.1"), address("source", true, "10.0.0.1")],
    ["DPort", sock("DPort", "80", "8080:8081"), port("destinationPort", false, 80n, 8080n, 8081n)],
    ["NotDPort", sock("NotDPort", "80"), port("destinationPort", true, 80n)],
    ["SPort", sock("SPort", "80"), port("sourcePort", false, 80n)],
    ["NotSPort", sock("NotSPort", "80"), port("sourcePort", true, 80n)],
    ["DPortPriv", sock("DPortPriv"), privileged("destinationPort", "inRange")],
    ["NotDPortPriv", sock("NotDPortPriv"), privileged("destinationPort", "notInRange")],
    ["SPortPriv", sock("SPortPriv"), privileged("sourcePort", "inRange")],
    ["NotSportPriv", sock("NotSportPriv"), privileged("sourcePort", "notInRange")],
    ["Protocol", sock("Protocol", "IPPROTO_TCP", "17"), port("protocol", false, 6n, 17n)],
    ["Family", sock("Family", "AF_INET", "10"), port("family", false, 2n, 10n)],
    ["State", sock("State", "TCP_LISTEN"), port("socketState", false, 10n)],
  ])("%s", (_, found, expected) => {
    expect<unknown>(found).toEqual(expected);
  });

  test.each(["SAddr", "DAddr"])(
    "an address of its own is the destination of a connection: %s",
    (operator) => {
      expect<unknown>(filtersOf(socket(select(at(1, filter(operator, "10.0.0.1")))))).toEqual(
        address("destination", false, "10.0.0.1"),
      );
    },
  );

  test("an address of its own is the source of a bind", () => {
    const spec = call("security_socket_bind", ["socket", "sockaddr"], select(at(1, filter("SPort", "80"))));
    expect<unknown>(filtersOf(spec)).toEqual(port("sourcePort", false, 80n));
  });
});
