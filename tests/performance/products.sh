#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# 71 matrix products: tile, the cost model's time, time, share of the peak, other tiles
#
# `products.sh --isa avx2`, `products.sh --quick` (no other tiles), `products.sh 784` (shapes with that number).
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --build build --target measure_products >/dev/null
pin=()
command -v taskset >/dev/null && pin=(taskset -c "${CPU:-0}")
exec "${pin[@]}" build/tests/measure_products "$@"
