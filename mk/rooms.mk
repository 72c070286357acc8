# One static library per room, so that a test links only its own room and the floors below.
ROOMS = base proto net chan proc client store cluster mesh module sse registry gateway worker service queue web cmd
room_objs = $(patsubst src/%.c,$(O)/obj/%.o,$(wildcard src/$(1)/*.c)) \
            $(patsubst src/%.S,$(O)/obj/%.o,$(wildcard src/$(1)/*.S))
room_lib = $(O)/lib/lib$(1).a

$(O)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(O)/obj/%.o: src/%.S
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(CPPFLAGS) -c $< -o $@

$(O)/obj/web/openapi.o: docs/openapi.json
$(O)/obj/web/gatehouse_js.o: web/gatehouse.js

define room_rule
$(call room_lib,$(1)): $(call room_objs,$(1))
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))

# The binary exports gw_… to the modules it loads, nothing else (visibility is hidden by default).
$(O)/gatehouse: $(foreach r,$(ROOMS),$(call room_objs,$(r)))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic $^ -o $@ $(LDLIBS)

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
