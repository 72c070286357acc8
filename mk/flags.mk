# Compiler flags; warnings are errors on both compilers.
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual \
       -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough \
       -Wno-unused-parameter -fno-common -Werror
OPT = $(if $(DEBUG),-O0,-O2) -g
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)
# Taken if it is there: without libseccomp there is no filter of system calls.
ifeq ($(shell $(PKG_CONFIG) --exists libseccomp && echo yes),yes)
$(O)/obj/proc/sandbox.o: CPPFLAGS += -DHAS_SECCOMP $(shell $(PKG_CONFIG) --cflags libseccomp)
LDLIBS += $(shell $(PKG_CONFIG) --libs libseccomp)
endif
# Likewise: without libnats [cluster] is refused.
ifeq ($(shell $(PKG_CONFIG) --exists libnats && echo yes),yes)
$(O)/obj/cluster/nats.o: CPPFLAGS += -DHAS_NATS $(shell $(PKG_CONFIG) --cflags libnats)
LDLIBS += $(shell $(PKG_CONFIG) --libs libnats)
endif
CPPFLAGS += -D_GNU_SOURCE -Isrc -Iinclude
CFLAGS += -std=c17 $(OPT) $(WARN) -fvisibility=hidden -fPIC -pthread $(PKG_CFLAGS) \
          -fstack-protector-strong -fno-omit-frame-pointer
LDLIBS += $(PKG_LIBS) -linih -ldl -lm -pthread
ifneq ($(SAN),)
CFLAGS += -fsanitize=$(SAN) -fno-sanitize-recover=all
LDFLAGS += -fsanitize=$(SAN)
endif
ifneq ($(COVERAGE),)
CFLAGS += --coverage
LDFLAGS += --coverage
endif
# LTO=1 is for what is installed and what is measured: all rooms are optimised as one program, which
# takes an eighth of the instructions per message away and a quarter of a minute to link. The objects
# hold machine code as well, for the static library. clang can do that from 17 on: not asked of it.
ifneq ($(LTO),)
ifeq ($(findstring clang,$(CC)),)
CFLAGS += -flto=auto -ffat-lto-objects
endif
endif
ifeq ($(V),)
Q = @
say = @printf '  %-5s %s\n' $(1) $(2)
else
Q =
say = @:
endif
