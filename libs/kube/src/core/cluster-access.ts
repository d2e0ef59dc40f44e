// SPDX-License-Identifier: Apache-2.0
// Access to an API server: its address, TLS settings and credentials.

/** PEM data, or the path of a PEM file, which may be replaced at any time. */
export type Material =
  | { readonly kind: "text"; readonly pem: string }
  | { readonly kind: "file"; readonly path: string };

export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "token-file"; readonly path: string }
  | { readonly kind: "certificate"; readonly certificate: Material; readonly key: Material }
  | ExecCredentials;

/** An exec plugin, which prints a token or a certificate (client.authentication.k8s.io). */
export interface ExecCredentials {
  readonly kind: "exec";
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ClusterAccess {
  /** "https://10.0.0.1:6443", without a trailing slash. */
  readonly server: string;
  /** Undefined for the system's CA certificates. */
  readonly ca: Material | undefined;
  /** The server's certificate is not verified (insecure-skip-tls-verify). */
  readonly insecure: boolean;
  /** Name to verify the server's certificate against, instead of the host in `server`. */
  readonly serverName: string | undefined;
  /** Undefined for the environment's proxy variables. */
  readonly proxy: URL | undefined;
  readonly credentials: Credentials;
}
