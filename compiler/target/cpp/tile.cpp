// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows are cut into tiles of several heights, whose loops are the same but for the number of rows. They stand once,
// as a function template over it; what they read of the kernel are its parameters.
#include "compiler/target/cpp/kernel.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc::target {

using namespace loop;

namespace {

/// Values that a body defines, loops inside it included.
void note_defined(const Body& body, std::set<ValueId>& defined) {
    for (const Statement& statement : body) {
        if (auto* define = std::get_if<Define>(&statement.node)) defined.insert(define->result);
        if (auto* load = std::get_if<Load>(&statement.node)) defined.insert(load->result);
        if (auto* loop = std::get_if<Loop>(&statement.node)) {
            defined.insert(loop->index);
            for (const Carried& carried : loop->carried) defined.insert({carried.phi, carried.result});
            note_defined(loop->body, defined);
        }
        if (auto* branch = std::get_if<If>(&statement.node))
            note_defined(branch->then, defined), note_defined(branch->otherwise, defined);
    }
}

} // namespace

/// A loop whose body declares accumulators.
bool CppKernel::is_tile(const Statement& statement) const {
    auto* loop = std::get_if<Loop>(&statement.node);
    return loop && loop->carried.empty() && tile_rows(loop->body) > 0;
}

/// Of the accumulators that it declares; 0: none with an axis for rows.
int CppKernel::tile_rows(const Body& body) const {
    for (const Statement& statement : body)
        if (auto* prefetch = std::get_if<Prefetch>(&statement.node))
            if (auto* sums = array(prefetch->buffer); sums && sums->has_rows) return sums->rows;
    return 0;
}

/// Type and name of what the text of a tile reads.
std::vector<std::pair<std::string, std::string>> CppKernel::tile_parameters(const Loop& loop, const std::string& text) {
    std::vector<std::pair<std::string, std::string>> result;
    for (const auto& [id, name] : buffers_) {
        if (!contains_word(text, name)) continue;
        std::string constant = written_.count(id) ? "" : "const ";
        bool local = module_.buffers[id].role == Buffer::Role::local;
        result.push_back(
            {constant + memory_name(lane_of(module_.buffers[id].dtype)) + (alone(id) && !local ? "* __restrict" : "*"),
             name});
    }
    if (contains_word(text, "sizes")) result.push_back({"const int64_t*", "sizes"});
    for (const char* range : {"begin", "end"})
        if (contains_word(text, range)) result.push_back({"int64_t", range});
    std::set<ValueId> inside;
    note_defined(loop.body, inside);
    for (ValueId id = 0; id < values_.size(); ++id) {
        const Expression& value = values_[id];
        bool name = value.known && value.level == primary && identifier(value.text) == value.text;
        bool mine = named_.count(id) != 0;
        if (!name || !mine || id == loop.index || inside.count(id) || !contains_word(text, value.text)) continue;
        result.push_back({declared(id), value.text});
    }
    const std::string& row = values_[loop.index].text; // last: its place does not depend on the tile
    if (contains_word(text, row)) result.push_back({"int64_t", row});
    return result;
}

void CppKernel::print_tile(const Loop& loop) {
    std::string before = std::move(text_);
    int indent = indent_;
    text_.clear();
    indent_ = 1;
    rows_by_name_ = true;
    print_scope(loop.body);
    rows_by_name_ = false;
    std::string body = std::move(text_), parameters, arguments;
    text_ = std::move(before);
    indent_ = indent;
    size_t column = kernel_name_.size() + 24;
    for (const auto& [type, name] : tile_parameters(loop, body)) {
        std::string parameter = type + " " + name;
        bool full = column + parameter.size() > 100;
        column = full ? 8 + parameter.size() : column + parameter.size() + 2;
        parameters += (parameters.empty() ? "" : full ? ",\n        " : ", ") + parameter;
        arguments += (arguments.empty() ? "" : ", ") + name;
    }
    auto found = std::find_if(tiles_.begin(), tiles_.end(),
                              [&](const Tile& tile) { return tile.body == body && tile.parameters == parameters; });
    if (found == tiles_.end()) {
        std::string number = tiles_.empty() ? "" : fmt::format("_{}", tiles_.size() + 1);
        found = tiles_.insert(tiles_.end(), {body, parameters, kernel_name_ + "_tile" + number});
    }
    line(fmt::format("{}<{}>({});", found->name, tile_rows(loop.body), arguments));
}

} // namespace gradc::target
