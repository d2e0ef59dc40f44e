// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseTracepointFormat } from "./tracepoint-format.ts";

test("fields have their order and place, and arrays are told apart", () => {
  const text = `name: made_up
ID: 300
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:char comm[16];	offset:8;	size:16;	signed:0;
	field:const char * name;	offset:24;	size:8;	signed:0;
	field:__data_loc char[] filename;	offset:32;	size:4;	signed:1;

print fmt: "field:int no; offset:1; %s", REC->comm
`;
  expect(parseTracepointFormat(text)).toEqual([
    { offset: 0, size: 2, isSigned: false, content: "value" },
    { offset: 4, size: 4, isSigned: true, content: "value" },
    { offset: 8, size: 16, isSigned: false, content: "array" },
    { offset: 24, size: 8, isSigned: false, content: "value" },
    { offset: 32, size: 4, isSigned: true, content: "location" },
  ]);
});

test("text without fields has none", () => {
  expect(parseTracepointFormat("")).toEqual([]);
});
