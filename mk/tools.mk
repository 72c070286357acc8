.PHONY: floors format lint clean install
floors:
	$(Q)tools/floors.sh

SOURCES = $(shell git ls-files 'src/*.[ch]' 'include/*.h' 'apps/*.c' 'examples/*.c' 'tests/*.[ch]' 'bench/*.[ch]')
format:
	$(Q)clang-format -i $(SOURCES)

# One run for each file: version 14 reports va_list errors that are none when it is given several.
LINT_JOBS ?= $(shell nproc)
lint:
	$(Q)printf '%s\n' $(filter src/%.c apps/%.c examples/%.c,$(SOURCES)) | \
		xargs -P $(LINT_JOBS) -I '{}' clang-tidy --quiet '{}' -- $(CPPFLAGS) -std=c17 $(PKG_CFLAGS)

# For clangd and other tools: one entry per source file.
compile_commands.json:
	$(Q)tools/compile_commands.sh '$(CC) $(CPPFLAGS) -std=c17 $(WARN) $(PKG_CFLAGS)' > $@
.PHONY: compile_commands.json

install: $(O)/gatehouse lib
	install -D -m 755 $(O)/gatehouse $(DESTDIR)$(PREFIX)/bin/gatehouse
	install -d $(DESTDIR)$(PREFIX)/include/gw
	install -m 644 include/gw/*.h $(DESTDIR)$(PREFIX)/include/gw
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man3
	install -m 644 $(O)/libgatehouse.a $(O)/$(SO_NAME) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(SO_NAME) $(DESTDIR)$(PREFIX)/lib/libgatehouse.so
	install -m 644 $(O)/gatehouse.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 docs/man/gatehouse.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 docs/man/libgatehouse.3 $(DESTDIR)$(PREFIX)/share/man/man3
	install -d $(DESTDIR)$(PREFIX)/share/gatehouse/chat/web
	install -m 644 apps/chat/*.[ch] apps/chat/*.conf $(DESTDIR)$(PREFIX)/share/gatehouse/chat
	install -d $(DESTDIR)$(PREFIX)/share/gatehouse/web
	install -m 644 web/gatehouse.js web/gatehouse.d.ts $(DESTDIR)$(PREFIX)/share/gatehouse/web
	cp -R apps/chat/web/. $(DESTDIR)$(PREFIX)/share/gatehouse/chat/web
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' dist/gatehouse.service.in > $(DESTDIR)$(PREFIX)/lib/systemd/system/gatehouse.service
	sed 's|@PREFIX@|$(PREFIX)|' dist/gatehouse.conf.in > $(DESTDIR)$(PREFIX)/share/gatehouse/gatehouse.conf

clean:
	rm -rf $(O)

# The reference of all config keys in docs/operations.md comes from the tables of the source.
.PHONY: docs
docs: $(O)/gatehouse
	$(Q)tools/docs.sh $(O)/gatehouse docs/operations.md
