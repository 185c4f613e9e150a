#!/usr/bin/env bash
# Writes requirements.lock from pyproject.toml: every package with its exact version and the digests of its files, for
# every platform. Run it (`make lock`) after a change of dependencies; tests/house/test_lock.py says when it is stale.
set -euo pipefail
cd "$(dirname "$0")/.."

UV=0.13.9
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check "uv==$UV"

# What builds the package is locked with the rest: it is installed without build isolation.
.venv/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
  >"$tools/build.in"
{
  echo "# Made by \`make lock\` from pyproject.toml. Do not edit."
  # An existing lock is the preference: only what pyproject.toml asks for moves.
  cp requirements.lock "$tools/out.lock" 2>/dev/null || true
  "$tools/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --extra dev pyproject.toml "$tools/build.in" --output-file "$tools/out.lock" >/dev/null
  cat "$tools/out.lock"
} >"$tools/requirements.lock"
mv "$tools/requirements.lock" requirements.lock
