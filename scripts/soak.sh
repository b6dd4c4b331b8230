#!/usr/bin/env bash
# The long forms of the property, fault, kill and bad-input tests, then fuzzing for long.
# SOAK_SECONDS: how long each fuzz target runs (600); SOAK_ROUNDS: how often everything (1).
# What is found stays in tests/fuzz/corpus/<target>/: commit it with its fix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh check
for ((round = 1; round <= ${SOAK_ROUNDS:-1}; round++)); do
    echo "soak: round $round, ${SOAK_SECONDS:-600} s a target"
    FLOWFORGE_SOAK=1 FUZZ_SEED=0 FUZZ_SECONDS=${SOAK_SECONDS:-600} scripts/check.sh build_gcc build_asan flow fuzz
done
