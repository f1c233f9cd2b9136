#!/bin/sh
# Runs bootstrap in a directory where every tool is a stand-in, and looks at what
# it asks apt for.
#
#   bootstrap_test.sh BOOTSTRAP
set -eu

bootstrap=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
checks=0

stand_in() {
    printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# A machine with the named tools and packages; apt-get writes down its arguments.
machine() {
    rm -rf "${work:?}/bin" "$work/log" "$work/build"
    mkdir -p "$work/bin" "$work/build/release/bin"
    cp "$bootstrap" "$work/bootstrap"
    for tool in sh dirname cat printf test; do
        real=$(command -v "$tool") && [ -x "$real" ] && ln -sf "$real" "$work/bin/$tool"
    done
    : >"$work/log"
    printf '#!/bin/sh\necho "the demo runs: $*"\n' >"$work/build/release/bin/demo"
    chmod +x "$work/build/release/bin/demo"
    for tool in "$@"; do
        stand_in "$tool" "exit 0"
    done
}

has_apt_as() {
    stand_in id "echo $1"
    stand_in apt-get "echo \"apt-get \$*\" >>$work/log"
}

# expect WORDS STATUS ARGUMENTS...: bootstrap prints or asks apt for WORDS.
expect() {
    words=$1 status=$2
    shift 2
    checks=$((checks + 1))
    actual=0
    (cd / && PATH=$work/bin "$work/bootstrap" "$@") >>"$work/log" 2>&1 || actual=$?
    if [ "$actual" -ne "$status" ] || ! grep -qF -- "$words" "$work/log"; then
        failures=$((failures + 1))
        echo "bootstrap $*: status $actual, expected $status and '$words'; it said:"
        cat "$work/log"
    fi
}

refute() {
    checks=$((checks + 1))
    if grep -qF -- "$1" "$work/log"; then
        failures=$((failures + 1))
        echo "bootstrap: '$1' was not expected:"
        cat "$work/log"
    fi
}

all="gcc g++ cmake ninja pkg-config python3 sqlite3 clang-format shellcheck"

# Nothing is missing: no apt, no root.
# shellcheck disable=SC2086
machine $all
has_apt_as 1000
expect "the demo runs: /" 0 demo /
refute "apt-get"

# Some is missing: just that.
machine gcc cmake pkg-config
has_apt_as 0
expect "apt-get install -y --no-install-recommends ninja-build" 0 demo
refute "libsqlite3-dev"

# The libraries are missing, and we are not root: sudo.
machine gcc cmake ninja
has_apt_as 1000
stand_in pkg-config "exit 1"
stand_in sudo "echo with sudo >>$work/log; \"\$@\""
expect "with sudo" 0 demo
libraries="libsqlite3-dev libarchive-dev libuv1-dev libcmocka-dev"
expect "apt-get install -y --no-install-recommends $libraries" 0 demo

# Neither root nor sudo: it says what to install.
machine gcc pkg-config ninja
has_apt_as 1000
expect "please install (as root, on Debian: apt-get install cmake)" 1 demo
refute "the demo runs"

# The list of packages is old: update it and try again.
machine gcc cmake ninja
has_apt_as 0
stand_in pkg-config "exit 1"
stand_in apt-get "echo \"apt-get \$*\" >>$work/log
case \$1 in update) : >$work/updated ;; *) test -e $work/updated ;; esac"
expect "apt-get update" 0 demo

# shellcheck disable=SC2086
machine $all
expect "usage:" 2
expect "usage:" 2 dance
expect "usage:" 2 test all

echo "$checks checks, $failures failures"
[ "$failures" -eq 0 ]
