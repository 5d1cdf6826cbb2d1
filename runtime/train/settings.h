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
    int64_t save_every = 0;             // 0: at each epoch
    int64_t stretch = int64_t(1) << 40; // steps in one call of generated code, at most; 0: one by one
    bool resume = false, resume_anyway = false, quiet = false, nan_continue = false;
    std::vector<std::vector<double>> flags; // by block and flag

    /// Every epoch is evaluated, not only those that the console shows.
    bool reports_all() const { return !json.empty() || !curves.empty(); }
};

/// A flag of a block as the command line knows it.
struct BlockFlag {
    int32_t block, flag;
    std::string name; // short where that is unique, else in full
};
std::vector<BlockFlag> block_flags(const gradc_module& module);

/// Options of the model's blocks, by short name where unique and in full.
void add_block_options(const gradc_module& module, std::vector<Option>& options);
std::vector<Option> train_options(const gradc_module& module);
std::vector<Option> common_options(); // --data --seed --threads --isa

/// As the model file has it.
Settings written_settings(const gradc_module& module);
/// As the checkpoint was trained: seed, batch, epochs, steps and flags.
void take_settings(const gradc_module& module, const Metadata& metadata, Settings& settings);
void put_settings(const gradc_module& module, const Settings& settings, Metadata& metadata);
/// Where the model's data files are sought.
Places data_places(const Settings& settings);
/// What was typed.
bool apply_arguments(const gradc_module& module, const Arguments& arguments, Settings& settings, Fault& fault);

} // namespace gradc::runtime
