# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A second thread: the step of every example with one and with two, and the gain of a loop of multiply-adds.
# threads.sh [ROUNDS] [EXAMPLE..]: rounds (5) take turns, the fastest step of all counts. Two threads may
# be at most 3 % slower; the large products of mnist_mlp must gain 0.9 times as much as the multiply-adds.
set -euo pipefail
rounds=5
case "${1:-}" in [0-9]*) rounds=$1; shift ;; esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

number() { grep -oE "\"$1\": *[-+0-9.e]+" "$2" | sed 's/.*: *//'; } # key file
measure() { # example threads: adds a line "example threads fastest_us peak_flops" to the log
    "build/$1" bench --data-dir "${folder[$1]}" --threads "$2" --json "$scratch/json" >/dev/null ${steps:+--steps $steps}
    echo "$1 $2 $(number fastest_us "$scratch/json") $(number peak_flops "$scratch/json")" >>"$scratch/log"
}

names=()
declare -A folder # with the example's data: its own, or that of digits
for model in ${*:-examples/*/model.grad}; do
    [ -f "$model" ] || model=examples/$model/model.grad
    grep -q '^train' "$model" || continue
    name=$(basename "$(dirname "$model")")
    build/gradc build "$model" --isa native -o "build/$name" >/dev/null
    folder[$name]=examples/$name
    compgen -G "examples/$name/*.csv" >/dev/null || folder[$name]=examples/digits
    if ! "build/$name" bench --data-dir "${folder[$name]}" --steps 1 >/dev/null 2>&1; then
        echo "skipped: $name lacks its data (GRADC_DATA names a folder)"
        continue
    fi
    names+=("$name")
done
for name in "${names[@]}"; do
    steps=1 && measure "$name" 1
    longest=$(awk '{ us = $3 } END { print us }' "$scratch/log")
    steps=$(awk -v us="$longest" 'BEGIN { n = int(2e5 / us); print (n < 20 ? 20 : n > 100000 ? 100000 : n) }') # 0.2 s
    : >"$scratch/log"
    for ((round = 0; round < rounds; round++)); do measure "$name" 1; measure "$name" 2; done
    awk '
        { if (!($2 in least) || $3 < least[$2]) least[$2] = $3; if ($4 > peak[$2]) peak[$2] = $4 }
        END {
            gain = least[1] / least[2]; loop = peak[2] / peak[1]
            printf "%-24s %10.3f us %10.3f us  gain %5.2f  ", $1, least[1], least[2], gain
            printf "multiply-adds %5.2f  ", loop
            if ($1 == "mnist_mlp")
                printf "%.2f of it, 0.90 asked: %s\n", gain / loop, (gain >= 0.9 * loop ? "met" : "NOT MET")
            else print (gain < 0.97 ? "SLOWER" : "ok")
        }' "$scratch/log"
done
