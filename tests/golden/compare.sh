#!/bin/sh
# compare.sh GRADC FOLDER: every stage of FOLDER/model.grad as text against the numbered files beside it.
# With GRADC_ACCEPT=1 the files are written instead: read the diff before committing it.
set -u
gradc=$(realpath "$1")
folder=$(realpath "$2")
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$folder" || exit 1

code=0
number=0
"$gradc" inspect model.grad --emit=list >"$scratch/stages" || exit 1
while read -r stage needs; do
    number=$((number + 1))
    golden=$number-$stage.txt
    # asm and object depend on the version of LLVM. A model without a train block is never compiled.
    case $stage in asm | object) continue ;; esac
    [ "$needs" != compiled ] || grep -q '^train' model.grad || continue
    if ! "$gradc" inspect model.grad --emit="$stage" --isa avx2 >"$scratch/$golden" 2>"$scratch/errors"; then
        printf 'inspect --emit=%s failed:\n' "$stage"
        cat "$scratch/errors"
        code=1
        continue
    fi
    if [ "${GRADC_ACCEPT:-}" = 1 ]; then
        cp "$scratch/$golden" "$golden"
    elif ! cmp -s "$golden" "$scratch/$golden"; then
        printf '%s differs in %s:\n' "$folder" "$golden"
        diff "$golden" "$scratch/$golden" | head -40
        code=1
    fi
done <"$scratch/stages"
exit $code
