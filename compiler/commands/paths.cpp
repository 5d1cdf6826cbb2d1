// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc trajectories: where the optimizers of a model with two scalar parameters go, as one SVG.
#include "compiler/commands/commands.h"
#include "compiler/landscape/trajectories.h"
#include "compiler/util/files.h"
#include <fmt/format.h>

namespace gradc {

int paths_command(const CommandLine& line) {
    FileReader reader;
    std::string fault;
    Front front = load(line, reader, fault);
    if (!front.elaborated) return refuse(front, fault, line);
    auto picture = walk_paths(front, {line, line.beside, line.steps, line.seed}, fault);
    if (picture) fault = write_file(line.svg, draw_paths(*picture));
    if (!fault.empty()) {
        complain("gradc trajectories: {}\n", fault);
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
