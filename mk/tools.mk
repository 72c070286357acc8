.PHONY: floors format lint clean
floors:
	$(Q)tools/floors.sh

SOURCES = $(shell git ls-files 'src/*.[ch]' 'include/*.h' 'apps/*.c' 'examples/*.c' 'tests/*.[ch]' 'bench/*.[ch]')
format:
	$(Q)clang-format -i $(SOURCES)

clean:
	rm -rf $(O)
