#!/usr/bin/env bash
# What Truyvet is measured beside, into .peers (350 MB): nothing else needs it. Safe to run again.
#
#   tests/bench/peers/install.sh            all of them
#   tests/bench/peers/install.sh streams    Kafka Streams (Maven, a JDK): for `truyvet bench ingest --peers`
#   tests/bench/peers/install.sh python     Quix Streams, DuckDB, psycopg in a venv of their own: for both
#   tests/bench/peers/install.sh postgres   PostgreSQL's programs, by apt where that may be done; no server is started:
#                                           for `truyvet bench case --peers`
set -euo pipefail
cd "$(dirname "$0")/../../.."

HERE=tests/bench/peers
say() { printf 'truyvet: %s\n' "$*" >&2; }
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
done_before() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# Debian starts a service when it installs one; a second PostgreSQL on 5432 that nobody asked for would be measured too.
apt_install() {
  local guard=/usr/sbin/policy-rc.d made=
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    say "missing: $*. Run: sudo apt-get install -y $*"
    return 1
  fi
  say "installing with apt: $*"
  DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2 || say "apt-get update failed; going on with the lists that are here"
  if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod +x "$guard"
    made=yes
  fi
  local rc=0
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" </dev/null >&2 || rc=$?
  [ -z "$made" ] || rm -f "$guard"
  return $rc
}

streams() {
  local home=.peers/kafka-streams wanted
  wanted=$(find $HERE/kafka_streams -type f | sort | xargs sha256sum | sha256sum | cut -d' ' -f1)
  if done_before $home/.installed "$wanted"; then return 0; fi
  command -v javac >/dev/null || apt_install openjdk-17-jdk-headless
  say "building Kafka Streams' peer with Maven (90 MB of jars, once)"
  rm -rf $home
  mkdir -p $home
  # Maven colours even its silence.
  mvn -q -B -f $HERE/kafka_streams/pom.xml package dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$PWD/$home/libs" </dev/null 2>&1 | sed 's/\x1b\[[0-9;]*m//g' >&2
  echo "$wanted" >$home/.installed
}

python() {
  local wanted
  wanted="$(digest $HERE/requirements.txt) $PWD"
  if done_before .peers/venv/.installed "$wanted"; then return 0; fi
  say "installing Quix Streams, DuckDB and psycopg into .peers/venv"
  rm -rf .peers/venv
  mkdir -p .peers
  "$(readlink -f .venv/bin/python)" -m venv .peers/venv
  .peers/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r $HERE/requirements.txt
  echo "$wanted" >.peers/venv/.installed
}

postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || apt_install postgresql
}

case "${1:-all}" in
  streams | python | postgres) "$1" ;;
  all)
    streams
    python
    postgres
    ;;
  *)
    say "usage: $HERE/install.sh [streams|python|postgres]"
    exit 2
    ;;
esac
