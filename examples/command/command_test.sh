#!/usr/bin/env bash
# The command memfs beside the programs of others: trees in, trees out, and what it refuses.
#
#     command_test.sh MEMFS
set -euo pipefail
memfs=$1
export LC_ALL=C.UTF-8
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "failed: $*" >&2
    exit 1
}

# ends STATUS WORDS COMMAND...: it ends with this status, says these words, and prints nothing.
ends() {
    local wanted=$1 words=$2 status=0
    shift 2
    "$@" >out 2>err || status=$?
    [ "$status" -eq "$wanted" ] || fail "$* ended with $status: $(cat err)"
    grep -q -- "$words" err || fail "$* did not say '$words': $(cat err)"
    [ ! -s out ] || fail "$* printed $(cat out)"
}

# What `diff` does not compare: kind, mode, time of modification, links, target.
metadata() {
    (cd "$1" && find . ! -type d -printf '%p %y %m %T@ %n %l\n' -o -printf '%p %y %m %T@\n' | sort)
}

same() {
    diff -r --no-dereference "$1" "$2" || fail "$1 and $2 differ"
    diff <(metadata "$1") <(metadata "$2") || fail "the metadata of $1 and $2 differ"
}

# --- a real tree there and back: host, memfs, archive, memfs, host

mkdir tree
(cd /usr && find include -type f -size -64k) | awk 'NR <= 3000' >names
tar -C /usr -cf - -T names | tar -C tree -xpf -
mkdir -m 0711 "tree/a  b" tree/empty "tree/fünf
zeilen"
ln -s ../include "tree/a  b/link"
ln -s nowhere tree/dangling
: >tree/nothing
printf 'text' >"tree/fünf
zeilen/-n"
ln "tree/fünf
zeilen/-n" tree/same
truncate -s 3M tree/holes
printf end >>tree/holes
chmod 0401 tree/same
touch -d '1969-12-31 23:59:58 UTC' tree/nothing
touch -d '2031-02-03 04:05:06.000000007 UTC' tree/empty
[ "$(find tree | wc -l)" -gt 1000 ] || fail "too small a tree to be a test"

"$memfs" pack -q 1G tree tree.tar.gz
"$memfs" unpack -q 1G tree.tar.gz back
same tree back
[ "$(stat -c %b back/holes)" -lt 1000 ] || fail "the holes were filled"

# --- the programs of others

mkdir by-tar by-us
tar --warning=no-timestamp -xpf tree.tar.gz -C by-tar
same tree by-tar
tar --format=pax -cf by-tar.tar -C tree .
"$memfs" unpack -q 1G -f by-tar.tar by-us
same tree by-us
if command -v zip >/dev/null && command -v unzip >/dev/null; then
    "$memfs" pack -q 1G tree tree.zip
    unzip -tqq tree.zip || fail "unzip does not take our zip"
    (cd tree && zip -qry ../by-zip.zip include)
    "$memfs" unpack -q 1G by-zip.zip by-zip
    diff -r --no-dereference tree/include by-zip/include
fi

# --- half of the room: refused, and nothing is left

size=$(du -sb --apparent-size tree | cut -f 1)
mkdir nothing
cd nothing
ends 3 'quota exceeded (-q gives more)' "$memfs" pack -q $((size / 2)) ../tree out.tar
ends 3 'quota exceeded (-q gives more)' "$memfs" unpack -q $((size / 2)) ../tree.tar.gz out
ends 3 '(-n gives more)' "$memfs" unpack -q 1G -n 500 ../tree.tar.gz out
rm -f out err
[ -z "$(ls -A)" ] || fail "left behind: $(ls -A)"
cd ..

# --- what is there stays, unless -f

echo precious >there.zip
ends 1 'it exists (-f replaces it)' "$memfs" pack -q 1G tree there.zip
[ "$(cat there.zip)" = precious ] || fail "the archive was touched"
ends 1 'it exists (-f replaces it)' "$memfs" unpack -q 1G tree.tar.gz back
echo rubbish >rubbish.tar
ends 1 'rubbish.tar' "$memfs" ls rubbish.tar
ends 1 'No such file' "$memfs" ls missing.tar
head -c 20000 tree.tar.gz >cut.tar.gz
ends 1 'cut.tar.gz' "$memfs" unpack cut.tar.gz cut
[ ! -e cut ] || fail "half an archive was unpacked"
printf 'x' >$'evil\nname'
ends 1 'evil\\x0aname' "$memfs" ls $'evil\nname'

# --- looking and printing

"$memfs" ls -a -d 1 by-us / >out
grep -q -- '-- same -- 2 names\|-- same' out || fail "ls: $(cat out)"
grep -q 'of 256.0 MiB held' out || fail "ls has no summary: $(cat out)"
header=$(sed -n 1p names)
"$memfs" cat tree.tar.gz /same "/$header" | cmp - <(cat tree/same "tree/$header")
head -c 200000 /dev/urandom >random
mkdir one && cp random one/
"$memfs" cat one /random | cmp - random
ends 1 '/missing: no such file' "$memfs" cat one /missing

# --- SQL

[ "$("$memfs" sql tree.tar.gz "SELECT count(*) FROM memfs_tree WHERE kind = 'symlink'")" -eq 2 ] ||
    fail "SQL counts otherwise"
"$memfs" sql -b /notes.db -o notes.zip one \
    "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 'x'), (NULL, 'y');
     SELECT memfs_write('/greeting', 'hello')" >out
[ "$(cat out)" = 5 ] || fail "memfs_write() returned $(cat out)"
[ "$("$memfs" cat notes.zip /greeting)" = hello ] || fail "no greeting"
[ "$("$memfs" sql -b /notes.db notes.zip 'SELECT * FROM t')" = $'1|x\n|y' ] || fail "other rows"
"$memfs" cat notes.zip /notes.db >notes.db
if command -v sqlite3 >/dev/null; then
    [ "$(sqlite3 notes.db 'PRAGMA integrity_check')" = ok ] || fail "no sound database"
fi
cp notes.zip before.zip
ends 1 'no such table: gone' "$memfs" sql -f -b /notes.db -o notes.zip notes.zip \
    "DELETE FROM t; SELECT * FROM gone"
cmp notes.zip before.zip || fail "a failed statement changed the archive"
ends 3 '(-q gives more)' "$memfs" sql -q 2M -b /big.db one \
    "CREATE TABLE t AS SELECT zeroblob(8000000)"

# --- the command line

"$memfs" --help >help
grep -q '^usage: memfs COMMAND' help || fail "no help"
grep -q 'Exit status: 0 done, 1 failed, 2 wrong usage, 3 it did not fit' help || fail "no statuses"
ends 2 'usage: memfs' "$memfs"
ends 2 'no such command' "$memfs" explode x
ends 2 'too few arguments' "$memfs" pack tree
ends 2 'too many arguments' "$memfs" pack a b c
ends 2 'invalid option' "$memfs" pack -z a b
for size in -1 1X 1KK 0x10 99999999999999999999 ''; do
    ends 2 'not a number' "$memfs" ls -q "$size" one
done
"$memfs" ls -q 0 one >/dev/null

# --- progress on a terminal, and nothing of it elsewhere

"$memfs" pack -q 1G tree quiet.tar 2>err
[ ! -s err ] || fail "progress on a pipe: $(cat err)"
if command -v script >/dev/null; then
    script -qec "'$memfs' pack -q 1G tree shown.tar" /dev/null >shown </dev/null
    grep -q 'reading [0-9]* entries\|reading [0-9]* of' shown || fail "no progress on a terminal"
    script -qec "'$memfs' pack -s -q 1G tree silent.tar" /dev/null >shown </dev/null
    ! grep -q reading shown || fail "progress despite -s"
fi
"$memfs" cat one /random 2>err | head -c 1 >/dev/null || true # SIGPIPE ends it in silence
[ ! -s err ] || fail "words after a closed pipe: $(cat err)"
"$memfs" ls one >/dev/full 2>err && fail "a full disk was not noticed"
grep -q 'cannot be written\|input/output' err || fail "of a full disk it said: $(cat err)"
echo "all as it should be"
