# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Data: training compared with the bare step of `bench`, start to first step, and reading MNIST.
# data.sh [ROUNDS]: rounds (5) take turns, the fastest of each counts. Training must reach 95 % of the rows a second of
# `bench`, and the first step must end within 50 ms of the start, without reading MNIST from gzip.
set -euo pipefail
rounds=${1:-5}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

number() { grep -oE "\"$1\": *[-+0-9.e]+" "$2" | sed 's/.*: *//'; } # key file
least() { sort -g "$1" | head -n 1; }
prepare() { # example; false if it lacks its data
    build/gradc build "examples/$1/model.grad" --isa native -o "build/$1" >/dev/null
    "build/$1" bench --data-dir "examples/$1" --steps 1 >/dev/null 2>&1 && return
    echo "skipped: $1 lacks its data (GRADC_DATA names a folder)"
    return 1
}

# One epoch at most, so that the run holds no evaluation; train counts the time between steps, bench does not.
compare() { # example steps
    rm -f "$scratch"/*
    for ((round = 0; round < rounds; round++)); do
        "build/$1" bench --data-dir "examples/$1" --steps "$2" --json "$scratch/json" >/dev/null
        number step_us "$scratch/json" >>"$scratch/bench"
        number loading_us "$scratch/json" >>"$scratch/loading"
        "build/$1" train --data-dir "examples/$1" --steps "$2" --json "$scratch/json" --quiet >/dev/null
        number step_us "$scratch/json" >>"$scratch/train"
    done
    awk -v name="$1" -v bench="$(least "$scratch/bench")" -v train="$(least "$scratch/train")" \
        -v loading="$(least "$scratch/loading")" 'BEGIN {
        printf "%-20s step of bench %9.2f us, of train %9.2f us (loading %6.2f us): ", name, bench, train, loading
        printf "%5.1f %% of the rows a second", 100 * bench / train
        print name == "mnist_mlp" ? (train * 0.95 <= bench ? ", 95 % asked: met" : ", 95 % asked: NOT MET") : "" }'
}

first_step() { # example: milliseconds of a process that takes one step and ends without evaluation
    rm -f "$scratch"/*
    for ((round = 0; round < 2 * rounds; round++)); do
        local begin=${EPOCHREALTIME/[.,]/}
        "build/$1" train --data-dir "examples/$1" --steps 1 --quiet >/dev/null
        echo $((${EPOCHREALTIME/[.,]/} - begin)) >>"$scratch/start"
    done
    awk -v name="$1" -v us="$(least "$scratch/start")" 'BEGIN {
        printf "%-20s start to first step, and end %8.2f ms, ", name, us / 1000
        verdict = us < 50000 ? "50 asked: met" : "50 asked: NOT MET"
        print name == "mnist_mlp" ? "reading its files and evaluation with it" : verdict }'
}

for name in mnist_mlp digits; do
    ! prepare "$name" || compare "$name" $([ "$name" = mnist_mlp ] && echo 300 || echo 44)
done
for name in xor digits mnist_mlp; do ! prepare "$name" || first_step "$name"; done
