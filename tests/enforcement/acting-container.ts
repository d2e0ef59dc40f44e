// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { findHook } from "../harness/programs.ts";
import type { Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import type { Workspace } from "../harness/workspace.ts";

export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** What became of the first act. */
interface Act {
  /** "done", or why not. */
  readonly outcome: string;
  readonly exitCode: number | null;
}

export interface ActingContainers {
  /** A container whose first and only act is to execute /forbidden/touch. */
  execute(pod: Pod): Promise<Act>;
  /** One whose first act is a connection to this address. */
  connect(pod: Pod, address: string): Promise<Act>;
  /** One that goes on while `work` runs, which can execute /forbidden/touch in its cgroup. */
  keepRunning(pod: Pod, work: (attempt: () => Promise<"done" | "killed">) => Promise<void>): Promise<void>;
}

let count = 0;

/** Real containers of runc that the built hook holds. */
export function createActingContainers(
  workspace: Workspace,
  runc: Runc,
  agentAddress: string,
): ActingContainers {
  const create = (pod: Pod, args: readonly string[]): Bundle => {
    const id = `act-${++count}-${workspace.tag}`;
    const bundle = createBundle(workspace, {
      id,
      cgroupsPath: `${runc.cgroupParent}/pod${pod.uid}/${id}`,
      annotations: containerdAnnotations({ ...pod, container: "app" }),
      script: "",
      hooks: {
        createRuntime: [
          {
            path: findHook(),
            args: [
              ...["tetragon-oci-hook", "createRuntime", "--grpc-address", agentAddress],
              ...["--log-fname", workspace.path("hook.log")],
            ],
          },
        ],
      },
    });
    const rootFs = join(bundle.dir, "rootfs");
    mkdirSync(join(rootFs, "forbidden"));
    copyFileSync("/bin/busybox", join(rootFs, "forbidden", "touch"));
    symlinkSync("busybox", join(rootFs, "bin", "nc"));
    const path = join(bundle.dir, "config.json");
    const spec = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...spec, process: { ...spec.process, args } }));
    return bundle;
  };
  const run = async (pod: Pod, args: readonly string[]) => {
    const bundle = create(pod, args);
    return { ...(await runc.run(bundle)), hasMark: existsSync(join(bundle.outDir, "mark")) };
  };
  return {
    async execute(pod) {
      const { exitCode, stderr, hasMark } = await run(pod, ["/forbidden/touch", "/out/mark"]);
      const outcome = hasMark ? "done" : /permission denied/i.test(stderr) ? "EPERM" : "killed";
      return { outcome, exitCode };
    },
    async connect(pod, address) {
      const { exitCode, stderr } = await run(pod, ["/bin/nc", "-w", "5", address, "9"]);
      const isDenied = stderr.includes("Operation not permitted");
      // Nothing listens there: the refusal comes from the address itself.
      const outcome = stderr.includes("Connection refused") ? "done" : isDenied ? "EPERM" : stderr;
      return { outcome, exitCode };
    },
    async keepRunning(pod, work) {
      const bundle = create(pod, ["/bin/sh", "-c", `${firstActScript}; ${attemptsScript}`]);
      const running = runc.start(bundle);
      await waitForFirstAct(running, bundle.outDir);
      const at = (name: string): string => join(bundle.outDir, name);
      let attempts = 0;
      await work(async () => {
        const mark = `${++attempts}`;
        writeFileSync(at("go"), `${mark}\n`);
        await waitFor("the attempt's end", () => existsSync(at(`ended-${mark}`)));
        return existsSync(at(`mark-${mark}`)) ? "done" : "killed";
      });
      writeFileSync(at("end"), "");
      await running.exited;
    },
  };
}

/** At each new number in /out/go the forbidden file is executed once. */
const attemptsScript = [
  "while [ ! -e /out/end ]",
  "do read -r mark </out/go 2>/dev/null",
  `if [ -n "$mark" ] && [ ! -e /out/ended-$mark ]`,
  "then /forbidden/touch /out/mark-$mark",
  "echo >/out/ended-$mark",
  "fi",
  "sleep 0.01",
  "done",
].join("\n");
