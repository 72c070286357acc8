# Benchmarks: bench/ has the floor program, the load generator and run.py; bench/micro one program per
# noun. `make bench ROUNDS=3` compares, `make bench ROUNDS=1 QUICK=1` takes two minutes, `make bench PLAN=1` tells
# how long it would take, `make micro`.
BENCH_CFLAGS = $(filter-out -fstack-protector-strong,$(CFLAGS)) -march=native
bench_obj = $(patsubst bench/%.c,$(O)/obj/bench/%.o,$(1))
BENCH_SHARED = bench/outbuf.c
FLOOR_SRCS = bench/floor.c bench/hop.c bench/ws_server.c $(BENCH_SHARED)
LOAD_SRCS = $(filter-out bench/floor.c bench/hop.c bench/ws_server.c bench/thin.c bench/deflates.c bench/selftest.c,$(wildcard bench/*.c))

$(O)/obj/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -I. $(BENCH_CFLAGS) -MMD -MP -c $< -o $@

$(O)/bench/floor: $(call bench_obj,$(FLOOR_SRCS))
$(O)/bench/load: $(call bench_obj,$(LOAD_SRCS))
$(O)/bench/floor $(O)/bench/load:
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) $(LDFLAGS) $^ -o $@ -lssl -lcrypto -lz -lm

# Preloaded into a server whose compressions are counted.
$(O)/bench/deflates.so: bench/deflates.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(BENCH_CFLAGS) -fPIC -shared $< -o $@

# Business modules ready to load, so that a run does not time the compiler.
$(O)/bench/thin.so: bench/thin.c $(wildcard include/gw/*.h)
$(O)/bench/chat.so: $(wildcard apps/chat/*.[ch]) $(wildcard include/gw/*.h)
$(O)/bench/thin.so $(O)/bench/chat.so:
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(OPT) $(WARN) -fPIC -fvisibility=hidden -Iinclude -shared $(filter %.c,$^) -o $@

# uWebSockets, when UWS_DIR names a checkout of it with uSockets inside.
$(O)/bench/uws: bench/peers/uws.cpp
	@mkdir -p $(@D)/usockets
	$(call say,CXX,$<)
	$(Q)cd $(@D)/usockets && $(CC) -O3 -march=native -DLIBUS_NO_SSL -I$(abspath $(UWS_DIR))/uSockets/src \
		-c $(abspath $(UWS_DIR))/uSockets/src/*.c $(abspath $(UWS_DIR))/uSockets/src/eventing/*.c
	$(Q)$(CXX) -std=c++20 -O3 -march=native -DLIBUS_NO_SSL -DUWS_NO_ZLIB -w -I$(UWS_DIR)/src \
		-I$(UWS_DIR)/uSockets/src $< $(@D)/usockets/*.o -o $@

# npm's ws and socket.io; without npm they are skipped.
$(O)/bench/peers/node_modules: bench/peers/package.json
	@mkdir -p $(@D)
	$(Q)cp $< $(@D)
	$(Q)cd $(@D) && npm install --silent --no-audit --no-fund >npm.log 2>&1 && touch node_modules || rm -rf node_modules

BENCH_NEEDS = $(O)/gatehouse $(O)/bench/floor $(O)/bench/load $(O)/bench/thin.so $(O)/bench/chat.so \
	$(O)/bench/deflates.so $(if $(UWS_DIR),$(O)/bench/uws)
.PHONY: bench bench-run
bench:
	$(Q)$(MAKE) --no-print-directory O=$(O)/release LTO=1 bench-run
bench-run: $(BENCH_NEEDS)
	$(Q)$(if $(shell command -v npm),$(MAKE) --no-print-directory $(O)/bench/peers/node_modules || true)
	$(Q)/usr/bin/python3 bench/run.py --build $(O) --rounds $(or $(ROUNDS),3) $(if $(QUICK),--quick) \
		$(if $(ONLY),--only $(ONLY)) $(if $(NICE),--nice $(NICE)) $(if $(PLAN),--plan) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(BEFORE),--before $(BEFORE)) \
		$(if $(GATEWAYWORKER_DIR),--gatewayworker $(GATEWAYWORKER_DIR))

# One program per noun; each links what it measures and the floors below.
MICRO_NOUNS = $(filter-out micro,$(patsubst bench/micro/%.c,%,$(wildcard bench/micro/*.c)))
MICRO_BINS = $(patsubst %,$(O)/bench/micro/%,$(MICRO_NOUNS))
MICRO_LIBS = $(foreach r,gateway sse client proc chan net proto base,$(call room_lib,$(r)))
$(O)/bench/micro/%: $(O)/obj/bench/micro/%.o $(O)/obj/bench/micro/micro.o $(MICRO_LIBS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -o $@ $(LDLIBS)
.PHONY: micro
micro: $(MICRO_BINS)
	$(Q)for b in $^; do $$b || exit 1; done

# The instrument itself is tested: its parts, and the whole against servers that lie in known ways.
$(O)/bench/selftest: $(call bench_obj,$(addprefix bench/,selftest.c adapter.c hist.c outbuf.c records.c stamp.c ws_client.c))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) $(LDFLAGS) $^ -o $@ -lcmocka -lm
.PHONY: bench-check
bench-check: $(O)/bench/selftest $(O)/bench/floor $(O)/bench/load
	$(Q)$(O)/bench/selftest
	$(Q)/usr/bin/python3 bench/selftest.py $(abspath $(O))
