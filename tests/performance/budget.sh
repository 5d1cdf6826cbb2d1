#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# memory and step time of a small GPT with its activations and scratch whole, three quarters, half and a quarter
#
# For sequences of 64, 256 and 1024 tokens. The trainers of one length run in turns; the fastest step of each counts. Where a
# budget cannot be met, the smallest peak that gradc finds is taken instead.
set -euo pipefail
cd "$(dirname "$0")/../.."
gradc=${GRADC:-build/gradc}
model=tests/performance/models/small_gpt/model.grad
rounds=${1:-3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

printf '%6s %6s %10s %10s %14s %10s\n' tokens share 'peak MiB' 'step ms' 'more MFLOP' 'per cent'
for length in 64 256 1024; do
    sequences=$((768 / length > 0 ? 768 / length : 1))
    set=(--set "T=$length" --set "B=$sequences" --isa native)
    read -r peak own < <("$gradc" inspect "$model" "${set[@]}" --emit=plan | awk '
        NR == 1 { for (i = 2; i <= NF; ++i) if ($i ~ /^bytes/) peak = $(i - 1) }
        NR == 2 { gsub(",", ""); for (i = 1; i < NF; i += 2) part[$i] = $(i + 1)
                  print peak, part["activations"] + part["scratch"]; exit }')
    for share in 1 0.75 0.5 0.25; do
        mebibytes=$(awk -v p="$peak" -v o="$own" -v s="$share" 'BEGIN { printf "%.4f", (p - o + s * o) / 1048576 + 0.0001 }')
        if ! "$gradc" build "$model" "${set[@]}" --memory "$mebibytes" -o "$folder/$share" >"$folder/$share.told" 2>&1; then
            least=$(sed -n 's/.* needs \([0-9.]*\) .*/\1/p' "$folder/$share.told")
            "$gradc" build "$model" "${set[@]}" --memory "$least" -o "$folder/$share" >"$folder/$share.told"
        fi
        : >"$folder/$share.times"
    done
    for ((round = 0; round < rounds; ++round)); do
        for share in 1 0.75 0.5 0.25; do
            "$folder/$share" bench --steps 5 --threads 1 --json "$folder/json" >/dev/null
            sed -n 's/.*"fastest_us": *\([0-9.]*\).*/\1/p' "$folder/json" >>"$folder/$share.times"
        done
    done
    for share in 1 0.75 0.5 0.25; do
        told=$(head -n 1 "$folder/$share.told")
        printf '%6d %6s %10s %10.1f %14s %10s\n' "$length" "$share" \
            "$(sed -n 's/^memory \([0-9.]*\) MiB.*/\1/p' <<<"$told")" \
            "$(sort -g "$folder/$share.times" | head -n 1 | awk '{ print $1 / 1000 }')" \
            "$(sed -n 's/.*again, \([0-9.e+]*\) MFLOP.*/\1/p' <<<"$told" | grep . || echo 0)" \
            "$(sed -n 's/.* or \([0-9.]*\) % more.*/\1/p' <<<"$told" | grep . || echo 0)"
    done
done
