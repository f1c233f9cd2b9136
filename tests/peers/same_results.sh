#!/bin/sh
# same_results.sh COUNT COMMAND...: the command prints "Verification Hash" COUNT times,
# always the same.
set -u
count=$1
shift
output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"
[ "$status" -eq 0 ] || exit "$status"
hashes=$(printf '%s\n' "$output" | grep '^Verification Hash: ')
[ "$(printf '%s\n' "$hashes" | wc -l)" -eq "$count" ] || { echo "not $count results"; exit 1; }
[ "$(printf '%s\n' "$hashes" | sort -u | wc -l)" -eq 1 ] || { echo "results differ"; exit 1; }
