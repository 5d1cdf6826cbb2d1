// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Points of `OUT landscape`, timed beside multiply-adds in registers: the share of the peak of all that a point needs,
// moving the weights and loading the rows included. `measure_landscape MODEL [DATA-DIR]`: one thread, initial weights.
#include "compiler/pipeline.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/util/files.h"
#include "runtime/base/console.h"
#include "runtime/base/isa.h"
#include "runtime/base/peak.h"
#include "runtime/commands/trainer.h"
#include "runtime/train/directions.h"
#include "runtime/train/formulas.h"
#include <cmath>
#include <fmt/format.h>

using namespace gradc;

namespace {

int fail(const std::string& why) {
    fmt::print(stderr, "measure_landscape: {}\n", why);
    return 1;
}

/// The operations of one pass over the rows.
double flops_of(const gradc_module& module, int64_t rows) {
    const gradc_whole_split& evaluation = module.blocks[0].evaluation;
    double flops = 0;
    for (int32_t pass = 0; pass < evaluation.pass_count; ++pass)
        flops += module.programs[evaluation.first_pass + pass].flops;
    return flops * double(rows) / double(module.batch);
}

int measure(const CompileOptions& options) {
    FileReader files;
    std::string error;
    Front front = load(options, files, error);
    if (!front.job) return fail(error.empty() ? "the model has errors" : error);
    StageTimes times;
    Compiled compiled = compile(*front.job, options, front.sources, times);
    target::Engine engine = target::load_object(target::object(compiled.module, compiled.metadata));
    const gradc_module& module = engine.module();
    const gradc_dataset* table = runtime::training_data(module);
    if (!table) return fail("the model has no data");
    runtime::Error failed;
    runtime::Session session(module);
    runtime::Dataset dataset;
    int isa = runtime::choose_isa(module, "", failed);
    runtime::Places places = runtime::Places::standard(options.data_folders.empty() ? "" : options.data_folders[0]);
    if (isa < 0 || !session.start(isa, 1, 1, failed) || !runtime::load_dataset(*table, places, 1, dataset, failed))
        return fail(failed.message);
    runtime::make_room_for_formulas(module, dataset);
    runtime::draw_start(session, &dataset);
    runtime::compute_formulas(session, dataset);
    runtime::LossLandscape landscape(session, dataset, 1);
    runtime::TimesBesidePeak points(isa, options.precision == Dtype::f64, nullptr);
    double begin = runtime::now();
    int count = 0;
    for (; count < 20 || runtime::now() - begin < 2; ++count) {
        double start = runtime::now();
        double loss = landscape.loss(std::sin(count), std::cos(count));
        points.add(runtime::now() - start);
        if (!std::isfinite(loss)) return fail("a loss is not finite");
    }
    points.finish();
    auto rows = int64_t(dataset.splits[size_t(dataset.training_split())].rows.size());
    double flops = flops_of(module, rows);
    fmt::print("{}: {} points of {} rows in batches of {}; fastest {:.3f} ms, median {:.3f} ms\n", front.job->name,
               count, rows, module.batch, 1e3 * points.fastest(), 1e3 * points.median());
    fmt::print("share of peak {:.1f} % of {:.1f} GFLOP/s ({:.2f} MFLOP a point)\n",
               100 * flops / points.fastest() / points.peak(), 1e-9 * points.peak(), 1e-6 * flops);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) return fail("MODEL [DATA-DIR]");
    CompileOptions options;
    options.model = argv[1];
    options.isa = "native";
    if (argc > 2) options.data_folders = {argv[2]};
    return measure(options);
}
