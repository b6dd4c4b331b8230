# FlowForge's build. `make help` lists the targets.
#
# CONF picks one of the build directories below build/: release (default), asan (address and
# undefined sanitizers), tsan, fuzz (libFuzzer, needs CC=clang). CC=clang builds with clang into
# build/clang-$(CONF).

CONF ?= release
VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif
BUILD := build/$(if $(filter fuzz,$(CONF)),,$(if $(findstring clang,$(CC)),clang-))$(CONF)

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CONF_FLAGS := $(FLAGS_$(CONF))
ifeq ($(CONF_FLAGS),)
$(error CONF is release, asan, tsan or fuzz, not '$(CONF)')
endif

# The DuckDB library and its header come from npm (scripts/setup.sh).
DUCKDB_ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
DUCKDB_FROM := node_modules/@duckdb/node-bindings-linux-$(DUCKDB_ARCH)/libduckdb.so
DUCKDB_INCLUDE := node_modules/duckdb/src/duckdb/src/include

CPPFLAGS := -iquote src -isystem $(DUCKDB_INCLUDE) -D_GNU_SOURCE -DFLOWFORGE_VERSION='"$(VERSION)"'
CFLAGS := -std=c17 $(WARNINGS) $(CONF_FLAGS) -fvisibility=hidden -pthread
LDFLAGS := $(CONF_FLAGS) -pthread
# libduckdb, libmicrohttpd and libcurl are loaded at run time by what needs them: a task's process starts in a millisecond.
# The others are linked into the program, since binding them (libstdc++ behind snappy above all) would take most of what
# such a process costs. LINK=shared is for systems that have no static ones; the sanitizers take those that are shared.
LINK ?= static
LIBRARIES := -lsnappy -lstdc++ -lzstd -lz -lxxhash -ljansson -lsqlite3 -lsodium -lyaml
ifeq ($(LINK)-$(CONF),static-release)
LIBRARIES := -static-libgcc -Wl,-Bstatic $(LIBRARIES) -Wl,-Bdynamic
endif
LDLIBS := $(LIBRARIES) -lm -ldl

SOURCES := $(filter-out src/app/main.c,$(sort $(shell find src -name '*.c')))
# The migrations of the metadata database, as C.
MIGRATIONS := $(sort $(wildcard src/store/migrations/*.sql))
GENERATED := $(BUILD)/gen/store_migrations.c
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(GENERATED:.c=.o)
LIBRARY := $(BUILD)/libflowforge.a
BINARY := $(BUILD)/flowforge
DUCKDB := $(BUILD)/libduckdb.so
UNIT_SOURCES := $(sort $(shell find tests/unit -name 'test_*.c' 2>/dev/null))
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/unit/%)
# Programs by which tests under pytest look at parts that the command line does not show: tests/<room>/<name>_dump.c
DUMP_SOURCES := $(sort $(wildcard tests/*/*_dump.c))
DUMPS := $(DUMP_SOURCES:tests/%.c=$(BUILD)/tests/%)
# What tests/fault preloads into the program: plain, whatever CONF is.
FAULTLIB := $(BUILD)/tests/fault/faultlib.so
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZERS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/fuzzers/%)

.PHONY: all
all: $(BINARY) $(DUCKDB)

$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "  CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS_$*) -MMD -MP -c $< -o $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	@echo "  CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# The folder's time tells of one that came or went.
$(BUILD)/gen/store_migrations.c: scripts/embed_migrations.sh $(MIGRATIONS) src/store/migrations
	@mkdir -p $(@D)
	@scripts/embed_migrations.sh $(MIGRATIONS) >$@.new && mv $@.new $@

# One vector variant a file: compiled for its instruction set, called only where the CPU has it.
FLAGS_format/csv/csv_scan_avx2 := -mavx2 -mbmi -mpclmul -mpopcnt
FLAGS_base/utf8_avx2 := -mavx2
FLAGS_format/json/json_scan_avx2 := -mavx2 -mbmi -mpclmul -mpopcnt

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BINARY): $(BUILD)/src/app/main.o $(LIBRARY)
	@echo "  LD $@"; $(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Loaded at run time from beside the program. npm gives all files one old date: the lock file's tells their age.
$(DUCKDB): $(DUCKDB_FROM) package-lock.json
	@mkdir -p $(@D)
	@{ ln -f $< $@ 2>/dev/null || cp -f $< $@; } && touch $@

$(DUCKDB_FROM):
	@echo "$@ is missing: run scripts/setup.sh build" >&2; exit 1

TEST_CPPFLAGS := -Itests -DTEST_BUILD_DIR='"$(BUILD)"'

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY) | $(DUCKDB)
	@mkdir -p $(@D)
	@echo "  LD $@"; $(CC) $(CPPFLAGS) $(TEST_CPPFLAGS) $(CFLAGS) -MMD -MP $< $(LIBRARY) $(LDFLAGS) -lcmocka $(LDLIBS) -o $@

$(BUILD)/tests/%: tests/%.c $(LIBRARY) | $(DUCKDB)
	@mkdir -p $(@D)
	@echo "  LD $@"; $(CC) $(CPPFLAGS) $(TEST_CPPFLAGS) $(CFLAGS) -MMD -MP $< $(LIBRARY) $(LDFLAGS) $(LDLIBS) -o $@

$(FAULTLIB): tests/fault/faultlib.c
	@mkdir -p $(@D)
	@echo "  LD $@"; $(CC) -D_GNU_SOURCE -std=c17 $(WARNINGS) -O2 -g -fPIC -fvisibility=hidden -shared $< -ldl -o $@

$(BUILD)/fuzzers/%: tests/fuzz/%.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  LD $@"; $(CC) $(CPPFLAGS) $(TEST_CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer -MMD -MP $< $(LIBRARY) \
		$(LDFLAGS) -fsanitize=fuzzer $(LDLIBS) -o $@

.PHONY: unit-programs test-programs fuzzers
unit-programs: $(UNIT_TESTS)
test-programs: $(DUMPS) $(FAULTLIB)
# make CC=clang CONF=fuzz fuzzers
fuzzers: $(FUZZERS)

.PHONY: unit
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do $$t || exit 1; done

# Run some of the unit tests: make unit-format, unit-format/parquet, unit-sql/test_session
UNIT_GROUPS := $(addprefix unit-,$(UNIT_SOURCES:tests/unit/%.c=%) \
	$(shell find tests/unit -mindepth 1 -type d -printf '%P\n' 2>/dev/null))
.PHONY: $(UNIT_GROUPS)
$(UNIT_GROUPS): unit-%:
	@$(MAKE) --no-print-directory $(filter $(BUILD)/unit/$*%,$(UNIT_TESTS))
	@for t in $(filter $(BUILD)/unit/$*%,$(UNIT_TESTS)); do $$t || exit 1; done

.PHONY: clean
clean:
	rm -rf build

# What follows is the work of scripts; each can also be called by itself.
.PHONY: setup check soak demo serve bench format help
setup:
	@scripts/setup.sh check

check:
	@scripts/check.sh

soak:
	@scripts/soak.sh

format: setup
	@find src tests bench -name '*.[ch]' -exec clang-format -i {} +
	@.venv/bin/ruff format --quiet . && .venv/bin/ruff check --quiet --fix .

demo:
	@scripts/setup.sh build
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh

# On the home that `make demo` leaves, or on HOME_DIR=...
HOME_DIR ?= build/demo-home
serve:
	@scripts/setup.sh build
	@$(MAKE) --no-print-directory all
	@$(BINARY) serve --home $(HOME_DIR)

bench: setup
	@$(MAKE) --no-print-directory all
	@mkdir -p bench/data
	@.venv/bin/python bench/run.py --flowforge build/release/flowforge --data bench/data --out docs/benchmarks.md
	@.venv/bin/python bench/sources.py --flowforge build/release/flowforge --out docs/benchmarks.md
	@.venv/bin/python bench/serve.py --flowforge build/release/flowforge --data bench/data --out docs/benchmarks.md

help:
	@echo "make            the program, build/release/flowforge"
	@echo "make setup      install what building and testing need (apt, npm, a Python environment in .venv)"
	@echo "make check      everything that has to pass: format, both compilers, sanitizers, tests, short fuzz runs"
	@echo "make demo       run a pipeline on real data, landing to gold, and show what it made"
	@echo "make serve      start the server on the demo's home (HOME_DIR=... for another)"
	@echo "make bench      measure against DuckDB and Polars, writes docs/benchmarks.md"
	@echo "make soak       the long forms of the tests, then long fuzzing; SOAK_SECONDS=600 for each target"
	@echo "make format     format the C and Python sources"
	@echo "make unit       the C unit tests (CONF=asan with sanitizers); unit-<folder> for some of them"
	@echo "make clean      remove build/"

-include $(OBJECTS:.o=.d) $(BUILD)/src/app/main.d $(UNIT_TESTS:=.d) $(DUMPS:=.d) $(FUZZERS:=.d)
