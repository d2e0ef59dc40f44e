// SPDX-License-Identifier: Apache-2.0
// A node's root directory for tests, and the output of commands on it.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createLogWriter } from "@rthooks/log";
import type { Command } from "../../core/command.ts";

export interface NodeRoot {
  readonly root: string;
  write(path: string, text: string, mode?: number): void;
  link(path: string, target: string): void;
  listen(path: string): Promise<void>;
  close(): void;
}

export function createNodeRoot(): NodeRoot {
  const root = mkdtempSync(join(tmpdir(), "node-"));
  const servers: Server[] = [];
  const place = (path: string): string => {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    return at;
  };
  return {
    root,
    write: (path, text, mode = 0o644) => writeFileSync(place(path), text, { mode }),
    link: (path, target) => symlinkSync(target, place(path)),
    async listen(path) {
      const server = createServer();
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(place(path), resolve));
    },
    close() {
      for (const server of servers) server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
}

export async function runCommand(command: Command, argv: readonly string[]): Promise<CommandResult> {
  let stdout = "";
  const code = await command.run(argv, {
    version: "test",
    log: createLogWriter(process.stderr.fd, "text", "error"),
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stdout += text;
    },
  });
  return { code, stdout };
}
