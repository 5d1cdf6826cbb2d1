#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Vector math over all floats: worst error in units of the last place, and nanoseconds for an element.
# For each instruction set of this machine. Takes some twenty minutes on two cores; `math.sh exp tanh` measures these
# alone, STRIDE=257 every 257th float. Fails when an error is above its bound.
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --build build --target math_errors >/dev/null
exec build/tests/math_errors "${STRIDE:-1}" --time "$@"
