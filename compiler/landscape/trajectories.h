// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The trajectories of two parameters under optimizers, for `gradc trajectories`. Every train block of a model with two
// scalar parameters is compiled and run alone from the same initial values. The picture shows the loss around the
// paths.
#pragma once
#include "compiler/pipeline.h"

namespace gradc {

/// The values of both parameters.
struct Place2 {
    double x = 0, y = 0;
};

/// One run of a train block.
struct WalkedPath {
    std::string rows; // "all 64 rows", "4 rows"
    std::vector<Place2>
        places; // the initial point, then the point after each step; ends before the first that is not finite
    bool diverged = false; // the last loss is above the first, or not finite
};

/// One train block, with its paths over the landscape.
struct PathPanel {
    std::string name, optimizer; // "too_large", "sgd(learning_rate: 0.3)"
    std::vector<WalkedPath> paths;
};

/// The loss over a rectangle of parameter values.
struct Landscape {
    std::string x_name, y_name;
    double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
    int side = 0;
    std::vector<double> losses; // at the corners of side x side cells, in order of y, then x
};

/// The picture before it is drawn.
struct TrajectoryPicture {
    std::string title;
    Landscape landscape;
    std::vector<PathPanel> panels;
};

struct TrajectoryOptions {
    CompileOptions compile;
    int64_t beside = 0; // > 0: a second path of each block with this many rows per step
    int64_t steps = 0;  // length of the paths; 0: that of the blocks
    uint64_t seed = 1;
};

/// Compiles and runs all train blocks. Nothing after an error, with its message in `error`.
std::optional<TrajectoryPicture> walk_trajectories(const Front& front, const TrajectoryOptions& options,
                                                   std::string& error);

/// The picture as SVG, with one panel for each block.
std::string draw_trajectories(const TrajectoryPicture& picture);

} // namespace gradc
