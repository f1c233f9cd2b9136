#!/bin/sh
# musl.sh MUSL_GCC SOURCE WORK: builds memfs and its streams for musl, and runs a program on them.
set -eu

compiler=$1 source=$2 work=$3
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# The names of files are words to split; none has a blank.
# shellcheck disable=SC2046
"$compiler" -std=c11 -O0 -D_GNU_SOURCE=1 -DMEMFS_STATIC=1 -DMEMFS_CHECK_LEVEL=1 \
    -DMFS_STDIO_FUNOPEN=0 -D_FILE_OFFSET_BITS=64 \
    -I "$source/include" -I "$source/src/core" -I "$source/src/stdio" \
    $(find "$source/src/core" "$source/src/stdio" -name '*.c') \
    "$source/tests/stdio/libc_program.c" -static -o program -lpthread
./program
