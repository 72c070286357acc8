#!/bin/sh
# Renews what stands below the marker line of docs/operations.md with the output of `gatehouse keys`.
set -eu
binary=$1
page=$2
marker='<!-- from here on: make docs -->'
grep -qxF -e "$marker" "$page" || { echo "$page: the line \"$marker\" is missing" >&2; exit 1; }
new=$(mktemp)
trap 'rm -f "$new"' EXIT
sed "/^$marker\$/q" "$page" >"$new"
{
    echo
    "$binary" keys
} >>"$new"
cat "$new" >"$page"
