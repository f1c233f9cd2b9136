#!/bin/sh
# check.sh SPIN CC MODEL FOLDER [SED-EXPRESSION]
#
# Has spin try all interleavings of a model, and fails unless it finds nothing wrong.  With an
# expression the model is made wrong by it first, and the check fails unless that is found.
set -eu
spin=$1 cc=$2 model=$3 folder=$4 change=${5-}
rm -rf "$folder"
mkdir -p "$folder"
sed "$change" "$model" > "$folder/model.pml"
if [ -n "$change" ] && cmp -s "$model" "$folder/model.pml"; then
    echo "the expression changes nothing: $change"
    exit 1
fi
cd "$folder"
"$spin" -a model.pml > spin.txt
"$cc" -O2 -DSAFETY -w -o pan pan.c
./pan -m100000 > result.txt
cat result.txt
grep -q 'max search depth too small' result.txt && exit 1
if [ -z "$change" ]; then
    grep -q 'errors: 0$' result.txt
    if grep -A1 'unreached in proctype' result.txt | grep -v 'unreached\|(0 of\|^--'; then
        exit 1
    fi
else
    grep -q 'errors: 1$' result.txt
fi
