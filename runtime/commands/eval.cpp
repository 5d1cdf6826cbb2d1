// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `eval`: metrics of every split with the weights of a checkpoint.
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/train/evaluation.h"

namespace gradc::runtime {

ExitCode eval_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    Prepared prepared;
    if (!prepare(module, arguments, {true, true}, prepared, error)) return error.code;
    if (!prepared.has_data) return error.fail(module.name, " has no data to evaluate on"), error.code;
    JsonWriter json;
    json.begin_object().key("model").string(module.name).key("seed").integer(prepared.settings.seed);
    json.key("bits").string(module.bits[prepared.session->isa()]);
    std::string lines;
    std::vector<Clock> clocks(static_cast<size_t>(module.block_count));
    for (int split = 0; split < int(prepared.dataset.splits.size()); split++) {
        SplitReport report = evaluate_split(*prepared.session, prepared.dataset, split, clocks);
        lines += metrics_lines(report);
        json.key(report.split);
        write_metrics(json, report);
    }
    json.end_object();
    if (lines.empty()) return error.fail(module.name, " has no metric to evaluate"), error.code;
    const std::string& path = prepared.settings.json;
    if (path.empty() || write_file(path, json.text() + "\n", error)) print(lines, error);
    return error.code;
}

} // namespace gradc::runtime
