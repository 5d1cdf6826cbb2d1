// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The state of a run in a safetensors file: every variable in the model's own shape, the sums of
// the epoch, and where the run stands. Resuming from it gives the very bits of a run that was never
// interrupted.
#pragma once
#include "runtime/session.h"
#include "runtime/train/history.h"
#include "runtime/train/settings.h"

namespace gradc::runtime {

/// Where a run stands between two steps.
struct Position {
    int64_t step = 0;                         // done, over all blocks
    int64_t epoch = 0, cursor = 0;            // epoch from 0; rows of it that are done
    int32_t block = 0;                        // whose turn it is
    int64_t turn = 0;                         // steps of that block's turn that are done
    std::vector<int64_t> block_steps;         // done, by block
    std::vector<double> loss_sums, loss_rows; // of this epoch, by block
};

inline constexpr int64_t checkpoint_format = 2; // 1: of gradc 0.1, whose names were others

bool write_checkpoint(const Session& session, const Settings& settings, const Position& position,
                      const std::vector<EpochReport>& epochs, uint64_t data_hash, Error& error);

/// Opens it and refuses what a newer gradc wrote.
bool open_checkpoint(const std::string& path, SafetensorsFile& file, Error& error);

/// Weights, states and statistics, for evaluation and prediction; a fault lists names and shapes
/// that differ.
bool restore_weights(const SafetensorsFile& file, const std::string& path, Session& session, Error& error);

/// What a run trains on.
struct Material {
    uint64_t hash = 0;
    int64_t rows = 0; // of an epoch; 0: no data
};

/// All of it, for training on. Another program or other data is a fault that says what differs,
/// unless mismatches are allowed; names and shapes must agree always, and the position be one of the data.
/// `epochs`: as reported until then, none in a checkpoint that does not tell.
bool restore_run(const SafetensorsFile& file, const Settings& settings, const Material& data, Session& session,
                 Position& position, std::vector<EpochReport>& epochs, Error& error);

} // namespace gradc::runtime
