// SPDX-License-Identifier: Apache-2.0
// Whether certificates and keys can be used.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { err, ok, type Result } from "@rthooks/result";

export interface PemFile {
  readonly path: string;
  readonly text: string;
}

/** Texts in PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Empty: clients need no certificate. */
  readonly ca: readonly string[];
  /** Unix time in milliseconds at which the certificate expires. */
  readonly expiresMs: number;
}

/** The error is one line that names the file. */
export function checkTlsMaterial(
  cert: PemFile,
  key: PemFile,
  authorities: readonly PemFile[],
  nowMs: number,
): Result<TlsMaterial, string> {
  const chain = readCertificates(cert);
  if (!chain.ok) return chain;
  const [leaf] = chain.value;
  if (leaf === undefined) return err(`${cert.path} has no certificate`);
  const privateKey = readKey(key);
  if (!privateKey.ok) return privateKey;
  if (!leaf.checkPrivateKey(privateKey.value))
    return err(`${key.path} is not the private key of the certificate in ${cert.path}`);
  const invalid = describeTime(leaf, nowMs);
  if (invalid !== "") return err(`the certificate in ${cert.path} ${invalid}`);
  for (const authority of authorities) {
    const found = readCertificates(authority);
    if (!found.ok) return found;
    // While an authority is replaced its file has the former one, too.
    const states = found.value.map((one) => describeTime(one, nowMs));
    if (!states.includes("")) return err(`the authority in ${authority.path} ${states[0]}`);
  }
  return ok({
    ...{ cert: cert.text, key: key.text, ca: authorities.map(({ text }) => text) },
    expiresMs: Date.parse(leaf.validTo),
  });
}

const block =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** At least one. */
function readCertificates({ path, text }: PemFile): Result<readonly X509Certificate[], string> {
  const blocks = text.match(block) ?? [];
  if (blocks.length === 0) return err(`${path} has no certificate in PEM`);
  try {
    return ok(blocks.map((one) => new X509Certificate(one)));
  } catch {
    return err(`${path} has a certificate that cannot be read`);
  }
}

/** What the library says of a key is not repeated. */
function readKey({ path, text }: PemFile): Result<KeyObject, string> {
  try {
    return ok(createPrivateKey(text));
  } catch {
    return err(`${path} has no private key in PEM, or an encrypted one`);
  }
}

/** Empty where the certificate is valid at this time. */
function describeTime({ validFrom, validTo }: X509Certificate, nowMs: number): string {
  if (nowMs < Date.parse(validFrom)) return `is not valid before ${toTime(validFrom)}`;
  return nowMs > Date.parse(validTo) ? `expired at ${toTime(validTo)}` : "";
}

const toTime = (text: string): string => new Date(text).toISOString();
