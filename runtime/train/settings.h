// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The settings of one run, from the model file, the checkpoint and the flags; later ones win.
#pragma once
#include "runtime/abi.h"
#include "runtime/base/files.h"
#include "runtime/base/options.h"
#include "runtime/base/safetensors.h"

namespace gradc::runtime {

struct Settings {
    std::string data_folder, checkpoint, init, json, curves, isa;
    std::string only;    // of `init`: patterns of names
    std::string confine; // the folder that the model may read besides data_folder; "": any
    int64_t epochs = 1, steps = 0, batch = 1, seed = 1, threads = 1;
    int64_t split_seed = -1;               // -1: the seed
    int64_t save_every = 0;                // 0: at each epoch
    int64_t multi_step = int64_t(1) << 40; // most steps in one call of generated code; 0: one by one
    bool resume = false, allow_mismatch = false, overwrite = false, quiet = false;
    bool nan_continue = false;
    std::vector<std::vector<double>> flags; // by block and flag

    /// The seed that shuffles the rows before they are cut into splits.
    int64_t cutting_seed() const { return split_seed >= 0 ? split_seed : seed; }
    /// The run writes a file that outlives it.
    bool keeps_results() const { return !checkpoint.empty() || reports_all(); }
    /// Every epoch is evaluated, not only those that the console shows.
    bool reports_all() const { return !json.empty() || !curves.empty(); }
};

/// The names of a block's flag on the command line: its own name and the end of its full name, if unique, and the full
/// name.
struct BlockFlag {
    int32_t block, flag;
    std::vector<std::string> names; // the first is shown
};
std::vector<BlockFlag> block_flags(const gradc_module& module);

/// Options for the flags of the model's blocks, by all of these names.
void add_block_options(const gradc_module& module, std::vector<Option>& options);
std::vector<Option> train_options(const gradc_module& module);
std::vector<Option> common_options(); // --data-dir --seed --split-seed --threads --isa

/// The settings of the model file.
Settings written_settings(const gradc_module& module);
/// Takes seeds, batch, epochs, steps and flags from the checkpoint. An invalid value in a checkpoint of gradc is an
/// error; in other files it is ignored.
bool take_settings(const gradc_module& module, const SafetensorsFile& file, Settings& settings, Error& error);
void put_settings(const gradc_module& module, const Settings& settings, Metadata& metadata);
/// The folders where the model's data files are searched.
Places data_places(const Settings& settings);
/// Takes the flags.
bool apply_arguments(const gradc_module& module, const Arguments& arguments, Settings& settings, Error& error);

} // namespace gradc::runtime
