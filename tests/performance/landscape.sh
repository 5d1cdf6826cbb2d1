#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# the loss around weights: time of a point and share of the peak, for the digits MLP or MODEL [DATA-DIR]
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --build build --target measure_landscape >/dev/null
[ $# -gt 0 ] || set -- examples/digits/model.grad examples/digits
exec build/tests/measure_landscape "$@"
