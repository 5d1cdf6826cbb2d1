// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Blocks are recognized by the number in the second part of a path, "gpt.block_2.linear_1.weight", so that layers written
// one by one count as `repeat` does.
#include "compiler/target/cpp/places.h"
#include "compiler/util/check.h"
#include <fmt/format.h>
#include <utility>

namespace gradc::target {

using namespace loop;

namespace {

constexpr int64_t unit = 64; // bytes

/// "train.adam.m/gpt.block_2.linear_1.weight" is block_2_linear_1_weight_m.
std::string words_of(const std::string& path) {
    size_t slash = path.find('/');
    std::string owner = slash == std::string::npos ? path : path.substr(slash + 1);
    std::string words = owner.substr(owner.find('.') + 1); // all of it without a dot
    if (slash != std::string::npos) {
        std::string state = path.substr(0, slash);
        words += "_" + state.substr(state.rfind('.') + 1);
    }
    return identifier(words);
}

struct NumberedPath {
    std::string before, after; // "gpt.block", ".linear_1.weight"
    int64_t number = 0;
};

std::optional<NumberedPath> numbered(const std::string& path) {
    size_t slash = path.find('/'), begin = path.find('.', slash == std::string::npos ? 0 : slash);
    if (begin == std::string::npos) return {};
    size_t end = path.find('.', begin + 1);
    if (end == std::string::npos) return {};
    size_t digits = path.find_last_not_of("0123456789", end - 1) + 1;
    if (digits == end || end - digits > 9 || path[digits - 1] != '_') return {};
    return NumberedPath{path.substr(0, digits - 1), path.substr(end), std::stoll(path.substr(digits, end - digits))};
}

} // namespace

void Declarations::add(const std::string& type, const std::string& text) {
    std::string& lines = lines_[type];
    std::string declarator = text.substr(text.find(type) + type.size() + 1);
    size_t last = lines.empty() ? 0 : lines.rfind('\n', lines.size() - 2) + 1;
    bool fits = !lines.empty() && lines.size() - last + declarator.size() <= 120;
    if (fits) lines.replace(lines.size() - 2, 2, ", " + declarator);
    else lines += text;
}

std::string Declarations::take() {
    std::string text;
    for (const auto& [type, lines] : std::exchange(lines_, {})) text += lines;
    return text;
}

Places::Places(const Module& module) : module_(module) { find_families(); }

void Places::find_families() {
    std::map<std::pair<std::string, std::string>, std::map<int64_t, BufferId>> paths;
    for (BufferId id = 0; id < module_.buffers.size(); ++id)
        if (auto path = numbered(module_.buffers[id].name); path && module_.buffers[id].role == Buffer::Role::variable)
            paths[{path->before, path->after}].emplace(path->number, id);
    for (const auto& [path, blocks] : paths) {
        std::vector<std::pair<int64_t, BufferId>> all(blocks.begin(), blocks.end());
        auto offset = [&](size_t i) { return module_.buffers[all[i].second].offset; };
        for (size_t begin = 0, end; begin < all.size(); begin = end) { // runs of equal distances
            for (end = begin + 1; end < all.size(); ++end) {
                bool next = all[end].first == all[end - 1].first + 1;
                bool equal = module_.buffers[all[end].second].size == module_.buffers[all[begin].second].size;
                if (!next || !equal || offset(end) - offset(end - 1) != offset(begin + 1) - offset(begin)) break;
            }
            if (end - begin > 1)
                add_family(path.first, path.second, {all.begin() + long(begin), all.begin() + long(end)},
                           end - begin == all.size());
        }
    }
}

/// `all`: no other block has such a tensor, so that the first one's number says nothing.
void Places::add_family(const std::string& before, const std::string& after,
                        const std::vector<std::pair<int64_t, BufferId>>& run, bool all) {
    const Buffer& first = module_.buffers[run[0].second];
    Family family{words_of(all ? before + after : first.name), before.substr(before.rfind('.') + 1), first.offset,
                  module_.buffers[run[1].second].offset - first.offset};
    for (auto [number, id] : run) members_[id] = {families_.size(), number - run[0].first};
    families_.push_back(std::move(family));
}

std::string Places::constant(const std::string& words, int64_t value) {
    auto [known, added] = known_.emplace(std::pair(words, value), "");
    if (added) {
        std::string name = names_.fresh(words);
        known->second = "at::" + name;
        check(value % unit == 0, "cpp", name + " is not aligned");
        declarations_.add("int64_t", fmt::format("constexpr int64_t {} = {};\n", name, value / unit));
    }
    return known->second;
}

std::string Places::operator[](BufferId id) {
    const Buffer& buffer = module_.buffers[id];
    auto member = members_.find(id);
    if (member == members_.end()) return constant(words_of(buffer.name), buffer.offset);
    const auto& [number, block] = member->second;
    const Family& family = families_[number];
    std::string first = constant(family.words, family.offset);
    if (block == 0 || family.stride == 0) return first;
    strides_ = true;
    std::string times = block == 1 ? "" : fmt::format("{} * ", block);
    return fmt::format("{} + {}{}", first, times, constant(family.stem + "_stride", family.stride));
}

std::string Places::text() const {
    std::string lines = Declarations(declarations_).take();
    if (lines.empty()) return "";
    std::string blocks = strides_ ? " Weights and\n// states of equal blocks have one name, the first one's; the next "
                                    "one lies a stride behind."
                                  : "";
    return fmt::format(
        "\n// Where tensors lie: units of 64 bytes from the arena's base.{}\nnamespace at {{\n{}}} // namespace at\n",
        blocks, lines);
}

} // namespace gradc::target
