#!/bin/sh
# Runs the tour, compares what it prints with the README, and has unzip test the ZIP.
#
#     tour_test.sh TOUR README
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$work/tour.zip" >"$work/printed"
awk '/^```text tour$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$2" >"$work/shown"
# How much is used differs a little from build to build.
settle() {
    sed -i 's/used [0-9]* KiB, requested [0-9]* KiB/used U KiB, requested R KiB/' "$1"
}
settle "$work/shown"
settle "$work/printed"
diff "$work/shown" "$work/printed" || {
    echo "the README shows something else" >&2
    exit 1
}
if command -v unzip >/dev/null; then
    unzip -tqq "$work/tour.zip"
fi
