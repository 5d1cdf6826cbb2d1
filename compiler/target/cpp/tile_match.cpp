// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See tile_match.h. Anything that does not match throws NoTile.
#include "compiler/target/cpp/tile_match.h"
#include <algorithm>
#include <cstring>

namespace gradc::target {

using namespace loop;

void TileMatch::open_loops() {
    row_.clear(), inner_.clear(), known_.clear(), made_.clear();
    row_index_ = has_rows() ? fresh({Dtype::i64, 1}) : no_value;
    vector_index_ = form_.vectors > 1 ? fresh({Dtype::i64, 1}) : no_value;
}

void TileMatch::close_loops(Body& out) {
    auto loop_over = [&](ValueId index, int count, const char* name, Body inside, Body& to) {
        ValueId begin = fresh({Dtype::i64, 1}), end = fresh({Dtype::i64, 1});
        to.push_back({Define{begin, Operation::literal, {}, 0, 0}});
        to.push_back({Define{end, Operation::literal, {}, 0, count}});
        to.push_back({Loop{index, begin, end, 1, name, {}, std::move(inside)}});
        result_.unrolled.insert(index);
    };
    if (vector_index_ != no_value) loop_over(vector_index_, form_.vectors, "v", std::move(inner_), row_);
    else row_.insert(row_.end(), inner_.begin(), inner_.end());
    if (row_index_ != no_value) loop_over(row_index_, form_.rows, "r", std::move(row_), out);
    else out.insert(out.end(), row_.begin(), row_.end());
}

ValueId TileMatch::fresh(ValueType type, const std::string& name) {
    result_.kernel.types.push_back(type);
    result_.kernel.names.resize(result_.kernel.types.size());
    result_.kernel.names.back() = name;
    return ValueId(result_.kernel.types.size() - 1);
}

Affine TileMatch::element_of_array() const {
    Affine element;
    if (row_index_ != no_value) element.terms.push_back({row_index_, form_.vectors});
    if (vector_index_ != no_value) element.terms.push_back({vector_index_, 1});
    return element;
}

bool TileMatch::equal_in_rows(const Tuple& tuple) const {
    for (size_t i = 0; i < tuple.size(); ++i)
        if (tuple[i] != tuple[i - i % size_t(form_.vectors)]) return false;
    return true;
}

void TileMatch::add_affine(const std::vector<int64_t>& numbers, Affine& to) {
    int64_t by_row = form_.rows > 1 ? numbers[size_t(form_.vectors)] - numbers[0] : 0;
    if (replayed_) {
        if (replayed_rows_ == replayed_->by_row.size()) throw NoTile{};
        by_row = replayed_->by_row[replayed_rows_++];
    }
    trace_.by_row.push_back(by_row);
    int64_t by_vector = form_.vectors > 1 ? numbers[1] - numbers[0] : 0;
    for (int r = 0; r < form_.rows; ++r)
        for (int v = 0; v < form_.vectors; ++v)
            if (numbers[size_t(r * form_.vectors + v)] != numbers[0] + r * by_row + v * by_vector) throw NoTile{};
    to.constant += numbers[0];
    if (by_row) to.terms.push_back({row_index_, by_row});
    if (by_vector) to.terms.push_back({vector_index_, by_vector});
}

ValueId TileMatch::uniform(ValueId id) const {
    if (local_.count(id)) throw NoTile{};
    return id;
}

ValueId TileMatch::emit(const Tuple& tuple) {
    size_t number = trace_.steps.size();
    Trace::Step step = level_of(tuple);
    if (replayed_) {
        if (number == replayed_->steps.size()) throw NoTile{};
        Trace::Step expected = replayed_->steps[number];
        bool level_given = expected.level == Trace::Level::row || expected.level == Trace::Level::inner ||
                           expected.level == Trace::Level::known || expected.level == Trace::Level::affine;
        if (!level_given && expected.level != step.level) throw NoTile{};
        step = expected;
    }
    trace_.steps.push_back(step);
    if (step.level == Trace::Level::known) return made_.at(step.number);
    ValueId id = made(tuple, step.level);
    known_[tuple] = number;
    made_[number] = id;
    return id;
}

Trace::Step TileMatch::level_of(const Tuple& tuple) const {
    if (auto found = known_.find(tuple); found != known_.end()) return {Trace::Level::known, found->second};
    for (const TileArray& array : arrays_)
        if (tuple == array.current) return {Trace::Level::array};
    if (std::all_of(tuple.begin(), tuple.end(), [&](ValueId id) { return id == tuple[0]; }))
        return {Trace::Level::uniform};
    if (differ_by_constants(tuple)) return {Trace::Level::affine};
    return {form_.vectors > 1 && equal_in_rows(tuple) ? Trace::Level::row : Trace::Level::inner};
}

ValueId TileMatch::made(const Tuple& tuple, Trace::Level level) {
    if (level == Trace::Level::uniform) return uniform(tuple[0]);
    if (level == Trace::Level::affine) return shifted(tuple);
    for (const TileArray& array : arrays_)
        if (level == Trace::Level::array && tuple == array.current) {
            ValueId id = fresh(type_of(tuple));
            inner_.push_back({Load{id, array.id, element_of_array()}});
            return id;
        }
    std::vector<const Statement*> all;
    for (ValueId id : tuple) {
        auto found = definitions_.find(id);
        if (found == definitions_.end()) throw NoTile{};
        all.push_back(found->second);
    }
    Body& body = level == Trace::Level::row ? row_ : inner_;
    if (std::holds_alternative<Load>(all[0]->node)) return load(tuple, all, body);
    return define(tuple, all, body);
}

std::pair<ValueId, int64_t> TileMatch::index_of(ValueId id) const {
    int64_t constant = 0;
    for (;;) {
        auto found = definitions_.find(id);
        auto* define = found == definitions_.end() ? nullptr : std::get_if<Define>(&found->second->node);
        if (!define || define->operation != Operation::add) return {id, constant};
        auto right = definitions_.find(define->operands[1]);
        auto* literal = right == definitions_.end() ? nullptr : std::get_if<Define>(&right->second->node);
        if (!literal || literal->operation != Operation::literal) return {id, constant};
        constant += literal->integer;
        id = define->operands[0];
    }
}

bool TileMatch::differ_by_constants(const Tuple& tuple) const {
    if (!(result_.kernel.types[tuple[0]] == ValueType{Dtype::i64, 1})) return false;
    return std::all_of(tuple.begin(), tuple.end(),
                       [&](ValueId id) { return index_of(id).first == index_of(tuple[0]).first; });
}

ValueId TileMatch::shifted(const Tuple& tuple) {
    std::vector<int64_t> numbers;
    for (ValueId id : tuple) numbers.push_back(index_of(id).second);
    if (!differ_by_constants(tuple)) throw NoTile{};
    Affine sum;
    add_affine(numbers, sum);
    bool by_vector =
        vector_index_ == no_value ||
        std::any_of(sum.terms.begin(), sum.terms.end(), [&](const auto& term) { return term.first == vector_index_; });
    return index_sum(index_of(tuple[0]).first, sum, by_vector ? inner_ : row_); // rows' values may read it
}

ValueId TileMatch::index_sum(ValueId base, const Affine& sum, Body& level) {
    const ValueType type{Dtype::i64, 1};
    auto add = [&](Operation operation, ValueId a, ValueId b) {
        ValueId id = fresh(type);
        level.push_back({Define{id, operation, {a, b}}});
        return id;
    };
    auto constant = [&](int64_t value) {
        ValueId id = fresh(type);
        level.push_back({Define{id, Operation::literal, {}, 0, value}});
        return id;
    };
    ValueId total = base == no_value ? no_value : uniform(base);
    for (auto [index, coefficient] : sum.terms) {
        ValueId term = coefficient == 1 ? index : add(Operation::multiply, constant(coefficient), index);
        total = total == no_value ? term : add(Operation::add, total, term);
    }
    if (total == no_value) return constant(sum.constant);
    return sum.constant ? add(Operation::add, total, constant(sum.constant)) : total;
}

ValueType TileMatch::type_of(const Tuple& tuple) const {
    for (ValueId id : tuple)
        if (!(result_.kernel.types[id] == result_.kernel.types[tuple[0]])) throw NoTile{};
    return result_.kernel.types[tuple[0]];
}

ValueId TileMatch::define(const Tuple& tuple, const std::vector<const Statement*>& all, Body& level) {
    std::vector<const Define*> defines;
    for (const Statement* statement : all) {
        defines.push_back(std::get_if<Define>(&statement->node));
        if (!defines.back() || defines.back()->operation != defines[0]->operation ||
            defines.back()->operands.size() != defines[0]->operands.size())
            throw NoTile{};
    }
    ValueType type = type_of(tuple);
    if (defines[0]->operation == Operation::literal) return literal(type, defines, level);
    for (const Define* each : defines)
        if (each->integer != defines[0]->integer || std::memcmp(&each->number, &defines[0]->number, 8) != 0)
            throw NoTile{};
    Define copy = *defines[0];
    for (size_t o = 0; o < copy.operands.size(); ++o) {
        Tuple operands;
        for (const Define* each : defines) operands.push_back(each->operands[o]);
        copy.operands[o] = emit(operands);
    }
    copy.result = fresh(type, result_.kernel.names[tuple[0]]);
    level.push_back({copy});
    if (calls_.count(tuple[0])) note_call(tuple, copy.result);
    return copy.result;
}

void TileMatch::note_call(const Tuple& tuple, ValueId result) {
    const Call first = result_.kernel.calls[calls_.at(tuple[0])];
    Call call{result, first.function, {}};
    for (size_t a = 0; a < first.arguments.size(); ++a) {
        Tuple arguments;
        for (ValueId id : tuple) {
            auto found = calls_.find(id);
            if (found == calls_.end() || result_.kernel.calls[found->second].function != first.function) return;
            arguments.push_back(result_.kernel.calls[found->second].arguments[a]);
        }
        call.arguments.push_back(emit(arguments));
    }
    result_.kernel.calls.push_back(std::move(call));
}

ValueId TileMatch::literal(ValueType type, const std::vector<const Define*>& defines, Body& level) {
    if (!(type == ValueType{Dtype::i64, 1})) throw NoTile{};
    std::vector<int64_t> numbers;
    for (const Define* each : defines) numbers.push_back(each->integer);
    Affine sum;
    add_affine(numbers, sum);
    return index_sum(no_value, sum, level);
}

Affine TileMatch::address(const std::vector<const Affine*>& all) {
    Affine result;
    std::vector<int64_t> constants;
    std::vector<std::vector<std::pair<ValueId, int64_t>>> rest;
    for (const Affine* each : all) {
        constants.push_back(each->constant);
        rest.push_back(each->terms);
    }
    for (const auto& term : all[0]->terms) { // terms that all have
        bool shared = true;
        for (const auto& terms : rest) shared = shared && std::find(terms.begin(), terms.end(), term) != terms.end();
        if (!shared) continue;
        result.terms.push_back({uniform(term.first), term.second});
        for (auto& terms : rest) terms.erase(std::find(terms.begin(), terms.end(), term));
    }
    for (size_t t = 0; t < rest[0].size(); ++t) {
        Tuple values;
        for (const auto& terms : rest) {
            if (terms.size() != rest[0].size() || terms[t].second != rest[0][t].second) throw NoTile{};
            values.push_back(terms[t].first);
        }
        result.terms.push_back({emit(values), rest[0][t].second});
    }
    add_affine(constants, result);
    return result;
}

ValueId TileMatch::optional(const std::vector<ValueId>& ids) {
    for (ValueId id : ids)
        if ((id == no_value) != (ids[0] == no_value)) throw NoTile{};
    return ids[0] == no_value ? no_value : emit(ids);
}

ValueId TileMatch::load(const Tuple& tuple, const std::vector<const Statement*>& all, Body& level) {
    std::vector<const Affine*> addresses;
    Tuple masks, indices, wanted;
    for (const Statement* statement : all) {
        auto* each = std::get_if<Load>(&statement->node);
        const Load& first = std::get<Load>(all[0]->node);
        if (!each || each->buffer != first.buffer || each->stride != first.stride) throw NoTile{};
        if (written_.count(each->buffer) && (!waiting_.count(each->result) || &level == &row_)) throw NoTile{};
        addresses.push_back(&each->element);
        masks.push_back(each->mask);
        indices.push_back(each->lane_index);
        wanted.push_back(each->wanted);
    }
    check_owners(tuple);
    Load copy = std::get<Load>(all[0]->node);
    copy.element = address(addresses);
    copy.mask = optional(masks);
    copy.lane_index = optional(indices);
    copy.wanted = no_value; // for the verifier only
    copy.result = fresh(type_of(tuple), result_.kernel.names[tuple[0]]);
    level.push_back({copy});
    return copy.result;
}

void TileMatch::check_owners(const Tuple& tuple) const {
    if (!owner_.count(tuple[0])) return;
    size_t first = owner_.at(tuple[0]);
    for (int r = 0; r < form_.rows; ++r)
        for (int v = 0; v < form_.vectors; ++v) {
            auto found = owner_.find(tuple[size_t(r * form_.vectors + v)]);
            if (found == owner_.end() || found->second != first + form_.at(r, 0, v)) throw NoTile{};
        }
}

void TileMatch::effect(const std::vector<const Statement*>& group, Body& stores) {
    std::vector<const Affine*> addresses;
    if (auto* first = std::get_if<Prefetch>(&group[0]->node)) {
        for (const Statement* each : group) {
            auto* prefetch = std::get_if<Prefetch>(&each->node);
            if (!prefetch || prefetch->buffer != first->buffer) throw NoTile{};
            addresses.push_back(&prefetch->element);
        }
        Affine element = address(addresses);
        stores.push_back({Prefetch{first->buffer, element, first->for_write}});
        return;
    }
    const Store& first = std::get<Store>(group[0]->node);
    Tuple values, masks;
    for (const Statement* each : group) {
        auto* store = std::get_if<Store>(&each->node);
        if (!store || store->buffer != first.buffer || store->stride != first.stride) throw NoTile{};
        addresses.push_back(&store->element);
        values.push_back(store->value);
        masks.push_back(store->mask);
    }
    Store copy = first;
    copy.value = emit(values);
    copy.element = address(addresses);
    copy.mask = optional(masks);
    stores.push_back({copy});
}

} // namespace gradc::target
