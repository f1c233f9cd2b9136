#!/bin/sh
# Uses memfs as a stranger would.
#
#   consume.sh stage         KIND SOURCE WORK PART...   build and install into WORK/KIND
#   consume.sh package       KIND SOURCE WORK PART...   make the package, unpack it to WORK/KIND,
#                                                       and use its command and extension
#   consume.sh dist          KIND SOURCE WORK PART...   make the source archive, and build from it
#   consume.sh find_package  KIND SOURCE WORK PART...   each of these builds a program
#   consume.sh pkg_config    KIND SOURCE WORK PART...   for each part, and runs it
#   consume.sh subdirectory  KIND SOURCE WORK PART...
#
# KIND is static or shared, or, of packages and what uses them, deb or tgz; a part has a program
# project/PART.c; CC and CMAKE name the tools.
set -eu

how=$1 kind=$2 source=$3 work=$4
shift 4
parts=$*
: "${CC:=cc}" "${CMAKE:=cmake}"
stage=$work/$kind/installed
build=$work/$kind/$how
project=$source/tests/consumer/project
shared=OFF
[ "$kind" != shared ] || shared=ON
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

# As it is made to be installed below /usr.
make_package() {
    "$CMAKE" -S "$source" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$CC" \
        -DCMAKE_BUILD_TYPE=Release -DMEMFS_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr
    "$CMAKE" --build "$build" -j 2
    rm -rf "$stage" "$build/root"
    mkdir "$build/root"
    if [ "$kind" = deb ]; then
        (cd "$build" && cpack -G DEB)
        for package in "$build"/*.deb; do
            dpkg-deb -x "$package" "$build/root"
        done
        # CPack calls ldconfig for the extension, which is no library of the system's.
        lintian --allow-root --fail-on error,warning \
            --suppress-tags maintscript-calls-ldconfig "$build"/*.deb
        mv "$build/root/usr" "$stage"
    else
        (cd "$build" && cpack -G TGZ)
        tar -xzf "$build"/memfs-*.tar.gz -C "$build/root"
        mv "$build"/root/*/ "$stage"
        [ ! -d "$stage/usr" ] || { mv "$stage/usr" "$build/usr" && rmdir "$stage" &&
            mv "$build/usr" "$stage"; }
    fi
    "$stage/bin/memfs" ls "$project" | grep core.c
    [ -f "$stage/share/man/man1/memfs.1.gz" ]
    extension=$(find "$stage" -name memfs_sqlite.so)
    answer=$(sqlite3 :memory: ".load $extension" "ATTACH 'file:/a.db?vfs=memfs' AS a" \
        "CREATE TABLE a.t(x); INSERT INTO a.t VALUES (42); SELECT x FROM a.t")
    [ "$answer" = 42 ]
    "$CC" -std=c11 "$project/core.c" "$stage/share/memfs/memfs.c" -I "$build/drop" \
        -I "$stage/include" -pthread -o "$build/dropped"
    "$build/dropped"
}

# Twice the same bytes; a program, a build, and the archive again, from what is in them.
make_dist() {
    "$CMAKE" -S "$source" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$CC" -DMEMFS_BUILD_TESTS=OFF
    "$CMAKE" --build "$build" --target dist
    mkdir "$build/out"
    cp "$build"/memfs-*.tar.gz "$build/out/first.tar.gz"
    "$CMAKE" --build "$build" --target dist
    cmp "$build"/memfs-*.tar.gz "$build/out/first.tar.gz"
    tar -xzf "$build/out/first.tar.gz" -C "$build/out"
    unpacked=$(echo "$build"/out/memfs-*/)
    "$CC" -std=c11 "$project/core.c" "$unpacked/amalgamation/memfs.c" -I "$unpacked/include" \
        -pthread -o "$build/out/program"
    "$build/out/program"
    "$CMAKE" -S "$unpacked" -B "$build/again" -G Ninja -DCMAKE_C_COMPILER="$CC" \
        -DMEMFS_BUILD_TESTS=OFF -DMEMFS_BUILD_EXAMPLES=OFF
    "$CMAKE" --build "$build/again" --target memfs dist -j 2
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
package) make_package ;;
dist) make_dist ;;
find_package) use_cmake -DCMAKE_PREFIX_PATH="$stage" ;;
subdirectory) use_cmake -DMEMFS_SOURCE="$source" ;;
pkg_config) use_pkg_config ;;
*)
    echo "consume.sh: unknown way '$how'" >&2
    exit 2
    ;;
esac
