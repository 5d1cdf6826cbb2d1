// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The commands of a trainer. main() passes its arguments and the module's table.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/options.h"
#include "runtime/data/dataset.h"
#include "runtime/session.h"
#include "runtime/train/settings.h"

namespace gradc::runtime {

/// Returns the exit code of the program; prints messages.
int run_trainer(int argc, char** argv, const gradc_module& module);

// One function for each command, given the words after its name. The caller prints the error.
ExitCode train_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode eval_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode predict_command(const gradc_module& module, const Arguments& arguments, Error& error);
/// `predict --prompt`.
ExitCode generate_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode landscape_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode bench_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode info_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode export_command(const gradc_module& module, const Arguments& arguments, Error& error);

/// The common start of eval, predict and bench: settings, data, and a session with initial or restored weights.
struct Prepared {
    Settings settings;
    Dataset dataset;
    bool has_data = false;
    std::optional<Session> session;
};
struct Needs {
    bool data = true;
    bool checkpoint = false; // --checkpoint must be given
    bool keeps_seed = false; // --seed is not the run's, whose seed may have drawn splits and fields
};
/// Weights from settings.checkpoint, if given; otherwise initial weights, with statistics of the training split.
bool prepare(const gradc_module& module, const Arguments& arguments, Needs needs, Prepared& prepared, Error& error);
/// The title of pictures: the data set of the first block, else the model.
const char* picture_title(const gradc_module& module);
/// The training data of the first block, or null.
const gradc_dataset* training_data(const gradc_module& module);
/// Computes the initial weights and the statistics of the training split.
void draw_start(Session& session, Dataset* dataset);
void set_flags(Session& session, const Settings& settings);
/// The largest resident memory of this process so far, in bytes.
int64_t peak_memory();

} // namespace gradc::runtime
