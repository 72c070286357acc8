#!/bin/sh
# Prints a compilation database: tools/compile_commands.sh 'cc -flags' (see make compile_commands.json)
set -eu
cd "$(dirname "$0")/.."
comma='['
git ls-files 'src/*.c' 'tests/unit/*.c' | while read -r file; do
    printf '%s\n{"directory": "%s", "file": "%s", "command": "%s -Itests -c %s"}' "$comma" "$PWD" "$file" "$1" "$file"
    comma=,
done
printf '\n]\n'
