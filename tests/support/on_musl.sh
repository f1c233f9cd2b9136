#!/bin/sh
# on_musl.sh MUSL_GCC SOURCE WORK PART PROGRAM FLAG...: builds the core and a part of src/ for
# musl, with the flags, and runs a program of one source file on them.
set -eu

compiler=$1 source=$2 work=$3 part=$4 program=$5
shift 5
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# The names of files are words to split; none has a blank.
# shellcheck disable=SC2046
"$compiler" -std=c11 -O0 -D_GNU_SOURCE=1 -DMEMFS_STATIC=1 -DMEMFS_CHECK_LEVEL=1 "$@" \
    -I "$source/include" -I "$source/src/core" -I "$source/src/common" -I "$source/src/$part" \
    $(find "$source/src/core" "$source/src/$part" -name '*.c') "$program" \
    -static -o program -lpthread
./program
