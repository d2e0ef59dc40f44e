// SPDX-License-Identifier: Apache-2.0
// The changes that switch containerd's NRI on and off, in the files that decide on it.

import { err, ok, type Result } from "@rthooks/result";
import {
  type ConfigDocument,
  type ContainerdLayers,
  findValue,
  hasValidator,
  isTable,
  textsOf,
} from "@rthooks/runtime-config";
import type { TomlEdit } from "@rthooks/toml";

/** What is to be done in which file. */
export interface PlannedEdit {
  readonly path: string;
  readonly edit: TomlEdit;
}

/** The error is a sentence for people. */
type Planned = Result<readonly PlannedEdit[], string>;

/** The table that containerd's own `config default` writes, switched on. */
export const nriDefaults: readonly (readonly [string, string | boolean])[] = [
  ["disable", false],
  ["disable_connections", false],
  ["plugin_config_path", "/etc/nri/conf.d"],
  ["plugin_path", "/opt/nri/plugins"],
  ["plugin_registration_timeout", "5s"],
  ["plugin_request_timeout", "2s"],
  ["socket_path", "/var/run/nri/nri.sock"],
];

/** A DNS name, so that the forms with a scope behind a slash are annotation keys too. */
const TOLERATION_ANNOTATION = "tolerate-missing-plugins.rthooks.v1";

export interface EnableNri {
  /** No container starts on a node without this plugin. */
  readonly requirePlugin: string | undefined;
  /** "2.2.0"; undefined where it is not known. */
  readonly containerdVersion: string | undefined;
}

export function planEnableNri(
  layers: ContainerdLayers,
  main: ConfigDocument,
  { requirePlugin, containerdVersion }: EnableNri,
): Planned {
  const edits: PlannedEdit[] = layers.documents.flatMap((document) =>
    [...new Set(layers.disabling("nri", document))].map((text): PlannedEdit => {
      return { path: document.path, edit: { kind: "drop", table: [], key: "disabled_plugins", text } };
    }),
  );
  const holders = layers.holdersOf("nri");
  if (holders.length === 0) {
    edits.push(toSet(layers, main, [], nriDefaults));
  } else {
    const { document, value } = findDecider(layers, ["disable"], main);
    if (value !== false) edits.push(toSet(layers, document, [], [["disable", false]]));
    const connections = findDecider(layers, ["disable_connections"], main);
    if (connections.value === true) {
      edits.push(toSet(layers, connections.document, [], [["disable_connections", false]]));
    }
  }
  if (requirePlugin === undefined) return ok(edits);
  if (containerdVersion === undefined) {
    return err("--require-plugin needs containerd 2.2 or later: set --containerd-version");
  }
  if (hasValidator(containerdVersion) !== true) {
    return err(
      `containerd ${containerdVersion} cannot require a plugin, 2.2 and later can: without --require-plugin, ` +
        "containers start without being held while the plugin is not connected",
    );
  }
  return ok([...edits, ...planValidator(layers, main, requirePlugin)]);
}

export function planDisableNri(layers: ContainerdLayers, main: ConfigDocument): readonly PlannedEdit[] {
  if (layers.documents.some((document) => layers.disabling("nri", document).length > 0)) return [];
  const { document, value } = findDecider(layers, ["disable"], main);
  return value === true ? [] : [toSet(layers, document, [], [["disable", true]])];
}

const VALIDATOR = "default_validator";

function planValidator(
  layers: ContainerdLayers,
  main: ConfigDocument,
  requirePlugin: string,
): readonly PlannedEdit[] {
  const edits: PlannedEdit[] = [];
  const enable = findDecider(layers, [VALIDATOR, "enable"], main);
  if (enable.value !== true) edits.push(toSet(layers, enable.document, [VALIDATOR], [["enable", true]]));
  const key = "required_plugins";
  // The list of a later file replaces that of an earlier one.
  const required = findDecider(layers, [VALIDATOR, key], main);
  if (!textsOf(required.value).includes(requirePlugin)) {
    const table = [...tablePath(layers, required.document), VALIDATOR];
    edits.push({
      path: required.document.path,
      edit: { kind: "add", table, key, texts: [requirePlugin] },
    });
  }
  const annotation = "tolerate_missing_plugins_annotation";
  const toleration = findDecider(layers, [VALIDATOR, annotation], main);
  if (typeof toleration.value !== "string" || toleration.value === "") {
    edits.push(toSet(layers, toleration.document, [VALIDATOR], [[annotation, TOLERATION_ANNOTATION]]));
  }
  return edits;
}

interface Decider {
  readonly document: ConfigDocument;
  /** In that file; undefined where no file has one. */
  readonly value: unknown;
}

/** The file whose value is in force; where none has one, the file in which a value would be. */
function findDecider(layers: ContainerdLayers, keys: readonly string[], main: ConfigDocument): Decider {
  const holders = layers.holdersOf("nri");
  const valueIn = (document: ConfigDocument): unknown =>
    findValue(layers.tableIn("nri", document) ?? {}, keys);
  const document = holders.findLast((holder) => valueIn(holder) !== undefined);
  if (document !== undefined) return { document, value: valueIn(document) };
  const last = holders.at(-1);
  const isMain = last === undefined || holders.includes(main);
  return { document: isMain ? main : last, value: undefined };
}

const tablePath = (layers: ContainerdLayers, document: ConfigDocument): readonly string[] => [
  "plugins",
  layers.nameOf("nri", document),
];

function toSet(
  layers: ContainerdLayers,
  document: ConfigDocument,
  below: readonly string[],
  entries: Extract<TomlEdit, { kind: "set" }>["entries"],
): PlannedEdit {
  const table = [...tablePath(layers, document), ...below];
  return { path: document.path, edit: { kind: "set", table, entries } };
}

/** Whether plugins can connect, and whether the required one is required. */
export function isNriOn(layers: ContainerdLayers, requirePlugin: string | undefined): boolean {
  const nri = layers.effective("nri");
  const validator = nri[VALIDATOR];
  const isRequired =
    requirePlugin === undefined ||
    (isTable(validator) &&
      validator["enable"] === true &&
      textsOf(validator["required_plugins"]).includes(requirePlugin));
  return isRequired && nri["disable"] === false && nri["disable_connections"] !== true && !isDisabled(layers);
}

export const isNriOff = (layers: ContainerdLayers): boolean =>
  layers.effective("nri")["disable"] === true || isDisabled(layers);

const isDisabled = (layers: ContainerdLayers): boolean =>
  layers.documents.some((document) => layers.disabling("nri", document).length > 0);
