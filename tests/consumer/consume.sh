#!/bin/sh
# Uses memfs as a stranger would.
#
#   consume.sh stage         KIND SOURCE WORK PART...   build and install into WORK/KIND
#   consume.sh find_package  KIND SOURCE WORK PART...   each of these builds a program
#   consume.sh pkg_config    KIND SOURCE WORK PART...   for each part, and runs it
#   consume.sh subdirectory  KIND SOURCE WORK PART...
#
# KIND is static or shared; a part has a program project/PART.c; CC and CMAKE name the tools.
set -eu

how=$1 kind=$2 source=$3 work=$4
shift 4
parts=$*
: "${CC:=cc}" "${CMAKE:=cmake}"
stage=$work/$kind/installed
build=$work/$kind/$how
project=$source/tests/consumer/project
shared=OFF
[ "$kind" = static ] || shared=ON
components=$(echo "$parts" | tr ' ' ';')

rm -rf "$build"
mkdir -p "$build"

# The stage is moved after it was made: nothing may remember where it was.
make_stage() {
    rm -rf "$stage"
    "$CMAKE" -S "$source" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$CC" \
        -DBUILD_SHARED_LIBS=$shared -DCMAKE_BUILD_TYPE=Release \
        -DMEMFS_BUILD_TESTS=OFF -DMEMFS_BUILD_EXAMPLES=OFF -DCMAKE_INSTALL_PREFIX="$build/made"
    "$CMAKE" --build "$build" -j 2
    "$CMAKE" --install "$build"
    mv "$build/made" "$stage"
    if [ $shared = ON ] && ! ls "$stage"/lib*/libmemfs.so >/dev/null 2>&1 &&
        ! ls "$stage"/lib/*/libmemfs.so >/dev/null 2>&1; then
        echo "no shared library was installed" >&2
        exit 1
    fi
}

use_cmake() {
    "$CMAKE" -S "$project" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$CC" \
        -DBUILD_SHARED_LIBS=$shared -DCONSUME_PARTS="$components" "$@"
    "$CMAKE" --build "$build" -j 2
    for program in $parts; do
        found=$(find "$build" -type f -name "$program" -perm -u+x | head -n 1)
        "$found"
    done
}

use_pkg_config() {
    pc=$(find "$stage" -name memfs.pc)
    PKG_CONFIG_PATH=$(dirname "$pc")
    export PKG_CONFIG_PATH
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir memfs)
    export LD_LIBRARY_PATH
    for program in $parts; do
        package=memfs
        [ "$program" = core ] || package=memfs-$program
        # The flags are words to split.
        # shellcheck disable=SC2046
        "$CC" -std=c11 "$project/$program.c" -o "$build/$program" \
            $(pkg-config --cflags --libs "$package")
        "$build/$program"
    done
}

case $how in
stage) make_stage ;;
find_package) use_cmake -DCMAKE_PREFIX_PATH="$stage" ;;
subdirectory) use_cmake -DMEMFS_SOURCE="$source" ;;
pkg_config) use_pkg_config ;;
*)
    echo "consume.sh: unknown way '$how'" >&2
    exit 2
    ;;
esac
