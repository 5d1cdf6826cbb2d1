#!/bin/sh
# explain.sh GRADC ROOT: `gradc explain` of parameters of small models against the files in tests/golden/explain, each
# named MODEL-PARAMETER.txt; of all but the circuits without the code, which other goldens show. With GRADC_ACCEPT=1 the
# files are written instead: read the diff before committing it.
set -u
gradc=$(realpath "$1")
cd "$2" || exit 1
folder=tests/golden/explain
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

code=0
while read -r model parameter; do
    golden=$folder/$model-$parameter.txt
    if ! "$gradc" explain "examples/$model/model.grad" "$parameter" --isa avx2 >"$scratch/out" 2>"$scratch/errors"; then
        printf 'explain %s %s failed:\n' "$model" "$parameter"
        cat "$scratch/errors"
        code=1
        continue
    fi
    if [ "$model" != circuits ]; then
        sed '/^Code$/,$d' "$scratch/out" >"$scratch/text" && mv "$scratch/text" "$scratch/out"
    fi
    if [ "${GRADC_ACCEPT:-}" = 1 ]; then
        cp "$scratch/out" "$golden"
    elif ! cmp -s "$golden" "$scratch/out"; then
        printf '%s differs:\n' "$golden"
        diff "$golden" "$scratch/out" | head -40
        code=1
    fi
done <<LIST
circuits product.x
circuits squares.w
xor net.linear_1.weight
xor net.linear_2.bias
rnn_scan adder.linear_2.weight
LIST
exit $code
