// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The graph as SVG: one box per value with its name and type; edges are smooth curves under the boxes.
#include "compiler/page/links.h"
#include "compiler/util/figures.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {
namespace {

constexpr double letter = 7.3, small_letter = 6.2, padding = 10,
                 box_height = 40; // pixels of 12 and 10 px monospace
constexpr size_t longest_label = 26;

std::string label(const std::string& name) {
    if (columns(name) <= longest_label) return name;
    return name.substr(0, 8) + ".." + name.substr(name.size() - (longest_label - 10));
}

std::string number(double value) { return fmt::format("{:.1f}", value); }

/// From the middle of one row to the next: vertical at both ends.
std::string downward(double x1, double y1, double x2, double y2) {
    double middle = (y1 + y2) / 2;
    return fmt::format(" C {} {} {} {} {} {}", number(x1), number(middle), number(x2), number(middle), number(x2),
                       number(y2));
}

std::string edge_path(const LayeredDrawing& drawing, const LayeredEdge& edge) {
    const LayeredBox &from = drawing.boxes[edge.from], &to = drawing.boxes[edge.to];
    if (edge.across || edge.bends.size() < 2) { // side to side
        bool right = from.x < to.x;
        double x1 = right ? from.x + from.width : from.x, x2 = right ? to.x : to.x + to.width;
        double y1 = from.y + from.height / 2, y2 = to.y + to.height / 2;
        double reach = std::min(std::abs(x2 - x1) / 2, 140.0) * (right ? 1 : -1);
        return fmt::format("M {} {} C {} {} {} {} {} {}", number(x1), number(y1), number(x1 + reach), number(y1),
                           number(x2 - reach), number(y2), number(x2), number(y2));
    }
    bool down = edge.bends.front().y < edge.bends.back().y;
    double x = edge.bends.front().x, y = down ? from.y + from.height : from.y;
    std::string path = fmt::format("M {} {}", number(x), number(y));
    for (size_t i = 1; i < edge.bends.size(); ++i) {
        bool last = i + 1 == edge.bends.size();
        double next_x = edge.bends[i].x, next_y = last ? (down ? to.y : to.y + to.height) : edge.bends[i].y;
        path += downward(x, y, next_x, next_y);
        x = next_x, y = next_y;
    }
    return path;
}

/// Edges of an update that are drawn: from the gradients that it reads and from its old value. Its formula names the
/// others.
bool drawn(const PageValue& from, const PageValue& to, bool beside) {
    return to.lane != Lane::update || from.lane == Lane::backward || beside;
}

/// The value that an update is placed next to: both are in one buffer.
void place_updates_beside(const PageProgram& program, LayeredDrawing& drawing) {
    for (size_t old = 0; old < program.values.size(); ++old) {
        const PageValue& variable = program.values[old];
        if (variable.lane != Lane::update || !variable.formula.empty()) continue;
        for (size_t i = 0; i < program.values.size(); ++i) {
            const PageValue& value = program.values[i];
            bool updates = value.lane == Lane::update && !value.formula.empty() && value.buffers == variable.buffers;
            if (!updates || variable.buffers.empty() || drawing.boxes[i].beside != LayeredBox::none) continue;
            drawing.boxes[i].beside = old;
            break;
        }
    }
}

LayeredDrawing layers_of(const PageProgram& program) {
    LayeredDrawing drawing;
    for (const PageValue& value : program.values) {
        double width =
            std::max(letter * double(columns(label(value.name))), small_letter * double(columns(value.type)));
        drawing.boxes.push_back({value.lane, std::max(width + 2 * padding, 56.0), box_height});
    }
    place_updates_beside(program, drawing);
    for (size_t i = 0; i < program.values.size(); ++i)
        for (size_t input : program.values[i].inputs)
            if (program.values[input].lane == Lane::update && drawing.boxes[input].beside != LayeredBox::none)
                drawing.boxes[i].after = input;
    for (size_t i = 0; i < program.values.size(); ++i)
        for (size_t input : program.values[i].inputs)
            if (drawn(program.values[input], program.values[i], drawing.boxes[i].beside == input))
                drawing.edges.push_back({input, i, {}, false});
    lay_out(drawing);
    return drawing;
}

} // namespace

std::string graph_drawing(const PageProgram& program, const PageIds& ids, const PageLinks& links) {
    LayeredDrawing drawing = layers_of(program);
    std::string text =
        fmt::format("<svg class=\"graph\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
                    "role=\"group\" aria-label=\"graph of {2}\">\n",
                    drawing.width, drawing.height, html(program.name));
    const char* titles[] = {"forward, downwards", "backward, upwards", "updates"};
    for (int lane = 0; lane < 3; ++lane) {
        bool any = std::any_of(drawing.boxes.begin(), drawing.boxes.end(),
                               [&](const LayeredBox& box) { return box.lane == Lane(lane); });
        if (any)
            text += fmt::format("<text class=\"lane\" x=\"{}\" y=\"24\">{}</text>\n", number(drawing.lane_left[lane]),
                                titles[lane]);
    }
    text += "<g class=\"edges\">\n";
    for (const LayeredEdge& edge : drawing.edges)
        text +=
            fmt::format("<path class=\"edge{}\" data-ends=\"{} {}\" d=\"{}\"></path>\n", edge.across ? " across" : "",
                        ids.value(edge.from), ids.value(edge.to), edge_path(drawing, edge));
    text += "</g>\n";
    for (size_t i = 0; i < program.values.size(); ++i) {
        const PageValue& value = program.values[i];
        const LayeredBox& box = drawing.boxes[i];
        text += fmt::format("<g class=\"part box {}\" id=\"{}\" data-to=\"{}\" tabindex=\"0\" role=\"button\" "
                            "aria-label=\"{}, {}\"><title>{}{}</title>",
                            value.role, ids.value(i), links.of_value(ids, i, true), html(value.name), html(value.type),
                            html(value.name), value.formula.empty() ? "" : html(" = " + value.formula));
        text += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"7\"></rect>", number(box.x),
                            number(box.y), number(box.width), number(box.height));
        text += fmt::format("<text x=\"{0}\" y=\"{1}\">{2}</text><text class=\"type\" x=\"{0}\" "
                            "y=\"{3}\">{4}</text></g>\n",
                            number(box.x + box.width / 2), number(box.y + 17), html(label(value.name)),
                            number(box.y + 32), html(value.type));
    }
    return text + "</svg>\n";
}

} // namespace gradc
