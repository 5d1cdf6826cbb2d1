#!/usr/bin/env bash
# Matrix products of 65 shapes: the tile that is chosen, its predicted and its measured time, share of the peak.
# `products.sh --isa avx2`, `products.sh --quick` (no other tiles), `products.sh 784` (shapes with that number).
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --build build --target measure_products >/dev/null
pin=()
command -v taskset >/dev/null && pin=(taskset -c "${CPU:-0}")
exec "${pin[@]}" build/tests/measure_products "$@"
