# libgatehouse: the Gateway API for programs outside. One relocatable object is made of the room
# client and of what it needs from below; its hidden symbols become local, so that neither library
# exports or collides with anything but gw_….
SO_NAME = libgatehouse.so.0
LIB_OBJS = $(call room_objs,client) $(patsubst %,$(O)/obj/base/%.o,err json json_write)
LIB_BELOW = $(foreach r,chan net proto base,$(call room_lib,$(r)))
LIB_PKGS = jansson openssl zlib
OBJCOPY ?= objcopy

.PHONY: lib
all: lib
lib: $(O)/libgatehouse.a $(O)/$(SO_NAME) $(O)/gatehouse.pc

$(O)/libgatehouse.o: $(LIB_OBJS) $(LIB_BELOW) mk/lib.mk
	$(call say,LD,$@)
	$(Q)$(CC) -r -nostdlib -fno-lto -o $@ $(LIB_OBJS) -Wl,--start-group $(LIB_BELOW) -Wl,--end-group
	$(Q)$(OBJCOPY) --localize-hidden --wildcard --remove-section '.gnu.*lto_*' $@

$(O)/libgatehouse.a: $(O)/libgatehouse.o
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $<

$(O)/$(SO_NAME): $(O)/libgatehouse.o mk/libgatehouse.map
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SO_NAME) $(if $(SAN),,-Wl,-z,defs) -Wl,--as-needed \
		-Wl,--version-script=mk/libgatehouse.map $< -o $@ $(PKG_LIBS) -lm -pthread
	$(Q)ln -sf $(SO_NAME) $(O)/libgatehouse.so

# The paths are those of the installation, which `make install PREFIX=…` tells, so it is made anew
# each time.
.PHONY: $(O)/gatehouse.pc
$(O)/gatehouse.pc: mk/gatehouse.pc.in src/proc/version.h mk/lib.mk
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@PKGS@|$(LIB_PKGS)|' \
		-e "s|@VERSION@|$$(sed -n 's/.*GATEHOUSE_VERSION "\(.*\)".*/\1/p' src/proc/version.h)|" $< > $@
