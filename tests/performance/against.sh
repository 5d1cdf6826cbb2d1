#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# steps of three workloads in turns with the interpreter and every peer that is installed, and the limits
#
# ./run bench against [flags of gradc bench]. GRADC_PYTHON names the Python that
# has numpy, torch and jax (python3), GRADC_DATA the folder of MNIST. Exits with 1
# if a limit is not met, else with 0. What could not be measured is printed and counts as met.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${GRADC_PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# name | model | least share of the peak in percent, or - | least ratio to the fastest peer
workloads="xor 2-8-1, Adam|examples/xor/model.grad|-|40
1000-100-10, two sigmoids|tests/performance/models/two_sigmoids/model.grad|75|1.4
MLP 784-512-256-10, Adam|examples/mnist_mlp/model.grad|82|1.4"

# "share ratio peer", from the JSON of gradc bench; a number that is not there is -.
figures() {
    awk -F'": *' '
        BEGIN { share = least = peer = "-" }
        /"engine":/ { engine = $2; gsub(/[",]/, "", engine) }
        /"share_of_peak":/ && engine == "gradc" { share = $2 * 100 }
        /"ratio":/ && engine != "gradc" && engine != "interpreter" { value = $2 + 0
            if (least == "-" || value < least) { least = value; peer = engine } }
        END { print share, least, peer }' "$1"
}

verdict() { # value bar: met, missed or -
    awk -v value="$1" -v bar="$2" 'BEGIN {
        print((value == "-" || bar == "-") ? "-" : (value + 0 >= bar + 0 ? "met" : "MISSED")) }'
}

shown() { # value unit
    [ "$1" = - ] && printf -- - || awk -v value="$1" -v unit="$2" 'BEGIN { printf "%.1f%s", value, unit }'
}

lines="" missed=0
while IFS='|' read -r name model share_bar ratio_bar; do
    json=$folder/$(basename "$(dirname "$model")").json
    printf '$ gradc bench %s --python %s %s\n' "$model" "$python" "$*"
    build/gradc bench "$model" --python "$python" --rounds 7 --json "$json" "$@" || true
    printf '\n'
    share=- ratio=- peer=-
    [ ! -f "$json" ] || read -r share ratio peer < <(figures "$json")
    first=$(verdict "$share" "$share_bar") second=$(verdict "$ratio" "$ratio_bar")
    case "$first $second" in *MISSED*) missed=1 ;; esac
    [ "$share_bar" = - ] || share_bar+=%
    lines+=$(printf '%-26s %8s %6s %-7s %8s %6s %-7s %s' "$name" "$(shown "$share" %)" "$share_bar" "$first" \
        "$(shown "$ratio" x)" "${ratio_bar}x" "$second" "$peer")$'\n'
done <<<"$workloads"
printf '%-26s %8s %6s %-7s %8s %6s %-7s %s\n%s' workload "of peak" bar "" ahead bar "" "of" "$lines"
exit "$missed"
