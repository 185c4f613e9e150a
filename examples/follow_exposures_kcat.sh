#!/usr/bin/env bash
# Every change of what stands, a line of JSON each: highest revision wins. Ends with Ctrl-C.
# TRUYVET_KAFKA: where Kafka is. More options go to kcat: `-e` ends it when all that is there was read.
set -euo pipefail
cd "$(dirname "$0")"
kcat -b "${TRUYVET_KAFKA:-127.0.0.1:9092}" -C -t "${TRUYVET_TOPIC_PREFIX:-}exposures" -o beginning -J -u -q \
  -X isolation.level=read_committed "$@" |
  python3 standing.py
