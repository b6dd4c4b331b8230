# FlowForge's build. `make help` lists the targets.
#
# CONF picks one of the build directories below build/: release (default), asan (address and
# undefined sanitizers), tsan. CC=clang builds with clang into build/clang-$(CONF).

CONF ?= release
VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif
BUILD := build/$(if $(findstring clang,$(CC)),clang-)$(CONF)

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
CONF_FLAGS := $(FLAGS_$(CONF))
ifeq ($(CONF_FLAGS),)
$(error CONF is release, asan or tsan, not '$(CONF)')
endif

CPPFLAGS := -Isrc -D_GNU_SOURCE -DFLOWFORGE_VERSION='"$(VERSION)"'
CFLAGS := -std=c17 $(WARNINGS) $(CONF_FLAGS) -fvisibility=hidden -pthread
LDFLAGS := $(CONF_FLAGS) -pthread
LDLIBS := -lsnappy -lzstd -lz -lxxhash -ljansson -lm -ldl

SOURCES := $(filter-out src/app/main.c,$(sort $(shell find src -name '*.c')))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libflowforge.a
BINARY := $(BUILD)/flowforge
UNIT_SOURCES := $(sort $(shell find tests/unit -name 'test_*.c' 2>/dev/null))
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(BUILD)/unit/%)

.PHONY: all
all: $(BINARY)

$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "  CC $<"; $(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS_$*) -MMD -MP -c $< -o $@

# One vector variant a file: compiled for its instruction set, called only where the CPU has it.
FLAGS_format/csv/csv_scan_avx2 := -mavx2 -mbmi -mpclmul -mpopcnt
FLAGS_format/json/json_scan_avx2 := -mavx2 -mbmi -mpclmul -mpopcnt

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BINARY): $(BUILD)/src/app/main.o $(LIBRARY)
	@echo "  LD $@"; $(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "  LD $@"; $(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP $< $(LIBRARY) $(LDFLAGS) -lcmocka $(LDLIBS) -o $@

.PHONY: unit
unit: $(UNIT_TESTS)
	@for t in $(UNIT_TESTS); do $$t || exit 1; done

# Run some of the unit tests: make unit-format/parquet
.PHONY: unit-%
unit-%:
	@$(MAKE) --no-print-directory $(filter $(BUILD)/unit/$*%,$(UNIT_TESTS))
	@for t in $(filter $(BUILD)/unit/$*%,$(UNIT_TESTS)); do $$t || exit 1; done

.PHONY: clean
clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(BUILD)/src/app/main.d $(UNIT_TESTS:=.d)
