// SPDX-License-Identifier: Apache-2.0
// What a broken runtime, a pod author or a bad disk could put before the hook.
import fc from "fast-check";

const nasty = fc.constantFrom(
  ...[
    "",
    " ",
    "/",
    ".",
    "..",
    "../../..",
    "/../etc",
    "//",
    ":",
    "::",
    "a:b",
    "a:b:c:d",
    "-.slice:x:y",
    "\u0000",
  ],
  ...["__proto__", "constructor", "toString", "null", "undefined", "NaN", "\ud800", "\u202e", "\r\n", "%s%n"],
  ...["/kubepods/../../x", "a/b\u0000c", "x".repeat(5_000), "kubepods-pod_.slice:cri-containerd:id", "💥"],
);
const text = fc.oneof(nasty, fc.string(), fc.string({ unit: "binary", maxLength: 40 }));
const value = fc.oneof(
  { weight: 3, arbitrary: text },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  fc.constantFrom(null, true, false, 0, -1, 1e308, [], {}, [[]], { a: 1 }),
);
const orOther = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary }, value);

const annotationKey = fc.oneof(
  fc.constantFrom(
    ...[
      "io.kubernetes.cri.sandbox-namespace",
      "io.kubernetes.cri.sandbox-uid",
      "io.kubernetes.cri.container-type",
    ],
    ...["io.kubernetes.pod.namespace", "io.kubernetes.pod.uid", "io.container.manager"],
    ...["io.kubernetes.cri-o.ContainerID", "io.kubernetes.container.name", "kubernetes.io/config.hash"],
  ),
  text,
);
const annotations = orOther(fc.dictionary(annotationKey, orOther(text), { maxKeys: 8 }));

const spec = fc.record(
  {
    ociVersion: value,
    root: orOther(fc.record({ path: orOther(text) })),
    linux: orOther(fc.record({ cgroupsPath: orOther(text), namespaces: value })),
    annotations,
    mounts: orOther(
      fc.array(
        fc.record(
          {
            destination: orOther(text),
            type: value,
            source: orOther(text),
            options: orOther(fc.array(value)),
          },
          { requiredKeys: [] },
        ),
        { maxLength: 4 },
      ),
    ),
  },
  { requiredKeys: [] },
);

const goodSpec = JSON.stringify({
  ociVersion: "1.0.2",
  root: { path: "rootfs" },
  annotations: { "io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.sandbox-uid": "u-1" },
  linux: { cgroupsPath: "/kubepods/besteffort/podu-1/c1" },
  mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["ro"] }],
});

/** Some bytes of a good text replaced, lost or doubled. */
function mutate(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.nat(good.length),
    remove: fc.nat(20),
    insert: fc.uint8Array({ maxLength: 12 }),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
    let bytes = Buffer.from(good);
    for (const { at, remove, insert } of edits) {
      bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
    }
    return new Uint8Array(bytes);
  });
}

const encode = (document: unknown) => new TextEncoder().encode(JSON.stringify(document));
const goodBytes = new TextEncoder().encode(goodSpec);

export const specBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: spec.map(encode) },
  { weight: 3, arbitrary: mutate(goodBytes) },
  { weight: 1, arbitrary: fc.nat(goodBytes.length).map((length) => goodBytes.slice(0, length)) },
  { weight: 1, arbitrary: fc.json().map((json) => new TextEncoder().encode(json)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
);

/** OCI states; `bundle` is where the generated spec lies. */
export function stateBytes(bundle: string): fc.Arbitrary<Uint8Array> {
  const good = encode({ ociVersion: "1.0.2", id: "c1", status: "creating", pid: 1, bundle, annotations: {} });
  const state = fc.record(
    {
      ociVersion: value,
      id: orOther(text),
      status: value,
      pid: value,
      bundle: fc.oneof({ weight: 3, arbitrary: fc.constant(bundle) }, orOther(text)),
      annotations,
    },
    { requiredKeys: [] },
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(good) },
    { weight: 3, arbitrary: state.map(encode) },
    { weight: 2, arbitrary: mutate(good) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );
}

// An argument of a process has no NUL byte and no lone surrogate.
const argument = text.map((raw) => raw.replaceAll("\u0000", "").toWellFormed());

const flagName = fc.constantFrom(
  ...["grpc-address", "grpc-timeout-allowed", "log-level", "disable-grpc", "annotations-namespace-key"],
  ...["fail-allow-namespaces", "fail-allow-namespaces-regex", "fail-cel-expr", "just-print-config", "help"],
  ...["grpc-timeot", "__proto__", "", "-", "LOG-LEVEL", "log_level"],
);
const flagValue = fc.oneof(
  fc.constantFrom(
    ...[
      "10ms",
      "-1s",
      "1h",
      "1e9s",
      "0",
      "0.5s",
      "10",
      "ms",
      "99999999999999999999h",
      "true",
      "false",
      "debug",
    ],
    ...[
      "unix://relative",
      "unix:",
      "unix:///nowhere",
      "127.0.0.1:1",
      "dns:///x",
      "[::1]:1",
      ":",
      "http://x",
      "tcp://",
    ],
    ...[
      "([",
      "(((",
      "^(a+)+$",
      "a{1,1000}{1,1000}",
      "annotations",
      "true",
      "annotations['x']",
      "1/0",
      "'a'",
      "[].all(x, x)",
    ],
    ...["[1,2].map(x, [1,2].map(y, x+y))", "size(annotations) > 0", "annotations.exists(k, k == k)"],
  ),
  argument,
);
const flag = fc.oneof(
  fc.tuple(flagName, flagValue).map(([name, given]) => [`--${name}=${given}`]),
  fc.tuple(flagName, flagValue).map(([name, given]) => [`--${name}`, given]),
  flagName.map((name) => [`--${name}`]),
  argument.map((given) => [given]),
);

export const commandLine: fc.Arbitrary<readonly string[]> = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom("createRuntime", "prestart") },
      fc.constantFrom("createContainer", "poststop", "startContainer", "server-version", "", "--"),
      argument,
    ),
    fc.array(flag, { maxLength: 5 }),
  )
  .map(([stage, flags]) => [stage, ...flags.flat()]);

const configKey = fc.oneof(
  fc.constantFrom(
    ...[
      "grpcAddress",
      "grpc_address",
      "grpcTimeoutAllowed",
      "logLevel",
      "log_level",
      "disableGrpc",
      "failCelExpr",
    ],
    ...[
      "annotationsNamespaceKey",
      "failAllowNamespaces",
      "fail_allow_namespaces_regex",
      "grpc-timeout",
      "unknown",
    ],
  ),
  text,
);
const goodConfig = encode({ grpcTimeout: "100ms", failAllowNamespaces: ["ops"], logLevel: "debug" });

export const configBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: fc.dictionary(configKey, fc.oneof(flagValue, value), { maxKeys: 6 }).map(encode) },
  { weight: 2, arbitrary: mutate(goodConfig) },
  { weight: 1, arbitrary: fc.json().map((json) => new TextEncoder().encode(json)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);
