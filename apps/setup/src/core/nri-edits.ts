// SPDX-License-Identifier: Apache-2.0
// The edits that enable and disable containerd's NRI, in the deciding files.

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
import { DEFAULT_NRI_SOCKET } from "./default-paths.ts";
import type { EnableNri, PlannedEdit } from "./patch.ts";

/** The error is one line. */
type Planned = Result<readonly PlannedEdit[], string>;

/** The table that `containerd config default` prints, with NRI enabled. */
export const nriDefaults: readonly (readonly [string, string | boolean])[] = [
  ["disable", false],
  ["disable_connections", false],
  ["plugin_config_path", "/etc/nri/conf.d"],
  ["plugin_path", "/opt/nri/plugins"],
  ["plugin_registration_timeout", "5s"],
  ["plugin_request_timeout", "2s"],
  ["socket_path", DEFAULT_NRI_SOCKET],
];

/** A DNS name, so that it remains an annotation key when NRI appends a scope after a slash. */
const TOLERATION_ANNOTATION = "tolerate-missing-plugins.rthooks.v1";

export function planEnableNri(
  layers: ContainerdLayers,
  main: ConfigDocument,
  { requirePlugin, containerdVersion }: EnableNri,
): Planned {
  const edits: PlannedEdit[] = layers.documents.flatMap((document) =>
    [...new Set(layers.disabledIn("nri", document))].map((text): PlannedEdit => {
      return { path: document.path, edit: { kind: "drop", table: [], key: "disabled_plugins", text } };
    }),
  );
  if (layers.contributors("nri").length === 0) {
    edits.push(toSet(layers, main, [], nriDefaults));
  } else {
    const { document, value } = findDecision(layers, ["disable"], main);
    if (value !== false) edits.push(toSet(layers, document, [], [["disable", false]]));
    const connections = findDecision(layers, ["disable_connections"], main);
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
  if (layers.documents.some((document) => layers.disabledIn("nri", document).length > 0)) return [];
  const { document, value } = findDecision(layers, ["disable"], main);
  return value === true ? [] : [toSet(layers, document, [], [["disable", true]])];
}

const VALIDATOR = "default_validator";

function planValidator(
  layers: ContainerdLayers,
  main: ConfigDocument,
  requirePlugin: string,
): readonly PlannedEdit[] {
  const edits: PlannedEdit[] = [];
  const enable = findDecision(layers, [VALIDATOR, "enable"], main);
  if (enable.value !== true) edits.push(toSet(layers, enable.document, [VALIDATOR], [["enable", true]]));
  const key = "required_plugins";
  // The list of a later file replaces the list of an earlier one.
  const required = findDecision(layers, [VALIDATOR, key], main);
  if (!textsOf(required.value).includes(requirePlugin)) {
    const table = [...tablePath(layers, required.document), VALIDATOR];
    edits.push({
      path: required.document.path,
      edit: { kind: "add", table, key, texts: [requirePlugin] },
    });
  }
  const annotation = "tolerate_missing_plugins_annotation";
  const toleration = findDecision(layers, [VALIDATOR, annotation], main);
  if (typeof toleration.value !== "string" || toleration.value === "") {
    edits.push(toSet(layers, toleration.document, [VALIDATOR], [[annotation, TOLERATION_ANNOTATION]]));
  }
  return edits;
}

interface Decision {
  readonly document: ConfigDocument;
  /** In that file; undefined if no file sets it. */
  readonly value: unknown;
}

/** The deciding file of a key of the NRI table; if no file sets the key, the file in which to set it. */
function findDecision(layers: ContainerdLayers, keys: readonly string[], main: ConfigDocument): Decision {
  const documents = layers.contributors("nri");
  const valueIn = (document: ConfigDocument): unknown =>
    findValue(layers.tableIn("nri", document) ?? {}, keys);
  const document = documents.findLast((one) => valueIn(one) !== undefined);
  if (document !== undefined) return { document, value: valueIn(document) };
  const last = documents.at(-1);
  const isMain = last === undefined || documents.includes(main);
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

/** Whether NRI is enabled for plugins, and the validator requires `requirePlugin` if that is set. */
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
  layers.documents.some((document) => layers.disabledIn("nri", document).length > 0);
