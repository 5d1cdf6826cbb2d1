// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The map of the arena: bytes downwards, kernels to the right, and a block while a buffer holds a value. Heights grow
// with the logarithm of the bytes, so that a bias is visible beside a matrix. Buffers that use the same bytes at
// different times are side by side.
#include "compiler/page/links.h"
#include "compiler/util/figures.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {
namespace {

constexpr double left = 78, column = 30, least_column = 9, widest = 400, top = 26, least_height = 12;

/// The arena cut at the ends of buffers; each interval has a height on the page.
class ByteScale {
public:
    explicit ByteScale(const std::vector<PageBuffer>& buffers) {
        std::set<int64_t> cuts;
        for (const PageBuffer& buffer : buffers) cuts.insert({buffer.offset, buffer.offset + buffer.size});
        double y = top;
        int64_t before = -1;
        for (int64_t cut : cuts) {
            if (before >= 0) {
                bool used = std::any_of(buffers.begin(), buffers.end(), [&](const PageBuffer& buffer) {
                    return buffer.offset <= before && cut <= buffer.offset + buffer.size;
                });
                y += used ? least_height + 3.2 * std::log2(1 + double(cut - before) / 256) : 3;
            }
            place_[cut] = y;
            before = cut;
        }
        end_ = y;
    }
    double operator()(int64_t byte) const { return place_.at(byte); }
    double end() const { return end_; }

private:
    std::map<int64_t, double> place_;
    double end_ = top;
};

std::string bytes_text(int64_t bytes) {
    if (bytes < 10'000) return grouped(bytes) + " B";
    if (bytes < 10'000'000) return grouped(bytes / 1000) + " kB";
    return grouped(bytes / 1'000'000) + " MB";
}

bool share_bytes(const PageBuffer& a, const PageBuffer& b) {
    return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

/// When a buffer holds a value, in kernels. If one kernel overwrites a buffer in place with another, each buffer has
/// half of that kernel.
std::pair<double, double> span_of(const PageProgram& program, size_t number) {
    const PageBuffer& buffer = program.buffers[number];
    double first = buffer.first_step, last = buffer.last_step + 1;
    for (size_t i = 0; i < program.buffers.size(); ++i) {
        const PageBuffer& other = program.buffers[i];
        if (i == number || !share_bytes(buffer, other)) continue;
        if (other.last_step == buffer.first_step && other.first_step < buffer.first_step)
            first = buffer.first_step + 0.5;
        if (other.first_step == buffer.last_step && other.last_step > buffer.last_step) last = buffer.last_step + 0.5;
    }
    return {first, last};
}

/// Activations are colored by the role of their value.
std::string colour(const PageProgram& program, const PageBuffer& buffer) {
    if (buffer.role != "activation" || buffer.values.empty()) return buffer.role;
    return program.values[*buffer.values.begin()].role;
}

} // namespace

std::string memory_drawing(const PageProgram& program, const PageIds& ids, const PageLinks& links) {
    ByteScale scale(program.buffers);
    double step = std::clamp((widest - left) / std::max(1, program.steps), least_column, column * 3);
    double width = std::max(left + step * program.steps + 12, left + 150);
    std::string text = fmt::format("<svg class=\"memory\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
                                   "viewBox=\"0 0 {0:.0f} {1:.0f}\" "
                                   "role=\"group\" aria-label=\"arena of {2}\">\n",
                                   width, scale.end() + 20, html(program.name));
    text += fmt::format("<text class=\"lane\" x=\"{:.1f}\" y=\"16\">{} kernel{}, in order</text>\n", left,
                        program.steps, program.steps == 1 ? "" : "s");
    double last_label = 0;
    std::set<int64_t> offsets;
    for (const PageBuffer& buffer : program.buffers) offsets.insert(buffer.offset);
    for (int64_t offset : offsets) {
        double y = scale(offset);
        if (y < last_label + 13) continue;
        last_label = y;
        text += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", left - 6, y + 9,
                            bytes_text(offset));
    }
    for (size_t i = 0; i < program.buffers.size(); ++i) {
        const PageBuffer& buffer = program.buffers[i];
        auto [first, last] = span_of(program, i);
        double x = left + step * first, y = scale(buffer.offset), w = step * (last - first) - 1;
        double h = scale(buffer.offset + buffer.size) - y - 1;
        text += fmt::format("<g class=\"part block {}\" id=\"{}\" data-to=\"{}\" tabindex=\"0\" role=\"button\" "
                            "aria-label=\"{}, {} bytes\"><title>{}: {}, {} bytes at {}</title>",
                            colour(program, buffer), ids.buffer(i), links.of_buffer(ids, i), html(buffer.name),
                            grouped(buffer.size), html(buffer.name), html(buffer.type), grouped(buffer.size),
                            grouped(buffer.offset));
        text += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\"></rect>", x, y,
                            w, h);
        size_t room = size_t(std::max(0.0, (w - 8) / 6.2));
        std::string name =
            columns(buffer.name) <= room ? buffer.name : buffer.name.substr(0, room > 2 ? room - 2 : 0) + "..";
        if (room > 2)
            text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x + 4, y + h / 2 + 3.5, html(name));
        text += "</g>\n";
    }
    return text + "</svg>\n";
}

} // namespace gradc
