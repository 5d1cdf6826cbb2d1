// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The state of a run in a safetensors file: every variable in the model's own shape, the sums of the epoch, and the
// position of the run. A resumed run has exactly the bits of an uninterrupted one.
#pragma once
#include "runtime/base/pattern.h"
#include "runtime/data/dictionary.h"
#include "runtime/session.h"
#include "runtime/train/history.h"
#include "runtime/train/settings.h"

namespace gradc::runtime {

/// The position of a run between two steps.
struct Position {
    int64_t step = 0;                         // done, over all blocks
    int64_t epoch = 0, cursor = 0;            // epoch from 0; its rows that are done
    int32_t block = 0;                        // the block that runs
    int64_t turn = 0;                         // steps that are done of this block's turn
    std::vector<int64_t> block_steps;         // done, by block
    std::vector<double> loss_sums, loss_rows; // of this epoch, by block
};

inline constexpr int64_t checkpoint_format = 2; // 1: of gradc 0.1, which had other names

/// What a checkpoint has beside the variables.
struct Written {
    const Settings& settings;
    const Position& position;
    const std::vector<EpochReport>& epochs;
    const Dictionaries& dictionaries;
    uint64_t data_hash;
};
bool write_checkpoint(const Session& session, const Written& written, Error& error);

/// Opens it; a file of a newer gradc is an error.
bool open_checkpoint(const std::string& path, SafetensorsFile& file, Error& error);

/// Loads weights, states and statistics, for evaluation and prediction; an error lists names and shapes that differ.
bool restore_weights(const SafetensorsFile& file, const std::string& path, Session& session, Error& error);

/// Starts a run from the weights, states and statistics of any safetensors file, by name: those whose names match `only`.
/// A shape that differs, and a pattern without a tensor on both sides, are errors. States that start from weights start
/// from these. `note` lists the tensors that only one side has.
bool take_weights(const SafetensorsFile& file, const std::string& path, std::string_view only, Session& session,
                  std::string& note, Error& error);

/// The data of a run.
struct Material {
    uint64_t hash = 0;
    int64_t rows = 0; // of an epoch; 0: no data
};

/// Loads everything, to continue training. Another program or other data are an error that says how they differ, unless
/// mismatches are allowed. Names and shapes must agree, and the position must exist in the data. `epochs` gets the
/// reports until then, or none if the checkpoint has none.
bool restore_run(const SafetensorsFile& file, const Settings& settings, const Material& data, Session& session,
                 Position& position, std::vector<EpochReport>& epochs, Error& error);

} // namespace gradc::runtime
