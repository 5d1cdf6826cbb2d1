// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc trajectories: the paths of the optimizers of a model with two scalar parameters, as one SVG.
#include "compiler/commands/commands.h"
#include "compiler/landscape/trajectories.h"
#include "compiler/util/files.h"
#include <fmt/format.h>

namespace gradc {

int trajectories_command(const CommandLine& line) {
    FileReader reader;
    std::string error;
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    auto picture = walk_trajectories(front, {line, line.beside, line.steps, line.seed}, error);
    if (picture) error = write_file(line.svg, draw_trajectories(*picture));
    if (!error.empty()) {
        complain("gradc trajectories: {}\n", error);
        return exit_code::input;
    }
    for (const PathPanel& panel : picture->panels)
        for (const WalkedPath& path : panel.paths)
            fmt::print("{}{}{}: {} after {} steps, at {} {:.4g}, {} {:.4g}\n", panel.name,
                       path.rows.empty() ? "" : ", ", path.rows, path.diverged ? "not lower" : "lower",
                       path.places.size() - 1, picture->landscape.x_name, path.places.back().x,
                       picture->landscape.y_name, path.places.back().y);
    fmt::print("{}\n", printable(line.svg));
    return exit_code::done;
}

} // namespace gradc
