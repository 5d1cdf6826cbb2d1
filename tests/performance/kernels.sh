#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# each kernel of the three workloads: time, share of the step and of the peak, bytes
#
# One thread on one core. GRADC_DATA names the folder of MNIST.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
core=$(taskset -cp $$ | sed 's/.*[ ,-]//')
for model in examples/xor tests/performance/models/two_sigmoids examples/mnist_mlp; do
    name=$(basename "$model")
    printf '%s\n' "$name"
    build/gradc build "$model/model.grad" --isa native -o "$folder/$name" >/dev/null &&
        taskset -c "$core" "$folder/$name" bench --threads 1 --kernels "$@" || printf 'not measured\n'
    printf '\n'
done
