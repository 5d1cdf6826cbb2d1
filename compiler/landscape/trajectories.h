// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where two numbers go while optimizers move them: every train block of a model with two scalar parameters, compiled
// and run on its own from the same start, and the loss around its path. For `gradc trajectories`.
#pragma once
#include "compiler/pipeline.h"

namespace gradc {

struct Place2 {
    double x = 0, y = 0;
};

struct WalkedPath {
    std::string rows;           // "all 64 rows", "4 rows"
    std::vector<Place2> places; // the start, then after each step; ends before the first that is not finite
    bool diverged = false;      // the loss ended above where it began, or was not finite
};

/// One train block: its paths lie over one landscape.
struct PathPanel {
    std::string name, optimizer; // "too_large", "sgd(learning_rate: 0.3)"
    std::vector<WalkedPath> paths;
};

struct Landscape {
    std::string x_name, y_name;
    double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
    int side = 0;
    std::vector<double> losses; // at the corners of side x side cells, x fastest, upwards
};

struct TrajectoryPicture {
    std::string title;
    Landscape landscape;
    std::vector<PathPanel> panels;
};

struct TrajectoryOptions {
    CompileOptions compile;
    int64_t beside = 0; // > 0: another path of each block with so many rows a step
    int64_t steps = 0;  // length of the paths; 0: as the blocks say
    uint64_t seed = 1;
};

/// Nothing after a fault, which names what is wrong.
std::optional<TrajectoryPicture> walk_trajectories(const Front& front, const TrajectoryOptions& options,
                                                   std::string& error);

/// SVG: a panel for each block.
std::string draw_trajectories(const TrajectoryPicture& picture);

} // namespace gradc
