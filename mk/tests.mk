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
