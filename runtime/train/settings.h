// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What one run of the trainer was told: by the model file, by the checkpoint it resumes, by its
// flags (the last wins).
#pragma once
#include "runtime/abi.h"
#include "runtime/base/files.h"
#include "runtime/base/options.h"
#include "runtime/base/safetensors.h"

namespace gradc::runtime {

struct Settings {
    std::string data_folder, checkpoint, json, curves, isa;
    std::string confine; // the folder that the model may read beside data_folder; "": any
    int64_t epochs = 1, steps = 0, batch = 1, seed = 1, threads = 1;
    int64_t split_seed = -1;               // -1: the seed
    int64_t save_every = 0;                // 0: at each epoch
    int64_t multi_step = int64_t(1) << 40; // steps in one call of generated code, at most; 0: one by one
    bool resume = false, allow_mismatch = false, overwrite = false, quiet = false;
    bool nan_continue = false;
    std::vector<std::vector<double>> flags; // by block and flag

    /// What draws the rows of the splits.
    int64_t cutting_seed() const { return split_seed >= 0 ? split_seed : seed; }
    /// Some file has something of the run at its end.
    bool keeps_results() const { return !checkpoint.empty() || reports_all(); }
    /// Every epoch is evaluated, not only those that the console shows.
    bool reports_all() const { return !json.empty() || !curves.empty(); }
};

/// A flag of a block as the command line knows it: by its own name and by the end of its full one
/// where those are unique, and in full.
struct BlockFlag {
    int32_t block, flag;
    std::vector<std::string> names; // the first is the one to show
};
std::vector<BlockFlag> block_flags(const gradc_module& module);

/// Options of the model's blocks, by short name where unique and in full.
void add_block_options(const gradc_module& module, std::vector<Option>& options);
std::vector<Option> train_options(const gradc_module& module);
std::vector<Option> common_options(); // --data-dir --seed --split-seed --threads --isa

/// As the model file has it.
Settings written_settings(const gradc_module& module);
/// As the checkpoint was trained: seeds, batch, epochs, steps and flags. A fault where it is gradc's
/// and says what cannot be; of other files only that is taken which can.
bool take_settings(const gradc_module& module, const SafetensorsFile& file, Settings& settings, Error& error);
void put_settings(const gradc_module& module, const Settings& settings, Metadata& metadata);
/// Where the model's data files are sought.
Places data_places(const Settings& settings);
/// What was typed.
bool apply_arguments(const gradc_module& module, const Arguments& arguments, Settings& settings, Error& error);

} // namespace gradc::runtime
