#!/usr/bin/env bash
# Unpacks Debian bookworm's cloud kernels into a folder, and per architecture the few programs and libraries that a root
# file system for them needs, for the tests on real kernels. Nothing is installed and the machine's apt is not touched:
# apt-get runs with sources, lists and cache of this folder only. The mirrors are those that the machine itself uses.
# Quiet, and safe to repeat. What cannot be had leaves a file `unavailable` with the reason, and its tests are skipped.
set -euo pipefail
to=${1:?usage: kernels-download.sh FOLDER}
# Folder, architecture, and the package that depends on the newest kernel of the series.
kernels=(
  "6.1-amd64 amd64 linux-image-cloud-amd64"
  "6.12-amd64 amd64 linux-image-6.12-cloud-amd64"
  "6.1-arm64 arm64 linux-image-cloud-arm64"
)
programs=(busybox-static runc libseccomp2 bpftool libelf1 zlib1g libcap2 libc6)

missing=()
for kernel in "${kernels[@]}"; do
  read -r folder arch _ <<<"$kernel"
  [ -s "$to/$folder/version" ] && [ -s "$to/root-$arch/version" ] || missing+=("$kernel")
done
[ ${#missing[@]} -eq 0 ] && exit 0

mkdir -p "$to"
to=$(cd "$to" && pwd)
exec 9>"$to/.lock"
flock 9
work=$(mktemp -d "$to/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/debian-packages.sh"

# A folder is in its place only when it is whole.
install_folder() { rm -rf "${to:?}/$2" && mv "$1" "$to/$2"; }

# The functions from here on end with `return 1` by themselves: bash does not stop at a failure inside of a condition.
unpack_kernel() {
  local folder=$1 arch=$2 meta=$3 package
  package=$(with_own_state apt-cache depends "$meta:$arch" | sed -nE 's/^ *Depends: (linux-image-[^:]*).*/\1/p')
  [ -n "$package" ] || { echo "no package $meta:$arch" >>"$log"; return 1; }
  echo "fetching $package"
  fetch "$package:$arch" || return 1
  mkdir -p "$work/$folder"
  dpkg-deb --fsys-tarfile "$work"/debs/*.deb \
    | tar -x -C "$work/$folder" --wildcards --transform 's#.*/vmlinuz-.*#vmlinuz#' './boot/vmlinuz-*' 2>>"$log" || return 1
  echo "${package#linux-image-}" >"$work/$folder/version"
  install_folder "$work/$folder" "$folder"
}

unpack_root() {
  local arch=$1 root=$work/root-$1 deb
  [ -s "$to/root-$arch/version" ] && return 0
  fetch "${programs[@]/%/:$arch}" || return 1
  mkdir -p "$root"
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$root" 2>>"$log" || return 1; done
  rm -rf "$root"/usr/share "$root"/usr/lib/*/{gconv,audit} "$root"/etc
  (cd "$work/debs" && ls ./*.deb) >"$root/version"
  install_folder "$root" "root-$arch"
}

no_lists=
read_lists || no_lists=$(last_complaint)
for kernel in "${missing[@]}"; do
  read -r folder arch meta <<<"$kernel"
  [ -s "$to/$folder/version" ] && [ -s "$to/root-$arch/version" ] && continue # another process was faster
  : >"$log"
  if [ -z "$no_lists" ] && unpack_root "$arch" && unpack_kernel "$folder" "$arch" "$meta"; then continue; fi
  mkdir -p "$to/$folder"
  why=${no_lists:-$(last_complaint)}
  echo "${why:-apt-get failed}" >"$to/$folder/unavailable"
  echo "kernels-download: no $meta:$arch, its tests are skipped: $why" >&2
done
