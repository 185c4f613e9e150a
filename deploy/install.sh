#!/usr/bin/env bash
# Everything that Truyvet needs on this machine, from nothing: `make install`. Safe to run again.
#
#   deploy/install.sh            all steps
#   deploy/install.sh programs   only the first: Python, Java, Maven, redis-server
#   deploy/install.sh browser    what the browser tests drive: Chromium (not needed to run anything)
#   deploy/install.sh faults     what the tests with wrong clocks need: libfaketime (the same)
#
# A step that has nothing to do takes milliseconds: what was done is noted beside its result, with a digest of the file
# that asked for it, so a change of that file (and nothing else) does the step again.
set -euo pipefail
cd "$(dirname "$0")/.."

JAVA_LEAST=17
REDIS_LEAST=7
say() { printf 'truyvet: %s\n' "$*" >&2; }

# --- 1. programs ------------------------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }

# "17.0.15" -> 17, and the old "1.8.0" -> 1: too old either way, so there is nothing to tell apart.
java_version() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }
redis_version() { redis-server --version 2>/dev/null | sed -n 's/.*v=\([0-9]*\).*/\1/p' | head -n 1; }

# The Python for .venv: the one that the pins were tested with before any other that they allow.
python() {
  local name
  for name in python3.11 python3.12 python3.13 python3; do
    if have "$name" && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

at_least() { [ "${1:-0}" -ge "$2" ] 2>/dev/null; }

missing() {
  python >/dev/null || echo python
  { have java && at_least "$(java_version)" $JAVA_LEAST; } || echo java
  have mvn || echo maven
  { have redis-server && at_least "$(redis_version)" $REDIS_LEAST; } || echo redis
}

# Debian 13 has no 17 any more, Ubuntu 22.04's default is 11: take the oldest that is new enough and there.
java_package() {
  local release
  for release in 17 21 25; do
    if have apt-cache && [ -n "$(apt-cache search --names-only "^openjdk-$release-jre-headless\$" 2>/dev/null)" ]; then
      echo "openjdk-$release-jre-headless"
      return
    fi
  done
  echo openjdk-17-jre-headless
}

packages() {
  local part
  for part in "$@"; do
    case "$part" in
      python) echo python3 python3-venv ;;
      java) java_package ;;
      maven) echo maven ;;
      redis) echo redis-server ;;
    esac
  done
}

may_install() { have apt-get && [ "$(id -u)" = 0 ]; }

# Debian starts a service when it installs one. Ours are child processes on free ports; a second Redis on 6379 that
# nobody asked for would take memory, and the port. So: not started now, and not at the next boot.
apt_install() {
  local guard=${TRUYVET_POLICY_RC_D:-/usr/sbin/policy-rc.d} made= # the name only for the test
  if [ ! -e "$guard" ] && printf '#!/bin/sh\nexit 101\n' 2>/dev/null >"$guard"; then
    made=yes
    # shellcheck disable=SC2064
    trap "rm -f '$guard'" EXIT
    chmod +x "$guard"
  fi
  local rc=0
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" </dev/null >&2 || rc=$?
  if [ -n "$made" ]; then
    rm -f "$guard"
    trap - EXIT
  fi
  return $rc
}

programs() {
  local parts names had_redis=yes
  parts=$(missing | tr '\n' ' ')
  [ -n "$parts" ] || return 0
  if may_install; then
    say "installing with apt: $parts"
    have redis-server || had_redis=
    DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2 || say "apt-get update failed; going on with the lists that are here"
    # shellcheck disable=SC2046,SC2086
    apt_install $(packages $parts) || true
    if [ -z "$had_redis" ] && have systemctl && [ -d /run/systemd/system ]; then
      systemctl disable --now redis-server >/dev/null 2>&1 || true
    fi
    hash -r
    parts=$(missing | tr '\n' ' ')
    [ -n "$parts" ] || return 0
  fi
  # shellcheck disable=SC2046,SC2086
  names=$(echo $(packages $parts))
  say "Python 3.11+, Java $JAVA_LEAST+, Maven and redis-server $REDIS_LEAST+ are needed; missing or too old: ${parts% }. Run: sudo apt-get update && sudo apt-get install -y $names"
  return 1
}

# --- 2. .venv ---------------------------------------------------------------------------------------------------------

digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

# True when `stamp` says that its result was made from these very files.
done_before() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

virtual_environment() {
  local stamp=.venv/.installed wanted
  wanted="$(digest requirements.lock pyproject.toml) $PWD"
  if .venv/bin/python -c '' 2>/dev/null; then
    if done_before $stamp "$wanted"; then return 0; fi
  else
    rm -rf .venv # half made, or of a Python that is gone
    "$(python)" -m venv .venv
  fi
  say "installing the Python packages of requirements.lock into .venv"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock
  # The lock holds everything, the builder too: nothing may be resolved anew, or the pins would mean little.
  .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
  echo "$wanted" >$stamp
}

# --- 3. Kafka's jars --------------------------------------------------------------------------------------------------

kafka_jars() {
  local stamp=.kafka/.installed wanted
  wanted=$(digest deploy/kafka/pom.xml)
  if done_before $stamp "$wanted" && [ -d .kafka/libs ]; then return 0; fi
  say "bringing Kafka's jars (43 MB) with Maven into .kafka/libs"
  # Into a new folder, renamed when whole: two releases in one folder would start as neither.
  rm -rf .kafka/libs.part
  # Maven colours even its silence.
  mvn -q -B -f deploy/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/.kafka/libs.part" </dev/null 2>&1 |
    sed 's/\x1b\[[0-9;]*m//g' >&2
  rm -rf .kafka/libs
  mv .kafka/libs.part .kafka/libs
  # Only for speed: a Java that cannot do it starts Kafka all the same.
  .venv/bin/python -c 'from streams.runtime.embedded import archive_classes; archive_classes()' ||
    say "no class archive was made; Kafka will start a little slower"
  echo "$wanted" >$stamp
}

# --- what only some tests need ----------------------------------------------------------------------------------------

# The program, the package that has it, who needs it.
for_tests() {
  have "$1" && return 0
  if may_install; then
    say "installing with apt: $2"
    DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2 || say "apt-get update failed; going on with the lists that are here"
    apt_install "$2" || true
    hash -r
    have "$1" && return 0
  fi
  say "$3. Run: sudo apt-get update && sudo apt-get install -y $2"
  return 1
}

case "${1:-all}" in
  programs) programs ;;
  browser) for_tests chromium chromium "the browser tests need Chromium" ;;
  faults) for_tests faketime faketime "the tests with wrong clocks need libfaketime" ;;
  all)
    programs
    virtual_environment
    kafka_jars
    ;;
  *)
    say "usage: deploy/install.sh [programs|browser|faults]"
    exit 2
    ;;
esac
