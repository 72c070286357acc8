#!/bin/sh
# Lines of one room that its unit tests and the fuzz corpora run: coverage.sh BUILD ROOM PERCENT, after
# `make coverage` has built them with --coverage. Names each file and its lines that were not run, and
# fails below PERCENT.
set -eu
out=$1 room=$2 least=$3
find "$out" -name '*.gcda' -delete
for test in "$out"/unit/"$room"/*_test; do
    "$test" >"$out/coverage.log" 2>&1 || { cat "$out/coverage.log"; exit 1; }
done
for replay in "$out"/fuzz/*_replay; do
    noun=$(basename "$replay" _replay)
    "$replay" tests/fuzz/corpus/"$noun" tests/fuzz/regress/"$noun" >"$out/coverage.log" 2>&1 ||
        { cat "$out/coverage.log"; exit 1; }
done
# gcov's text: "        5:   12:code" ran, "    #####:   12:code" did not, "        -:" is no code.
for file in src/"$room"/*.c; do
    object="$out/obj/${file#src/}"
    gcov --stdout --object-file "${object%.c}.o" "$file" 2>/dev/null |
        awk -F: -v file="$file" '
            $3 == "Source" { is_own = ($4 == file) }
            !is_own || $2 + 0 == 0 { next }
            $1 ~ /#####|=====/ { missed = missed " " $2 + 0; all++; next }
            $1 ~ /[0-9]/ { all++; run++ }
            END { printf "%s %d %d%s\n", file, run, all ? all : 1, missed }'
done | awk -v least="$least" '
    { run += $2; all += $3; printf "%6.1f %%  %s", $3 ? 100 * $2 / $3 : 100, $1
      if (NF > 3) { $1 = $2 = $3 = ""; gsub(/ +/, " "); printf "  not run:%s", $0 }
      print "" }
    END { share = all ? 100 * run / all : 0; printf "%6.1f %%  of %d lines\n", share, all
          exit !(share >= least) }'
