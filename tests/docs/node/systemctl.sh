#!/bin/bash
# Plays systemctl for pages that a test runs: starts and stops what the unit files of the node say.
set -eu
state=/run/played-units
mkdir -p "$state"

unit_file() {
  for dir in /etc/systemd/system /usr/lib/systemd/system; do
    [ -f "$dir/$1.service" ] && { echo "$dir/$1.service"; return; }
  done
  echo "Unit $1.service not found." >&2
  exit 5
}
setting() { # of a unit file, with continued lines joined
  sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$(unit_file "$1")" | sed -n "s/^$2=//p"
}
is_running() { [ -e "$state/$1" ] && kill -0 "$(cat "$state/$1")" 2>/dev/null; }
start() {
  is_running "$1" && return
  command=$(setting "$1" ExecStart)
  setsid bash -c "exec $command" </dev/null >>"/var/log/$1.log" 2>&1 &
  echo $! >"$state/$1"
  after=$(setting "$1" ExecStartPost)
  [ -z "$after" ] || timeout 30 bash -c "$after"
}
stop() {
  is_running "$1" || return 0
  pid=$(cat "$state/$1")
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  rm "$state/$1"
}

verb=$1
shift
names=()
now=no
for word in "$@"; do
  case $word in
    --now) now=yes ;;
    *) names+=("${word%.service}") ;;
  esac
done
[ "$verb" = daemon-reload ] && exit 0
for name in "${names[@]}"; do
  unit_file "$name" >/dev/null
  case $verb in
    start) start "$name" ;;
    stop) stop "$name" ;;
    restart) stop "$name"; start "$name" ;;
    enable) [ $now = no ] || start "$name" ;;
    disable) [ $now = no ] || stop "$name" ;;
    is-active) if is_running "$name"; then echo active; else echo inactive; exit 3; fi ;;
    *) echo "systemctl $verb is not played" >&2; exit 2 ;;
  esac
done
