// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows are cut into tiles of several heights, whose loops are the same but for the number of rows. They stand once,
// as a function template over it; what they read of the kernel are its parameters.
#include "compiler/target/cpp/kernel.h"
#include "compiler/util/check.h"
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

/// The value is "long_begin_of_tiles_by_6" or the like.
const Call* CppKernel::bound(ValueId id, const std::string& what, int64_t rows) const {
    auto found = calls_.find(id);
    bool same = found != calls_.end() && found->second.function == fmt::format("{}_of_tiles_by_{}", what, rows);
    return same ? &found->second : nullptr;
}

void CppKernel::find_groups(const Body& body) {
    std::vector<const Loop*> tiles;
    for (const Statement& statement : body) {
        auto* loop = std::get_if<Loop>(&statement.node);
        if (loop && is_tile(statement)) tiles.push_back(loop), tile_numbers_.emplace(loop, int(tile_numbers_.size()));
        else if (loop) find_groups(loop->body);
        if (auto* branch = std::get_if<If>(&statement.node)) find_groups(branch->then), find_groups(branch->otherwise);
    }
    if (tiles.size() > 1) find_group(tiles);
}

/// Tiles of R rows, perhaps of R - 1, then of four and of one for the rest: those that `Product::counted_rows` cuts.
void CppKernel::find_group(const std::vector<const Loop*>& tiles) {
    const Loop &first = *tiles[0], &last = *tiles.back();
    int64_t rows = first.step;
    if (split_.count(tile_numbers_.at(&first))) return;
    size_t rest = 1;
    bool known = bound(first.begin, "long_begin", rows) && bound(first.end, "long_end", rows);
    if (bound(tiles[1]->begin, "short_begin", rows))
        known = known && tiles[rest]->step == rows - 1 && bound(tiles[rest++]->end, "short_end", rows);
    known = known && rest < tiles.size() && bound(tiles[rest]->begin, "rest", rows) && last.step == 1 &&
            bound(last.end, "stop", rows);
    for (size_t i = rest + 1; known && i < tiles.size(); ++i) known = tiles[i]->begin == tiles[i - 1]->end;
    for (const Loop* tile : tiles) known = known && tile_rows(tile->body) == tile->step;
    if (!known) return;
    groups_.emplace(&first, tiles);
    grouped_.insert(tiles.begin(), tiles.end());
}

/// for_tiles_by_6(rows, from, to, tile) calls `tile` for all tiles of a range.
std::string CppKernel::group_function(const Call& call, const std::vector<const Loop*>& tiles) {
    Kernel function;
    std::set<ValueId> seen;
    for (const Loop* tile : tiles)
        for (ValueId id : {tile->begin, tile->end})
            check(collect(call, id, seen, function.body), "cpp", "rows are not cut by their number alone");
    function.types = kernel_.types;
    function.names = kernel_.names;
    function.names.resize(function.types.size());
    return CppKernel(module_, function, machine_, prelude_).print_group_function(call, tiles);
}

std::string CppKernel::print_group_function(const Call& call, const std::vector<const Loop*>& tiles) {
    std::vector<ValueId> bounds;
    for (const Loop* tile : tiles) bounds.insert(bounds.end(), {tile->begin, tile->end, tile->end}); // ends: with names
    count_uses(bounds);
    static constexpr const char* names[] = {"rows", "from", "to"};
    for (size_t i = 0; i < call.arguments.size(); ++i) {
        values_[call.arguments[i]] = {names_.fresh(names[i]), primary, false, true};
        index_[call.arguments[i]] = true;
    }
    names_.fresh("tile"), names_.fresh("row");
    print(kernel_.body);
    for (const Loop* tile : tiles)
        line(fmt::format("for (int64_t row = {}; row < {}; row += {}) tile(Rows<{}>(), row);",
                         operand(tile->begin, ternary).text, operand(tile->end, sum).text, tile->step, tile->step));
    return prelude_.for_tiles(fmt::format("for_tiles_by_{}", tiles[0]->step), text_);
}

void CppKernel::print_group(const Loop& first) {
    const std::vector<const Loop*>& tiles = groups_.at(&first);
    Names outside = names_;
    std::set<ValueId> named = named_;
    std::string rows = names_.fresh("rows"), row = names_.fresh(first.name), text;
    for (const Loop* tile : tiles) {
        values_[tile->index] = {row, primary, false, true};
        index_[tile->index] = true;
        std::string body = tile_text(*tile, rows + ".count");
        if (tile == &first) text = body;
        else if (body != text) split_.insert(tile_numbers_.at(&first));
    }
    const Call& call = *bound(first.begin, "long_begin", first.step);
    std::string arguments;
    for (ValueId id : call.arguments) arguments += argument(id) + ", ";
    std::string name = contains_word(text, row) ? " " + row : "", machine = upper(machine_.name);
    line(fmt::format("{}({}[&](auto {}, int64_t{}) {} ALWAYS_INLINE {{", group_function(call, tiles), arguments, rows,
                     name, machine));
    text_ += text;
    line("});");
    names_ = std::move(outside);
    named_ = std::move(named);
}

std::string CppKernel::tile_text(const Loop& loop, const std::string& rows) {
    std::string before = std::move(text_);
    text_.clear();
    rows_name_ = rows;
    ++indent_;
    print_scope(loop.body);
    --indent_;
    rows_name_.clear();
    std::swap(before, text_);
    return before;
}

void CppKernel::print_tile(const Loop& loop) {
    int indent = indent_;
    indent_ = 0;
    std::string body = tile_text(loop, "R"), parameters, arguments;
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
    found->users.push_back(tile_numbers_.at(&loop));
    line(fmt::format("{}<{}>({});", found->name, tile_rows(loop.body), arguments));
}

} // namespace gradc::target
