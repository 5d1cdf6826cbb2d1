# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Two builds of gradc: size and step of their trainers of the same models, in interleaved pairs.
# compilers.sh OTHER_GRADC [PAIRS] [MODEL..]: pairs (15) of `bench` runs, OTHER_GRADC's and build/gradc's in turn; the
# result is the median of the pairs' ratios of fastest steps. A drift of the machine's speed affects both of a pair.
# A MODEL is the name of an example or a folder; `against` stands for the rows of ./run bench against. If the variable
# LIMIT is set (1.03), the exit code is 1 where a ratio is above it.
set -euo pipefail
other=${1:?which other gradc? compilers.sh OTHER_GRADC [PAIRS] [MODEL..]}
shift
pairs=15
case "${1:-}" in [0-9]*) pairs=$1; shift ;; esac
[ $# -gt 0 ] || set -- digits xor rnn_scan
[ "$*" != against ] || set -- xor tests/performance/models/two_sigmoids mnist_mlp
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fastest() { # trainer data: us
    "$1" bench --data-dir "$2" --json "$scratch/json" ${steps:+--steps $steps} >/dev/null
    grep -oE '"fastest_us": *[-+0-9.e]+' "$scratch/json" | sed 's/.*: *//'
}

for name in "$@"; do
    folder=examples/$name steps=
    [ ! -d "$name" ] || folder=$name
    model=$folder/model.grad
    "$other" build "$model" --isa native --no-cache -o "$scratch/other" >/dev/null
    build/gradc build "$model" --isa native --no-cache -o "$scratch/this" >/dev/null
    compgen -G "$folder/*.csv" >/dev/null || folder=examples/digits
    if ! least=$(steps=1 fastest "$scratch/this" "$folder" 2>/dev/null); then
        echo "skipped: $name lacks its data (GRADC_DATA names a folder)"
        continue
    fi
    steps=$(awk -v us="$least" 'BEGIN { n = int(5e5 / us); print (n < 20 ? 20 : n > 1000000 ? 1000000 : n) }') # 0.5 s
    for ((pair = 0; pair < pairs; pair++)); do
        echo "$(fastest "$scratch/other" "$folder") $(fastest "$scratch/this" "$folder")"
    done | awk -v name="$(basename "$name")" -v limit="${LIMIT:-0}" -v sizes="$(stat -c %s "$scratch/other" "$scratch/this" | tr '\n' ' ')" '
        { ratio[NR] = $2 / $1; other = other == 0 || $1 < other ? $1 : other; this = this == 0 || $2 < this ? $2 : this }
        END {
            for (i = 2; i <= NR; i++)
                for (j = i; j > 1 && ratio[j] < ratio[j - 1]; j--) {
                    t = ratio[j]; ratio[j] = ratio[j - 1]; ratio[j - 1] = t
                }
            median = NR % 2 ? ratio[(NR + 1) / 2] : (ratio[NR / 2] + ratio[NR / 2 + 1]) / 2
            split(sizes, size, " ")
            printf "%-20s %11.4f us %11.4f us  ratio %.4f (%.4f to %.4f)  %d pairs  %+.1f KB\n", name, other, this, median,
                ratio[1], ratio[NR], NR, (size[2] - size[1]) / 1024
            exit limit > 0 && median > limit
        }' || failed=1
done
exit "$failed"
