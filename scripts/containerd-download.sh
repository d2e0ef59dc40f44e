#!/usr/bin/env bash
# Unpacks Debian's containerd of trixie (1.7) and forky (2.x) into a folder, for the tests on real runtimes. Nothing is
# installed and the machine's apt is not touched: apt-get runs with sources, lists and cache of this folder only. The
# mirror is the one that the machine itself uses. Quiet, and safe to repeat.
set -euo pipefail
to=${1:?usage: containerd-download.sh FOLDER}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# Suite, and the version the tests were written against; a suite may have moved on, then its own version is taken.
releases=("trixie 1.7.24" "forky 2.1.9")

is_there() { [ -x "$to/$1/usr/bin/containerd" ] && [ -s "$to/$1/version" ]; }
fail() { echo "containerd-download: $*" >&2; exit 1; }

missing=()
for release in "${releases[@]}"; do is_there "${release%% *}" || missing+=("$release"); done
[ ${#missing[@]} -eq 0 ] && exit 0

command -v apt-get >/dev/null || fail "no apt-get here: unpack Debian's containerd packages of trixie and forky into $to/trixie and $to/forky by hand"
[ -r "$keyring" ] || fail "$keyring is missing: install debian-archive-keyring"
mkdir -p "$to"
to=$(cd "$to" && pwd)
exec 9>"$to/.lock"
flock 9

work=$(mktemp -d "$to/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,archives/partial,parts}
: >"$work/status"
log=$work/log

run_apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts" \
    -o Dir::Etc::preferences="$work/none" -o Dir::Etc::preferencesparts="$work/parts" \
    -o Dir::State="$work" -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
    -o Acquire::Retries=3 -o APT::Update::Error-Mode=any "$@" >>"$log" 2>&1
}

# Every place that the machine's sources name, whatever format they are written in; one that is no Debian mirror, or
# lacks the suite, fails the check of the signature, and the next is tried.
mirrors=$(apt-get update --print-uris | sed -nE "s#^'([^']*/)dists/[^']*' .*#\1#p" | sort -u)
[ -n "$mirrors" ] || fail "the machine's apt sources name no mirror"

for release in "${missing[@]}"; do
  read -r suite wanted <<<"$release"
  is_there "$suite" && continue # another process was faster
  echo "fetching containerd of Debian $suite"
  for mirror in $mirrors; do
    echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
    rm -rf "$work"/lists/* "$work"/*.deb
    run_apt update || continue
    (cd "$work" && { run_apt download "containerd=$wanted~*" || run_apt download "containerd=$wanted*" || run_apt download containerd; }) && break
  done
  deb=$(compgen -G "$work/containerd_*.deb") || {
    cat "$log" >&2
    fail "no containerd of Debian $suite from: $mirrors"
  }
  version=$(dpkg-deb -f "$deb" Version)
  version=${version%%[~+-]*}
  [ "$version" = "$wanted" ] || echo "Debian $suite has containerd $version by now, not $wanted: the tests run with $version" >&2
  dpkg -x "$deb" "$work/$suite"
  echo "$version" >"$work/$suite/version"
  rm -rf "${to:?}/$suite"
  mv "$work/$suite" "$to/$suite"
done
