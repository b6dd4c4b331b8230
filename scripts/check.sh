#!/usr/bin/env bash
# Everything that has to pass, one stage after another; a stage that fails does not stop the next.
# Logs: build/check/<stage>.log. The last line is "N passed, N failed"; the exit code is 1 if anything failed.
#
#   scripts/check.sh                all stages
#   scripts/check.sh unit flow      only those
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

logs=build/check
jobs=${JOBS:-$(nproc)}
fuzz_seconds=${FUZZ_SECONDS:-20}
# The short form takes the same way every time; the long ones of `make soak` set FUZZ_SEED=0, which is a random one.
fuzz_seed=${FUZZ_SEED:-1}
python=.venv/bin/python
mkdir -p "$logs"
passed=0
failed=0
# Make variables of the `make` that called us must not reach the builds below.
unset MAKEFLAGS MFLAGS MAKELEVEL CONF CC

build() { make --no-print-directory -j"$jobs" "$@"; }

# Sum of the numbers that the first group of a pattern finds in a log.
sum_of() { sed -n -E "s/$1/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

# The counts of one C unit test program, from what cmocka printed; one that died counts as one failure more.
run_unit_program() {
    local out=$logs/unit-program.log status
    timeout 300 "$1" >"$out" 2>&1
    status=$?
    cat "$out"
    local good bad
    good=$(sum_of '^\[  PASSED  \] ([0-9]+) test.*$' "$out")
    bad=$(sum_of '^\[  FAILED  \] ([0-9]+) test.*$' "$out")
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "$1: ended with status $status"
        bad=1
    elif [ $((good + bad)) -eq 0 ]; then
        echo "$1: ran no test"
        bad=1
    fi
    rm -f "$out"
    echo "COUNT $good $bad"
}

stage_setup() { scripts/setup.sh check; }

c_sources() { find src tests bench -name '*.[ch]'; }

stage_format_c() { c_sources | xargs clang-format --dry-run -Werror; }

stage_format_python() {
    $python -m ruff format --check . && $python -m ruff check .
}

stage_arrows() { $python tests/check_arrows.py; }

stage_build_gcc() { build all unit-programs test-programs; }

stage_build_clang() { build CC=clang all unit-programs test-programs; }

stage_unit() {
    local result=0 program
    build -k CONF=asan unit-programs || result=1
    while read -r program; do
        if [ -x "build/asan/unit/$program" ]; then
            run_unit_program "build/asan/unit/$program"
        else
            echo "$program: was not built"
            echo "COUNT 0 1"
        fi
    done < <(find tests/unit -name 'test_*.c' -printf '%P\n' | sed 's/\.c$//' | sort)
    return $result
}

# The counts of a pytest run, whose words come after the name of its log.
run_pytest() {
    local log=$1 result good bad
    shift
    $python -m pytest -q -rfE "$@" | tee "$log"
    result=${PIPESTATUS[0]}
    good=$(tail -n 1 "$log" | sum_of '^.*[^0-9]*\b([0-9]+) passed.*$' /dev/stdin)
    bad=$(tail -n 1 "$log" | grep -oE '[0-9]+ (failed|errors?)' | awk '{ n += $1 } END { print n + 0 }')
    rm -f "$log"
    # pytest's 5 is "no tests": that is a failure as well.
    [ "$result" -eq 0 ] || [ "$bad" -ne 0 ] || bad=1
    echo "COUNT $good $bad"
}

# A real server of this sanitizer's build and its tasks, under everything at once; what they report goes to files, because
# a task's words are for the server. Each report counts.
run_load() {
    local conf=$1 reports=$PWD/build/check/load-$1 report
    rm -rf "$reports"
    mkdir -p "$reports"
    local settings="log_path='$reports/report'"
    LOAD_SECONDS=10 FLOWFORGE=build/$conf/flowforge \
        ASAN_OPTIONS=$settings UBSAN_OPTIONS=$settings \
        TSAN_OPTIONS="halt_on_error=1 exitcode=66 suppressions='$PWD/tests/tsan.supp' $settings" \
        run_pytest "$logs/pytest-load.log" tests/flow/test_load.py
    for report in "$reports"/*; do
        [ -e "$report" ] || continue
        echo "the $conf build reported an ERROR:"
        cat "$report"
        echo "COUNT 0 1"
    done
    rm -rf "$reports"
}

# Where threads meet: the rooms that have them, whole conversions with more threads than cores, a server under load.
stage_tsan() {
    local out=build/check/tsan seed program
    local programs
    programs=$(find tests/unit/sys tests/unit/store tests/unit/orchestrate tests/unit/api tests/unit/job/test_convert_threads.c \
        -name 'test_*.c' | sed -E 's|^tests/(.*)\.c$|build/tsan/\1|' | sort)
    # shellcheck disable=SC2086 # a list of names without spaces
    build CONF=tsan all $programs || return 1
    for program in $programs; do
        TSAN_OPTIONS="halt_on_error=1 exitcode=66" run_unit_program "$program"
    done
    run_load tsan
    rm -rf "$out"
    mkdir -p "$out"
    cc -O2 -o "$out/generate" bench/generate.c || return 1
    for seed in lineitem-csv quoted-csv lineitem-ndjson; do
        "$out/generate" "$seed" --bytes 6MB -o "$out/$seed.in" || return 1
        if build/tsan/flowforge convert -q --threads 4 --memory 64M "$out/$seed.in" "$out/$seed.parquet"; then
            echo "COUNT 1 0"
        else
            echo "$seed: failed under the thread sanitizer"
            echo "COUNT 0 1"
        fi
    done
    if build/tsan/flowforge convert -q --threads 4 --memory 64M --dedupe l_orderkey --partition-by l_shipmode \
        "$out/lineitem-csv.in" "$out/partitioned/"; then
        echo "COUNT 1 0"
    else
        echo "dedupe and partitions: failed under the thread sanitizer"
        echo "COUNT 0 1"
    fi
    rm -rf "$out"
}

# The program itself under sanitizers, for the tests that run it on bad input.
stage_build_asan() { build CONF=asan all; }

stage_load_asan() { stage_build_asan && run_load asan; }

stage_flow() {
    build all test-programs || return 1
    FLOWFORGE=build/release/flowforge run_pytest "$logs/pytest.log" -n "$jobs" tests bench
}

# What was ever committed to a corpus first (found crashes stay found), then some seconds of new input each.
# A crash is kept in the corpus: commit it with its fix.
stage_fuzz() {
    local result=0 source name corpus
    build -k CC=clang CONF=fuzz fuzzers || result=1
    for source in tests/fuzz/fuzz_*.c; do
        [ -e "$source" ] || continue
        name=$(basename "$source" .c)
        corpus=tests/fuzz/corpus/${name#fuzz_}
        mkdir -p "build/fuzz/corpus/$name" "$corpus"
        if build/fuzz/fuzzers/"$name" -runs=0 -artifact_prefix=build/fuzz/ "$corpus" &&
            build/fuzz/fuzzers/"$name" -max_total_time="$fuzz_seconds" -seed="$fuzz_seed" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
                -print_final_stats=1 -artifact_prefix="$corpus/" "build/fuzz/corpus/$name" "$corpus"; then
            echo "COUNT 1 0"
        else
            echo "$name: failed"
            echo "COUNT 0 1"
        fi
    done
    return $result
}

# Runs a stage, prints its line, adds what it counted. A stage that fails without a failed test counts as one.
run_stage() {
    local name=$1 log=$logs/$1.log began=$SECONDS status good bad verdict=ok
    "stage_$name" >"$log" 2>&1 </dev/null
    status=$?
    good=$(sum_of '^COUNT ([0-9]+) [0-9]+$' "$log")
    bad=$(sum_of '^COUNT [0-9]+ ([0-9]+)$' "$log")
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$bad" -ne 0 ]; then
        verdict="FAILED, see $log"
    fi
    printf '%-14s %4d s  %5d passed  %3d failed  %s\n' "$name" $((SECONDS - began)) "$good" "$bad" "$verdict"
    if [ "$bad" -ne 0 ]; then
        grep -vE '^(COUNT |\[ RUN|\[       OK)' "$log" | grep -E 'FAILED|ERROR|[Ee]rror|failed|was not built|ended with' | head -n 15 |
            sed 's/^/    /'
    fi
}

stages="setup format_c format_python arrows build_gcc build_clang build_asan unit load_asan tsan flow fuzz"
for name in ${*:-$stages}; do
    if ! declare -F "stage_$name" >/dev/null; then
        echo "check: no stage '$name'; there are: $stages" >&2
        exit 2
    fi
done
for name in ${*:-$stages}; do
    run_stage "$name"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
