// SPDX-License-Identifier: Apache-2.0
// Where an API server is, and who this program is to it.

/** PEM that is written out, or in a file that may change. */
export type Material =
  | { readonly kind: "text"; readonly pem: string }
  | { readonly kind: "file"; readonly path: string };

export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "token-file"; readonly path: string }
  | { readonly kind: "certificate"; readonly certificate: Material; readonly key: Material }
  | ExecCredentials;

/** A program that says the token or the certificate (client.authentication.k8s.io). */
export interface ExecCredentials {
  readonly kind: "exec";
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ClusterAccess {
  /** "https://10.0.0.1:6443", without a slash at its end. */
  readonly server: string;
  /** Undefined: the system's. */
  readonly ca: Material | undefined;
  /** The server is whoever answers: for tests of people who know what they do. */
  readonly insecure: boolean;
  /** In place of the server's own name, when its certificate is checked. */
  readonly serverName: string | undefined;
  /** Undefined: what the environment says. */
  readonly proxy: URL | undefined;
  readonly credentials: Credentials;
}
