// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createContainerSpec } from "../../../tests/harness/bundle.ts";
import { removeCgroup } from "../../../tests/harness/cgroup.ts";
import { containerdAnnotations } from "../../../tests/harness/hook.ts";
import { runProcess, startProcess } from "../../../tests/harness/process.ts";
import { findHook, findTool } from "../../../tests/harness/programs.ts";
import { type Action, judge, type Window } from "./attempt-log.ts";
import { paths, podLabels, targets } from "./policies.ts";
import type { Stage } from "./stage.ts";

export interface ContainerOptions {
  readonly action: Action;
  /** Flags of the hook that holds it; undefined: it has no hook. */
  readonly hookFlags: readonly string[] | undefined;
  readonly namespace?: string;
  /** Its own end, where it is not stopped. */
  readonly boundMs: number;
}

export interface StartedContainer {
  /** It has written its first attempt, or has ended. */
  readonly seen: Promise<void>;
  /** As the kubelet does: the API server has the running container from now on. */
  reportRunning(): void;
  readonly ended: Promise<Window>;
}

/** Microseconds between two attempts. */
const pauseUs = 1_000;
/** Milliseconds for which a container goes on after the first refused attempt. */
const stayMs = 200;

let count = 0;

/** A container of runc, of a pod of its own, which the API server has had since before. */
export function startContainer(stage: Stage, options: ContainerOptions): StartedContainer {
  const { workspace, api, control, rootfs, cgroupParent } = stage;
  const { action, hookFlags, namespace = "shop", boundMs } = options;
  const uid = crypto.randomUUID();
  const id = uid.replaceAll("-", "").repeat(2);
  const name = `web-${++count}`;
  const pod = { uid, name, namespace, labels: podLabels };
  api.put(pod);
  const bundle = workspace.path(id);
  const outDir = `${bundle}/out`;
  mkdirSync(outDir, { recursive: true });
  const program = action === "exec" ? paths.forbidden : paths.allowed;
  const spec = createContainerSpec({
    ...{ script: "", rootfs, outDir, cgroupsPath: `${cgroupParent}/pod${uid}/${id}` },
    args: [program, action, targets[action], String(pauseUs), String(boundMs), String(stayMs)],
    annotations: containerdAnnotations({ uid, namespace, name }),
    hooks:
      hookFlags === undefined
        ? {}
        : {
            createRuntime: [
              {
                path: findHook(),
                args: [
                  ...["tetragon-oci-hook", "createRuntime", "--grpc-address", `unix://${control.socketPath}`],
                  ...["--log-fname", workspace.path("hook.log"), ...hookFlags],
                ],
              },
            ],
          },
  });
  writeFileSync(`${bundle}/config.json`, JSON.stringify(spec));
  const runc = [findTool("runc"), "--root", workspace.path("runc")];
  let see = (): void => {};
  const seen = new Promise<void>((resolve) => {
    see = resolve;
  });
  const running = startProcess(
    [...runc, "run", "--bundle", bundle, id],
    { killAfterMs: 120_000, onStdout: () => see() },
    workspace,
  );
  return {
    seen,
    reportRunning: () => api.put({ ...pod, containers: [{ id, name: "app", image: "web:1" }] }),
    ended: running.exited.then(async (result) => {
      see();
      const window = judge(action, result);
      if (window.end === "not-started") await runProcess([...runc, "delete", "--force", id]);
      removeCgroup(`${cgroupParent}/pod${uid}`);
      rmSync(bundle, { recursive: true });
      api.delete(uid);
      return window;
    }),
  };
}
