#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# compile times by stage, functions and sizes of all examples, deep MLPs and GPTs; steps with and without shared functions
#
# compile.sh [PAIRS]: 15 pairs of steps with and without --no-share, in turns; 0: none. GPT-2 124M is built, not run.
# One instruction set (native) but where the table says portable; no cache. Bars are ratios within one run.
set -euo pipefail
cd "$(dirname "$0")/../.."
pairs=${1:-15}
gradc=${GRADC:-build/gradc} data=${GRADC_DATA:-.}
models=tests/performance/models
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/data"
ln -s "$PWD"/examples/*/*.csv "$folder/data"
for file in "$data"/*; do [ -e "$file" ] && ln -sf "$(realpath "$file")" "$folder/data"; done
data=$folder/data
missed=0

heading() {
    printf '%-26s %9s %9s %9s %9s %9s %9s %9s %10s %9s %9s\n' \
        model elaborate optimize plan lower object all functions kernels 'text, KB' 'rest, KB'
}

# Builds and prints a row; keeps the columns in $folder/NAME.
built() { # name model options..
    local name=$1 model=$2
    shift 2
    "$gradc" build "$model" --no-cache --time -o "$folder/trainer" --data-dir "$data" "$@" >"$folder/times" || return 0
    "$gradc" build "$model" --emit=object -o "$folder/object.o" --data-dir "$data" "$@" >/dev/null
    local kernels sizes
    kernels=$("$gradc" inspect "$model" --emit=program --data-dir "$data" "$@" | grep -c '^kernel ')
    sizes=$(size -A "$folder/object.o" | awk '
        $1 ~ /^\.text/ { text += $2; next }
        $1 ~ /^\.(symtab|strtab|shstrtab|comment|note|llvm)/ { next }
        $2 ~ /^[0-9]+$/ && $1 != "Total" { rest += $2 }
        END { printf "%.1f %.1f", text / 1024, rest / 1024 }')
    awk -v name="$name" -v kernels="$kernels" -v sizes="$sizes" -v values="$folder/$name" '
        / ms / { ms[$3] = $1 }
        /functions compiled/ { functions = $3 }
        END {
            split(sizes, size, " ")
            printf "%-26s %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f %9d %10d %9.1f %9.1f\n", name, ms["read"], ms["optimize"],
                ms["plan"], ms["lower"], ms["object"], ms["in"], functions, kernels, size[1], size[2]
            printf "all=%s functions=%s text=%s rest=%s\n", ms["in"], functions, size[1], size[2] >values
        }' "$folder/times"
}

value() { # name column
    sed "s/.*\b$2=\([^ ]*\).*/\1/" "$folder/$1"
}

bar() { # description value limit
    awk -v what="$1" -v value="$2" -v bar="$3" 'BEGIN {
        met = value <= bar + 0
        printf "%-66s %6.2f <= %-5g %s\n", what, value, bar, met ? "met" : "MISSED"
        exit !met }' || missed=1
}
ratio() { awk -v a="$(value "$1" "$3")" -v b="$(value "$2" "$3")" 'BEGIN { print a / b }'; }

heading
for example in examples/*/model.grad; do
    name=$(basename "$(dirname "$example")")
    grep -q '^train' "$example" && built "$name" "$example" --isa native
done
for blocks in 25 50 100 200 400; do
    built "residual-$blocks" $models/residual/model.grad --isa native --set blocks=$blocks
done
for blocks in 4 8 16 32; do built "gpt-$blocks" $models/gpt/model.grad --isa native --set blocks=$blocks; done
built gpt-4-portable $models/gpt/model.grad --set blocks=4
built residual-100-portable $models/residual/model.grad --set blocks=100
built gpt2-124M $models/gpt/model.grad --isa native --set blocks=12 --set width=768 --set heads=12 --set V=50257 \
    --set batch_size=4

printf '\n'
bar 'residual MLP, 400 blocks over 100: time' "$(ratio residual-400 residual-100 all)" 5
bar 'GPT, 32 blocks over 4: time' "$(ratio gpt-32 gpt-4 all)" 2
bar 'GPT, 32 blocks over 4: bytes of code' "$(ratio gpt-32 gpt-4 text)" 1.05
bar 'GPT: KB of everything else a block' \
    "$(awk -v a="$(value gpt-32 rest)" -v b="$(value gpt-4 rest)" 'BEGIN { print (a - b) / 28 }')" 16
bar 'GPT of 4 blocks, three instruction sets over one: time' "$(ratio gpt-4-portable gpt-4 all)" 2.5
bar 'residual MLP of 100 blocks, three over one: time' "$(ratio residual-100-portable residual-100 all)" 2.5

# ---- one edited line ---------------------------------------------------------------------------
# The cache holds the machine code of the model before; the edited one is another trainer. The last edit changes the
# shapes of a third of the products, which take longest to compile.
rebuilt() { # description sed's expression
    cp $models/gpt/model.grad "$folder/edited.grad"
    local build=("$gradc" build "$folder/edited.grad" --isa native --time -o "$folder/trainer")
    rm -rf "$folder/gradc"
    XDG_CACHE_HOME=$folder "${build[@]}" >"$folder/before"
    sed -i "$2" "$folder/edited.grad"
    XDG_CACHE_HOME=$folder "${build[@]}" >"$folder/after"
    bar "GPT, edited line over all: $1 ($(grep -o '^[0-9]* of [0-9]*' "$folder/after"))" \
        "$(awk '/in all/ { if (!all) all = $1; else print $1 / all }' "$folder/before" "$folder/after")" 0.3334
}
rebuilt 'attention not causal' 's/causal: true/causal: false/'
rebuilt 'rms_norm in the block' 's/feed_forward(layer_norm(x))/feed_forward(rms_norm(x))/'
rebuilt 'narrower MLP' 's/feed_forward(layer_norm(x))/feed_forward(layer_norm(x), 3)/'

# ---- steps with and without shared functions -----------------------------------------------------
fastest() { # trainer: us
    rm -f "$folder/json"
    "$1" bench --threads 1 --data-dir "$data" --json "$folder/json" ${steps:+--steps $steps} >/dev/null
    grep -oE '"fastest_us": *[-+0-9.e]+' "$folder/json" | sed 's/.*: *//'
}
compared() { # name model options..
    local name=$1 model=$2 least steps=
    shift 2
    "$gradc" build "$model" --isa native --no-cache --data-dir "$data" -o "$folder/shared" "$@" >/dev/null || return 0
    "$gradc" build "$model" --isa native --no-cache --data-dir "$data" --no-share -o "$folder/alone" "$@" >/dev/null
    least=$(steps=1 fastest "$folder/shared" 2>/dev/null) || { printf '%-26s lacks its data\n' "$name"; return 0; }
    steps=$(awk -v us="$least" 'BEGIN { n = int(3e5 / us); print (n < 3 ? 3 : n > 1000000 ? 1000000 : n) }')
    for ((pair = 0; pair < pairs; pair++)); do
        echo "$(fastest "$folder/alone") $(fastest "$folder/shared")"
    done | awk '{ print $2 / $1, $1, $2 }' | sort -g | awk -v name="$name" '
        { ratio[NR] = $1; alone[NR] = $2 }
        END { printf "%s %s %s %s\n", ratio[int((NR + 1) / 2)], ratio[1], ratio[NR], alone[1] }' >"$folder/median"
    local median low high us
    read -r median low high us <"$folder/median"
    bar "$name, step of $us us, shared over alone ($low to $high)" "$median" 1.02
}
if [ "$pairs" -gt 0 ]; then
    printf '\n'
    for example in examples/*/model.grad; do
        grep -q '^train' "$example" && compared "$(basename "$(dirname "$example")")" "$example"
    done
    compared residual-25 $models/residual/model.grad --set blocks=25
    compared residual-100 $models/residual/model.grad --set blocks=100
    compared gpt-4 $models/gpt/model.grad --set blocks=4
    compared gpt-8 $models/gpt/model.grad --set blocks=8
fi
exit $missed
