#!/usr/bin/env bash
# To be sourced: packages of Debian bookworm for any architecture, while the machine's apt is not touched. apt-get runs with
# sources, lists and cache of the folder $work only; the mirrors are those that the machine itself uses. What apt-get says is
# in $log.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
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

last_complaint() { grep -v '^$' "$log" | tail -1 || true; }
