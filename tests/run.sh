#!/usr/bin/env bash
# Every test but the long ones: what `make test` runs.
#
# Tests that start Kafka, workers or a browser want the machine for themselves, and have it at the end. The others keep
# one core busy each: two halves of them, side by side.
set -uo pipefail
cd "$(dirname "$0")/.."

tests() { .venv/bin/pytest -m "not faults and not bench" --durations=10 "$@"; }

alone=(tests/bench tests/browser tests/pipeline)
beside=$(mktemp)
trap 'rm -f "$beside"; kill %1 2>/dev/null' EXIT

tests -p no:cacheprovider tests/simulation >"$beside" 2>&1 &
tests tests --ignore=tests/simulation "${alone[@]/#/--ignore=}"
one=$?
wait %1
two=$?
cat "$beside"
tests "${alone[@]}"
three=$?
for code in $one $two $three; do
  [ "$code" = 0 ] || exit "$code"
done
