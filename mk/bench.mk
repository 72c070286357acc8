# Benchmarks: bench/ has the floor program, the load generator and run.py; bench/micro one program per
# noun. `make bench ROUNDS=3` compares, `make bench ROUNDS=1 QUICK=1` takes two minutes, `make micro`.
BENCH_CFLAGS = $(filter-out -fstack-protector-strong,$(CFLAGS)) -march=native
bench_obj = $(patsubst bench/%.c,$(O)/obj/bench/%.o,$(1))
BENCH_SHARED = bench/outbuf.c
FLOOR_SRCS = bench/floor.c bench/hop.c bench/ws_server.c $(BENCH_SHARED)
LOAD_SRCS = $(filter-out bench/floor.c bench/hop.c bench/ws_server.c bench/thin.c,$(wildcard bench/*.c))

$(O)/obj/bench/%.o: bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -I. $(BENCH_CFLAGS) -MMD -MP -c $< -o $@

$(O)/bench/floor: $(call bench_obj,$(FLOOR_SRCS))
$(O)/bench/load: $(call bench_obj,$(LOAD_SRCS))
$(O)/bench/floor $(O)/bench/load:
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) $(LDFLAGS) $^ -o $@ -lssl -lcrypto -lm
