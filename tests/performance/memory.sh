#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Memory of every example in bytes: peak of the plan and its parts, and the largest sum of live values.
# Fails when a peak is more than 1.1 times that least, the activations are more than 1.1 times theirs, or a peak is above the
# one in peaks.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."
gradc=${GRADC:-build/gradc}
printf '%-22s %10s %10s %6s %10s %10s %10s %10s %12s %10s\n' \
    example peak least ratio variables fields results constants activations scratch
for model in examples/*/model.grad; do
    name=$(basename "$(dirname "$model")")
    most=$(awk -v name="$name" '$1 == name { print $2 }' tests/performance/peaks.txt)
    GRADC_DATA=examples/digits "$gradc" inspect "$model" --emit=plan | awk -v name="$name" -v most="${most:-0}" '
        NR == 1 {
            for (i = 2; i <= NF; ++i) if ($i ~ /^bytes/) peak = $(i - 1); else if ($i == "that") least = $(i - 1)
        }
        NR == 2 {
            gsub(",", "")
            for (i = 1; i < NF; i += 2) part[$i] = $(i + 1)
            own = part["activations"] + part["scratch"]
            printf "%-22s %10d %10d %6.3f %10d %10d %10d %10d %12d %10d\n", name, peak, least, peak / least,
                part["variables"], part["fields"], part["results"], part["constants"], part["activations"],
                part["scratch"]
            exit !(peak <= 1.1 * least && own <= 1.1 * (least - peak + own) && peak <= most)
        }
        END { if (NR < 2) exit 1 }' ||
        { echo "$model: more memory than 1.1 times the least, or than the ${most:-0} bytes of peaks.txt" >&2; exit 1; }
done
