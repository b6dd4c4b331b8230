#!/usr/bin/env bash
# Installs what FlowForge needs, from a fresh Debian-like machine on. Quick when everything is there.
#
#   scripts/setup.sh build    to build: compiler, libraries, DuckDB and its header
#   scripts/setup.sh check    to test as well: clang, cmocka, the Python environment in .venv (default)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

level=${1:-check}
case $level in
build | check) ;;
*)
    echo "usage: scripts/setup.sh [build|check]" >&2
    exit 2
    ;;
esac

say() { printf 'setup: %s\n' "$*"; }
# The first line says what is wrong; further ones (commands to run) come bare, fit to be copied.
fail() {
    printf 'setup: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" >&2
    exit 1
}

case $(uname -m) in
x86_64) duckdb_arch=x64 ;;
aarch64 | arm64) duckdb_arch=arm64 ;;
*) fail "no DuckDB library is published for $(uname -m); FlowForge runs on x86-64 and on 64-bit ARM" ;;
esac
duckdb=node_modules/@duckdb/node-bindings-linux-$duckdb_arch/libduckdb.so
header=node_modules/duckdb/src/duckdb/src/include/duckdb.h

# One stamp a part, holding the hash of all that the part depends on.
key() { cat -- "$@" | sha256sum | cut -c1-64; }
stamped() { [ -f ".deps/$1" ] && [ "$(cat ".deps/$1")" = "$2" ]; }
stamp() { mkdir -p .deps && printf '%s\n' "$2" >".deps/$1"; }

system_key=$(key scripts/setup.sh)
npm_key=$(key package.json package-lock.json .npmrc)

has_package() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# clang can be there without the runtimes of its sanitizers and of libFuzzer.
clang_links_fuzzers() {
    local out
    out=$(mktemp)
    echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return !p && n; }' |
        clang -fsanitize=fuzzer,address,undefined -x c - -o "$out" 2>/dev/null
    local ok=$?
    rm -f "$out"
    return $ok
}

missing_packages() {
    local wanted="gcc libc6-dev make pkg-config zlib1g-dev libzstd-dev libsnappy-dev libxxhash-dev libjansson-dev libsqlite3-dev libsodium-dev libyaml-dev libmicrohttpd-dev libcurl4-openssl-dev libpq-dev" name
    [ "$level" = build ] || wanted="$wanted clang clang-format libcmocka-dev strace wrk openssl postgresql"
    for name in $wanted; do
        has_package "$name" || echo "$name"
    done
    command -v npm >/dev/null || printf '%s\n' nodejs npm
    if [ "$level" = check ]; then
        command -v python3 >/dev/null || echo python3
        python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
        clang_links_fuzzers || echo libclang-rt-dev
    fi
}

install_system() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "no apt here: taking it that the compiler and the libraries that scripts/setup.sh names are installed"
        return
    fi
    local missing as_root=""
    missing=$(missing_packages | sort -u | tr '\n' ' ')
    if [ -z "${missing// /}" ]; then
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
            fail "packages are missing and this user may not install them. As root, run:" \
                "apt-get update && apt-get install -y --no-install-recommends $missing"
        fi
        as_root=sudo
    fi
    say "installing by apt: $missing"
    mkdir -p .deps
    # shellcheck disable=SC2086 # the list of packages is meant to be split
    if ! { $as_root apt-get update -qq &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
        >.deps/apt.log 2>&1 </dev/null; then
        tail -n 20 .deps/apt.log >&2
        fail "apt-get failed (all of its output: .deps/apt.log); is the network reachable and the disk not full?"
    fi
}

install_npm() {
    say "npm ci: DuckDB, its header, demo data"
    mkdir -p .deps
    if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >.deps/npm.log 2>&1 </dev/null; then
        tail -n 20 .deps/npm.log >&2
        fail "npm ci failed (all of its output: .deps/npm.log); is the package registry reachable?"
    fi
    [ -f "$duckdb" ] || fail "npm left $duckdb out; look into .deps/npm.log, remove node_modules and try again"
    [ -f "$header" ] || fail "$header is not in the package any more; package.json pins the version that has it"
}

install_python() {
    say "pip install: the test tools in tests/requirements.txt"
    mkdir -p .deps
    if ! { python3 -m venv --clear .venv &&
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt; } \
        >.deps/pip.log 2>&1 </dev/null; then
        tail -n 20 .deps/pip.log >&2
        fail "the Python environment could not be made (all output: .deps/pip.log); Python 3.11 or newer is needed"
    fi
}

if ! stamped "system-$level" "$system_key"; then
    install_system
    stamp "system-$level" "$system_key"
    # A machine fit to check is fit to build.
    [ "$level" = build ] || stamp system-build "$system_key"
fi
if ! stamped npm "$npm_key" || [ ! -f "$duckdb" ] || [ ! -f "$header" ]; then
    install_npm
    stamp npm "$npm_key"
fi
if [ "$level" = check ]; then
    python_key=$(key tests/requirements.txt)-$(python3 --version)
    if ! stamped python "$python_key" || [ ! -x .venv/bin/pytest ]; then
        install_python
        stamp python "$python_key"
    fi
fi
say "ready"
