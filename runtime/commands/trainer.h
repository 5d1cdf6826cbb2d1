// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The trainer: what `./digits COMMAND` does. main() hands over its arguments and the model's table.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/options.h"
#include "runtime/data/dataset.h"
#include "runtime/session.h"
#include "runtime/train/settings.h"

namespace gradc::runtime {

/// Exit code of the whole program; messages are printed.
int run_trainer(int argc, char** argv, const gradc_module& module);

// One function a command; the words follow the command's name. Printing the fault is the caller's
// part.
ExitCode train_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode eval_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode predict_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode bench_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode info_command(const gradc_module& module, const Arguments& arguments, Error& error);
ExitCode export_command(const gradc_module& module, const Arguments& arguments, Error& error);

/// What eval, predict and bench begin with: settings, data and a session whose weights are drawn or
/// restored.
struct Prepared {
    Settings settings;
    Dataset dataset;
    bool has_data = false;
    std::optional<Session> session;
};
struct Needs {
    bool data = true;
    bool checkpoint = false; // --checkpoint must be given
};
/// Weights from settings.checkpoint if that is given; else drawn, with statistics of the training
/// split.
bool prepare(const gradc_module& module, const Arguments& arguments, Needs needs, Prepared& prepared, Error& error);
/// What pictures are called: the data set of the first block, else the model.
const char* picture_title(const gradc_module& module);
/// The data set that the first block trains on, or null.
const gradc_dataset* training_data(const gradc_module& module);
/// Draws the weights and computes the statistics of the training split and the generated fields.
void draw_start(Session& session, Dataset* dataset);
void set_flags(Session& session, const Settings& settings);
/// Largest resident memory of this process so far, bytes.
int64_t peak_memory();

} // namespace gradc::runtime
