#!/usr/bin/env bash
# Fuzzes for long. SOAK_SECONDS: how long each target runs (600); SOAK_ROUNDS: how often all of them (1).
# What is found stays in tests/fuzz/corpus/<target>/: commit it with its fix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh check
for ((round = 1; round <= ${SOAK_ROUNDS:-1}; round++)); do
    echo "soak: round $round, ${SOAK_SECONDS:-600} s a target"
    FUZZ_SECONDS=${SOAK_SECONDS:-600} scripts/check.sh fuzz
done
