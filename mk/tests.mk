# Unit tests: tests/unit/ROOM/NOUN_test.c links room ROOM and the floors it may see (mk/floors.txt).
UNIT_SRCS = $(wildcard tests/unit/*/*_test.c)
UNIT_BINS = $(patsubst tests/unit/%.c,$(O)/unit/%,$(UNIT_SRCS))
floors_below = $(filter-out gw apps examples,$(shell sed -n 's/^$(1): *//p' mk/floors.txt))
unit_libs = $(foreach r,$(1) $(call floors_below,$(1)),$(call room_lib,$(r)))
SUPPORT_OBJS = $(patsubst tests/%.c,$(O)/obj/tests/%.o,$(wildcard tests/support/*.c))
unit_bins_of = $(filter $(O)/unit/$(1)/%,$(UNIT_BINS))

$(O)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP -c $< -o $@

define unit_rule
$(O)/unit/$(1)/%_test: $(O)/obj/tests/unit/$(1)/%_test.o $(SUPPORT_OBJS) $(call unit_libs,$(1))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -rdynamic $$< $$(SUPPORT_OBJS) -Wl,--start-group \
		$$(filter %.a,$$^) -Wl,--end-group -o $$@ -lcmocka $$(LDLIBS)
.PHONY: unit-$(1)
unit-$(1): $(call unit_bins_of,$(1))
	$(Q)for t in $$^; do timeout 60 $$$$t || exit 1; done
endef
$(foreach r,$(ROOMS),$(eval $(call unit_rule,$(r))))

.SECONDARY:
.PHONY: unit unit-bins check asan
unit-bins: $(UNIT_BINS)
unit: $(UNIT_BINS)
	$(Q)for t in $^; do timeout 60 $$t || exit 1; done

# Everything on this compiler (./check runs both compilers, with sanitizers too).
check:
	$(Q)/usr/bin/python3 tests/run.py gcc
asan:
	$(Q)/usr/bin/python3 tests/run.py gcc-san clang-san

# Faults on purpose, and what they cost: the table in docs/operations.md is written anew. Wants a machine
# that does nothing else. `make chaos ONLY=registry` runs the faults with that word in their name.
.PHONY: chaos
chaos: $(O)/gatehouse
	$(Q)cd tests/integration && GATEHOUSE=$(abspath $(O)/gatehouse) GATEHOUSE_INCLUDE=$(abspath include) \
		PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m chaos --write $(abspath docs/operations.md) $(if $(ONLY),--only "$(ONLY)")

# Fuzz targets: tests/fuzz/NOUN_fuzz.c with tests/fuzz/corpus/NOUN and, once it crashed, regress/NOUN.
# `make fuzz T=60` searches with libFuzzer for so many seconds each (clang only), ONLY="ws http" in some;
# `make fuzz-replay` runs what is known, on any compiler.
T ?= 60
FUZZ_NOUNS = $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_OBJS = $(O)/obj/tests/fuzz/both_ways.o $(O)/obj/tests/support/feed.o
REPLAY_BINS = $(patsubst %,$(O)/fuzz/%_replay,$(FUZZ_NOUNS))
FUZZ_BINS = $(patsubst %,$(O)/fuzz/%_fuzz,$(FUZZ_NOUNS))

# Targets link the room proto, or another one and what else they need. Those that run a whole role
# get their sockets, epoll and time from tests/fuzz/kernel.c.
FUZZ_ROOM_gateway = gateway
FUZZ_ROOM_api = web
FUZZ_ROOM_conf = cmd
FUZZ_ROOM_envelope = cluster
FUZZ_ALSO_gateway = gateway_scene kernel
FUZZ_ALSO_api = kernel
KERNEL_CALLS = socket connect accept4 recv send sendmsg shutdown close epoll_create1 epoll_ctl epoll_wait \
	getsockname getpeername setsockopt getsockopt ioctl
FUZZ_FLAGS_gateway = $(KERNEL_CALLS:%=-Wl,--wrap=%)
FUZZ_FLAGS_api = $(FUZZ_FLAGS_gateway)
FUZZ_FLAGS_conf = -Wl,--wrap=getaddrinfo -Wl,--wrap=mkdir

define fuzz_rule
$(O)/fuzz/$(1)_replay: $(O)/obj/tests/fuzz/replay.o
$(O)/fuzz/$(1)_fuzz: LDFLAGS += -fsanitize=fuzzer
$(O)/fuzz/$(1)_replay $(O)/fuzz/$(1)_fuzz: $(FUZZ_ALSO_$(1):%=$(O)/obj/tests/fuzz/%.o) $(O)/obj/tests/fuzz/$(1)_fuzz.o \
		$(FUZZ_OBJS) $(call unit_libs,$(or $(FUZZ_ROOM_$(1)),proto))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) $(FUZZ_FLAGS_$(1)) $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
		-Wl,--end-group -o $$@ $$(LDLIBS)
endef
$(foreach n,$(FUZZ_NOUNS),$(eval $(call fuzz_rule,$(n))))

.PHONY: fuzz fuzz-run fuzz-bins fuzz-replay
fuzz-bins: $(REPLAY_BINS)
fuzz-replay: $(REPLAY_BINS)
	$(Q)for n in $(FUZZ_NOUNS); do \
		timeout 60 $(O)/fuzz/$${n}_replay tests/fuzz/corpus/$$n tests/fuzz/regress/$$n \
			>$(O)/fuzz/$$n.log 2>&1 || { cat $(O)/fuzz/$$n.log; exit 1; }; \
		echo "  $$n: $$(tail -n 1 $(O)/fuzz/$$n.log)"; done

fuzz:
	$(Q)$(MAKE) --no-print-directory O=$(O)/libfuzzer CC=clang T=$(T) \
		SAN=fuzzer-no-link,address,undefined fuzz-run
# What is found grows a copy of the corpus; inputs worth keeping are moved to tests/fuzz by hand.
fuzz-run: $(FUZZ_BINS)
	$(Q)for n in $(or $(ONLY),$(FUZZ_NOUNS)); do \
		echo "  FUZZ  $$n, $(T) s"; \
		mkdir -p $(O)/fuzz/found/$$n $(O)/fuzz/crashes; \
		$(O)/fuzz/$${n}_fuzz -max_total_time=$(T) -timeout=10 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(O)/fuzz/crashes/$$n- $(O)/fuzz/found/$$n tests/fuzz/corpus/$$n \
			$$(ls -d tests/fuzz/regress/$$n 2>/dev/null) || exit 1; done

# Lines of proto that its unit tests and the corpora run, file by file; fails below 95 %.
.PHONY: coverage coverage-run
coverage:
	$(Q)$(MAKE) --no-print-directory O=$(O)/coverage CC=gcc SAN= DEBUG=1 COVERAGE=1 coverage-run
coverage-run: $(call unit_bins_of,proto) $(REPLAY_BINS)
	$(Q)tools/coverage.sh $(O) proto 95

# What runs beside the loop: look-ups of names, the SQLite store, libnats, and the log that they write to.
TSAN_TESTS = net/resolve_test store/sqlite_test store/db_test cluster/bus_test cluster/cond_test base/log_test
.PHONY: tsan tsan-bins tsan-run
tsan-bins: $(filter $(addprefix $(O)/unit/,$(TSAN_TESTS)),$(UNIT_BINS))
tsan:
	$(Q)$(MAKE) --no-print-directory O=$(O)/tsan CC=clang SAN=thread tsan-run
tsan-run: tsan-bins
	$(Q)for t in $(addprefix $(O)/unit/,$(TSAN_TESTS)); do TSAN_OPTIONS=halt_on_error=1 timeout 120 $$t || exit 1; done

# `make soak MINUTES=30`: the chat for so long, with everything that can happen to it; see tests/soak.
.PHONY: soak
soak: $(O)/gatehouse
	$(Q)GATEHOUSE=$(abspath $(O)/gatehouse) /usr/bin/python3 tests/soak/soak.py --minutes $(or $(MINUTES),10) \
		--out $(O)/soak $(if $(SIZE),--size $(SIZE))
