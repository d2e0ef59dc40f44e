// SPDX-License-Identifier: Apache-2.0
// `make demo`: a real runc container is held until the agent has it on record; a denied and an allowed one follow.
// Exits non-zero if one of its statements is false.
import { writeFileSync } from "node:fs";
import { styleText } from "node:util";
import { type Agent, startAgent } from "../tests/harness/agent.ts";
import type { Bundle } from "../tests/harness/bundle.ts";
import { findCgroupDirectories, readCgroupId } from "../tests/harness/cgroup.ts";
import { hasWritten, readCommands, waitForFirstAct } from "../tests/harness/first-act.ts";
import { createHeldBundle } from "../tests/harness/held-bundle.ts";
import { readLog } from "../tests/harness/records.ts";
import { createRunc, type Runc } from "../tests/harness/runc.ts";
import { waitFor } from "../tests/harness/wait.ts";
import { createWorkspace, type Workspace } from "../tests/harness/workspace.ts";

/** How long the agent sleeps so that a person sees that nothing runs meanwhile. */
const holdMs = 1_500;
const pod = { uid: "c0ffee00-1234-4abc-8def-0123456789ab", namespace: "shop", name: "web-0" };

const paint = (style: "bold" | "green" | "dim", text: string) =>
  process.stdout.isTTY ? styleText(style, text) : text;
const say = (text = "") => console.log(text);
const step = (text: string) => say(`\n${paint("bold", text)}`);
const show = (text: string) => say(text.trimEnd().replace(/^/gm, "      "));

let stepStartMs = 0;
/** A line with the time since its step began. */
function tell(text: string): void {
  const ms = (performance.now() - stepStartMs).toFixed(0).padStart(6);
  say(`${paint("dim", `${ms} ms`)}   ${text}`);
}

function mustBe(fact: boolean, what: string): void {
  if (!fact) throw new Error(`false: ${what}`);
  tell(`${paint("green", "ok")} ${what}`);
}

interface Stage {
  readonly workspace: Workspace;
  readonly runc: Runc;
  readonly address: string;
}

function createContainer(stage: Stage, name: string, namespace: string, flags: readonly string[]): Bundle {
  const { workspace, runc, address } = stage;
  return createHeldBundle(workspace, runc, {
    ...{ id: `${name}-${workspace.tag}`, pod: { ...pod, namespace }, container: name },
    ...{ agentAddress: address, hookLog: workspace.path(`${name}.log`), hookFlags: flags },
  });
}

const logWords = (stage: Stage, name: string) =>
  readLog(stage.workspace.path(`${name}.log`)).map(({ level, msg, err }) =>
    err === undefined ? `${level} ${msg}` : `${level} ${msg}: ${err}`,
  );

async function holdAndRelease(stage: Stage, agent: Agent): Promise<void> {
  const bundle = createContainer(stage, "app", pod.namespace, []);
  stepStartMs = performance.now();
  agent.process.signal("SIGSTOP");
  tell("the agent is stopped (SIGSTOP), so its answer cannot come yet");
  const running = stage.runc.start(bundle);
  tell("runc run app");
  await waitFor("runc makes the container's cgroup", () => readCommands(bundle.cgroupsPath).length > 0);
  tell(`runc has made the cgroup ${bundle.cgroupsPath} and calls the hook`);
  const until = performance.now() + holdMs;
  while (performance.now() < until) {
    if (hasWritten(bundle.outDir)) throw new Error("the container ran before the agent's answer");
    await Bun.sleep(20);
  }
  const inside = [...new Set(readCommands(bundle.cgroupsPath))];
  mustBe(
    inside.every((name) => name.startsWith("runc")) && !hasWritten(bundle.outDir),
    `HELD for ${holdMs} ms: its only process is runc's own stub (${inside.join(", ")}); it has not written a file`,
  );
  agent.process.signal("SIGCONT");
  const resumedMs = performance.now();
  tell("the agent goes on (SIGCONT)");
  await waitForFirstAct(running, bundle.outDir);
  const wroteMs = performance.now() - resumedMs;
  const known = (await agent.containers()).find(({ podUid }) => podUid === pod.uid);
  mustBe(
    known?.state === "released",
    `IDENTIFIED: ${known?.podNamespace}/${known?.podName}, container ${known?.name}`,
  );
  mustBe(
    known?.podLabels.get("app") === "web",
    `with the labels of the pods file: ${[...(known?.podLabels ?? [])].map((pair) => pair.join("=")).join(", ")}`,
  );
  mustBe(
    known?.cgroupId === readCgroupId(bundle.cgroupsPath),
    `and the kernel's id of its cgroup: ${known?.cgroupId}`,
  );
  mustBe(
    hasWritten(bundle.outDir),
    `RELEASED: its first write came ${wroteMs.toFixed(0)} ms after the agent went on`,
  );
  say("\n      what `tetragon status` shows:");
  const status = await agent.status();
  show(status.stdout);
  mustBe(status.exitCode === 0 && status.stdout.includes(pod.name), "`tetragon status` lists it");
  say("\n      what the hook logged:");
  show(logWords(stage, "app").join("\n"));
  writeFileSync(`${bundle.outDir}/end`, "");
  mustBe((await running.exited).exitCode === 0, "the container ended by itself, exit code 0");
}

async function deny(stage: Stage): Promise<void> {
  const bundle = createContainer(stage, "denied", pod.namespace, ["--grpc-timeout", "1s"]);
  stepStartMs = performance.now();
  tell("runc run denied   (namespace shop, --grpc-timeout 1s)");
  const { exitCode, stderr } = await stage.runc.run(bundle);
  mustBe(
    exitCode !== 0 && !hasWritten(bundle.outDir),
    `DENIED: runc ended with ${exitCode}, the container never ran`,
  );
  mustBe(!(await stage.runc.knows(bundle.id)), "runc does not list the container any more");
  mustBe(findCgroupDirectories(bundle.cgroupsPath).length === 0, "its cgroup is gone");
  mustBe(stderr.includes("failing container"), "runc shows the hook's message:");
  show(/failing container[^"\\]*/.exec(stderr)?.[0] ?? stderr);
}

async function allow(stage: Stage): Promise<void> {
  const bundle = createContainer(stage, "allowed", "kube-system", []);
  stepStartMs = performance.now();
  tell("runc run allowed   (namespace kube-system)");
  const running = stage.runc.start(bundle);
  await waitForFirstAct(running, bundle.outDir);
  mustBe(true, "ALLOWED: it runs without an answer of an agent");
  writeFileSync(`${bundle.outDir}/end`, "");
  mustBe((await running.exited).exitCode === 0, "the container ended by itself, exit code 0");
  show(logWords(stage, "allowed").join("\n"));
}

const workspace = createWorkspace("demo");
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void workspace.close().finally(() => process.exit(130)));
}
try {
  const runc = createRunc(workspace);
  const podsFile = workspace.path("pods.json");
  const metadata = { ...pod, labels: { app: "web" } };
  writeFileSync(podsFile, JSON.stringify({ kind: "List", items: [{ kind: "Pod", metadata }] }));

  step("1. The agent starts");
  stepStartMs = performance.now();
  const agent = await startAgent(workspace, { podsFile });
  tell(`tetragon listens on ${agent.address}`);
  tell(`it has read one pod from ${podsFile}: ${pod.namespace}/${pod.name}, app=web`);
  const stage = { workspace, runc, address: agent.address };

  step("2. A container of that pod: held, identified, released");
  await holdAndRelease(stage, agent);

  step("3. The agent stops; another container of the pod must not start");
  mustBe((await agent.stop()).exitCode === 0, "the agent ended after SIGTERM");
  await deny(stage);

  step("4. Still no agent; a container of the agent's own namespace may start");
  await allow(stage);

  say(`\n${paint("green", "Every statement held.")} Everything is cleaned up.`);
} catch (failure) {
  console.error(`\nThe demo failed: ${failure instanceof Error ? failure.message : String(failure)}`);
  process.exitCode = 1;
} finally {
  await workspace.close();
}
