#!/usr/bin/env bash
# Unpacks what the container images take from Debian bookworm into FOLDER/ARCH, for amd64 and arm64: the C library with its
# loader, and the CA certificates. Nothing is installed and the machine's apt is not touched. Quiet, and safe to repeat.
set -euo pipefail
to=${1:?usage: images-download.sh FOLDER}
arches=(amd64 arm64)

mkdir -p "$to"
to=$(cd "$to" && pwd)
exec 9>"$to/.lock"
flock 9
missing=()
for arch in "${arches[@]}"; do [ -s "$to/$arch/packages" ] || missing+=("$arch"); done
[ ${#missing[@]} -eq 0 ] && exit 0

work=$(mktemp -d "$to/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/debian-packages.sh"
fail() { echo "images-download: $(last_complaint)" >&2; exit 1; }

read_lists || fail
for arch in "${missing[@]}"; do
  echo "fetching libc6 and ca-certificates for $arch"
  fetch "libc6:$arch" ca-certificates || fail
  mkdir -p "$work/$arch/control"
  for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/$arch/root"
    # As scanners of images without dpkg expect it.
    { dpkg-deb -f "$deb"; echo "Status: install ok installed"; } >"$work/$arch/control/$(dpkg-deb -f "$deb" Package)"
    dpkg-deb --showformat='${Package} ${Version} ${Architecture}\n' -W "$deb" >>"$work/$arch/packages"
  done
  rm -rf "${to:?}/$arch"
  mv "$work/$arch" "$to/$arch"
done
