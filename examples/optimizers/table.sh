#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# table.sh [GRADC]: trains model.grad with each line of optimizers.txt in place of its optimizer. A row of the table
# has the epoch in which the test accuracy reached 0.95, the final accuracy and training loss, and the time of a step.
gradc=${1:-build/gradc}
here=$(dirname "$0")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

printf '%-48s %5s %8s %11s %9s\n' optimizer 0.95 loss accuracy 'us/step'
while read -r batch line; do
    sed "s/^    optimizer .*/    optimizer $line/; s/^    batch .*/    batch $batch/" \
        "$here/model.grad" >"$work/model.grad"
    "$gradc" build "$work/model.grad" -o "$work/digits" --isa native --data-dir "$here/../digits" >"$work/log" &&
        "$work/digits" train --data-dir "$here/../digits" --quiet --json "$work/json" >"$work/log" || cat "$work/log"
    tr '{' '\n' <"$work/json" | awk -v line="$line" '
        function number(key) { return match($0, "\"" key "\": [^,}]*") ? substr($0, RSTART + length(key) + 4) + 0 : 0 }
        /"step_us"/ { time = number("step_us") }
        /"epoch":/ { epoch = number("epoch") }
        /"accuracy"/ && split_is_test { accuracy = number("accuracy"); if (!first && accuracy >= 0.95) first = epoch }
        /"accuracy"/ && !split_is_test { loss = number("loss") }
        { split_is_test = /"test": $/ }
        END { printf "%-48s %5s %8.4f %11.4f %9.1f\n", line, first ? first : "-", loss, accuracy, time }'
    rm -f "$work/json"
done <"$here/optimizers.txt"
