#!/usr/bin/env bash
# Unpacks Debian bookworm's cloud kernels into a folder, and per architecture the few programs and libraries that a root
# file system for them needs, for the tests on real kernels. Nothing is installed and the machine's apt is not touched:
# apt-get runs with sources, lists and cache of this folder only. The mirrors are those that the machine itself uses.
# Quiet, and safe to repeat. What cannot be had leaves a file `unavailable` with the reason, and its tests are skipped.
set -euo pipefail
to=${1:?usage: kernels-download.sh FOLDER}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
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
mkdir -p "$work"/{lists/partial,archives/partial,parts}
: >"$work/status"
log=$work/log

with_own_state() {
  "$1" -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts" \
    -o Dir::Etc::preferences="$work/none" -o Dir::Etc::preferencesparts="$work/parts" \
    -o Dir::State="$work" -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" -o APT::Sandbox::User=root \
    -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 \
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
    -o Acquire::Retries=3 -o quiet=2 "${@:2}" 2>>"$log"
}

# Every mirror that the machine's sources name, whatever format they are written in. One that is no Debian mirror, or
# lacks the suite, fails here by itself and is left out.
read_lists() {
  command -v apt-get >/dev/null || { echo "no apt-get on this machine" >>"$log"; return 1; }
  [ -r "$keyring" ] || { echo "$keyring is missing: install debian-archive-keyring" >>"$log"; return 1; }
  local mirror suite
  for mirror in $(apt-get update --print-uris | sed -nE "s#^'([^']*/)dists/[^']*' .*#\1#p" | sort -u); do
    for suite in bookworm bookworm-security; do
      echo "deb [arch=amd64,arm64 signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
      with_own_state apt-get -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update >>"$log" || continue
      cat "$work/sources.list" >>"$work/usable.list"
    done
  done
  [ -s "$work/usable.list" ] || { echo "no mirror of the machine's apt sources has bookworm" >>"$log"; return 1; }
  mv "$work/usable.list" "$work/sources.list"
}

fetch() { (mkdir -p "$work/debs" && cd "$work/debs" && rm -f ./*.deb && with_own_state apt-get download "$@" >>"$log"); }

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

last_complaint() { grep -v '^$' "$log" | tail -1 || true; }

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
