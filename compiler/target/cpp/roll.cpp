// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matches the elements of a tile, from the values that they store or carry down to their operands. A tuple holds one
// value for each element. Equal values stay before the loops; values that are equal within a row go into the loop over
// rows, all others into both loops. Indices must differ by a constant from row to row and from vector to vector. If
// anything does not match, the tile is printed as it is.
#include "compiler/target/cpp/roll.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace gradc::target {

using namespace loop;

namespace {

struct NoTile {}; // thrown where elements do not match

/// Elements (r, g, v): groups lie beside each other in a row and are no array, since their last vector is masked.
struct Form {
    int rows = 1, groups = 1, vectors = 1;
    int elements() const { return rows * groups * vectors; }
    size_t at(int r, int g, int v) const { return size_t((r * groups + g) * vectors + v); }
};

using Tuple = std::vector<ValueId>; // by row, then by vector: the elements of one group

/// How a tile was rolled, step by step. A tile of one row follows the steps of its sibling of more rows: it has no
/// second row that would tell what differs from row to row.
struct Trace {
    enum class Level : uint8_t { known, array, uniform, affine, row, inner };
    struct Step {
        Level level;
        size_t number = 0; // known: of the step that made it
    };
    Form form;
    std::vector<Step> steps;
    std::vector<int64_t> by_row; // of each constant that differs from row to row
};

const Loop* carrying_loop(const Body& body) {
    for (const Statement& statement : body)
        if (auto* loop = std::get_if<Loop>(&statement.node); loop && loop->carried.size() > 1) return loop;
    return nullptr;
}

bool is_effect(const Statement& statement) {
    return std::holds_alternative<Store>(statement.node) || std::holds_alternative<Prefetch>(statement.node);
}

bool is_block(const Statement& statement) {
    return std::holds_alternative<Loop>(statement.node) || std::holds_alternative<If>(statement.node);
}

class Roller {
public:
    Roller(const Module& module, const Kernel& kernel) : first_array_(BufferId(module.buffers.size())) {
        result_.kernel = kernel;
        for (size_t i = 0; i < kernel.calls.size(); ++i) calls_.emplace(kernel.calls[i].result, i);
    }

    RolledKernel run() {
        Body original = std::move(result_.kernel.body);
        note(original);
        result_.kernel.body = body(original);
        return std::move(result_);
    }

private:
    struct Array {
        BufferId id;
        std::vector<ValueId> current; // values that its elements stand for
    };

    // ---- finding tiles
    void note(const Body& body) {
        for (const Statement& statement : body) {
            if (auto* define = std::get_if<Define>(&statement.node)) definitions_[define->result] = &statement;
            if (auto* load = std::get_if<Load>(&statement.node)) definitions_[load->result] = &statement;
            if (auto* store = std::get_if<Store>(&statement.node)) written_.insert(store->buffer);
            if (auto* loop = std::get_if<Loop>(&statement.node)) note(loop->body);
            if (auto* branch = std::get_if<If>(&statement.node)) note(branch->then), note(branch->otherwise);
        }
    }

    Body body(const Body& statements) {
        if (const Loop* loop = carrying_loop(statements)) {
            int count = int(loop->carried.size());
            if (sibling_.form.rows > 1 && count == sibling_.form.groups * sibling_.form.vectors) {
                const Trace sibling = sibling_;
                replayed_ = &sibling;
                auto tile = attempt(statements, {1, sibling.form.groups, sibling.form.vectors});
                replayed_ = nullptr;
                if (tile) return std::move(*tile);
            }
            for (int columns = 1; columns <= std::min(count, 8); ++columns) {
                if (count % columns) continue;
                for (Form form : {Form{count / columns, 1, columns}, Form{count / columns, columns, 1}})
                    if (auto tile = attempt(statements, form)) return std::move(*tile);
            }
        }
        Body result;
        for (const Statement& statement : statements) result.push_back(inside(statement));
        return result;
    }

    Statement inside(const Statement& statement) {
        if (auto* loop = std::get_if<Loop>(&statement.node)) {
            Loop copy = *loop;
            copy.body = body(loop->body);
            return {std::move(copy)};
        }
        if (auto* branch = std::get_if<If>(&statement.node))
            return {If{branch->condition, body(branch->then), body(branch->otherwise)}};
        return statement;
    }

    std::optional<Body> attempt(const Body& statements, Form form) {
        if (form.rows == 1 && form.vectors == 1 && !replayed_) return {};
        size_t arrays = result_.arrays.size(), values = result_.kernel.types.size(),
               calls = result_.kernel.calls.size();
        form_ = form;
        arrays_.clear(), local_.clear(), waiting_.clear();
        trace_ = {form, {}, {}};
        replayed_rows_ = 0;
        try {
            Body rolled;
            roll_statements(statements, rolled);
            if (!replayed_) sibling_ = std::move(trace_);
            return rolled;
        } catch (const NoTile&) {
            result_.arrays.resize(arrays);
            result_.kernel.types.resize(values);
            result_.kernel.calls.resize(calls);
            result_.kernel.names.resize(values);
            std::erase_if(result_.unrolled, [&](ValueId id) { return id >= values; });
            return {};
        }
    }

    // ---- a body with a tile
    void roll_statements(const Body& statements, Body& out) {
        for (size_t i = 0; i < statements.size();) {
            auto* loop = std::get_if<Loop>(&statements[i].node);
            if (loop && int(loop->carried.size()) == form_.elements()) {
                roll_loop(*loop, out);
                ++i;
                continue;
            }
            if (is_block(statements[i])) throw NoTile{};
            size_t end = i;
            while (end < statements.size() && !is_block(statements[end])) ++end;
            roll_run({statements.begin() + long(i), statements.begin() + long(end)}, out);
            i = end;
        }
    }

    std::vector<ValueId> of_carried(const Loop& loop, ValueId Carried::* member) const {
        std::vector<ValueId> result;
        for (const Carried& carried : loop.carried) result.push_back(carried.*member);
        return result;
    }

    Tuple group_of(const std::vector<ValueId>& values, int g) const {
        Tuple tuple;
        for (int r = 0; r < form_.rows; ++r)
            for (int v = 0; v < form_.vectors; ++v) tuple.push_back(values[form_.at(r, g, v)]);
        return tuple;
    }

    void roll_loop(const Loop& loop, Body& out) {
        std::vector<ValueId> initial = of_carried(loop, &Carried::initial);
        for (int g = 0; g < form_.groups; ++g)
            if (arrays_.size() <= size_t(g) || arrays_[size_t(g)].current != group_of(initial, g)) {
                if (arrays_.size() == size_t(form_.groups)) throw NoTile{};
                open_array(group_of(initial, g), out);
            }
        Loop copy = loop;
        copy.carried.clear();
        copy.body.clear();
        std::vector<ValueId> phis = of_carried(loop, &Carried::phi), next = of_carried(loop, &Carried::next);
        local_.insert(phis.begin(), phis.end());
        for (int g = 0; g < form_.groups; ++g) arrays_[size_t(g)].current = group_of(phis, g);
        const Loop* inner = carrying_loop(loop.body);
        if (inner && inner->carried.size() == loop.carried.size()) {
            roll_statements(loop.body, copy.body);
            for (int g = 0; g < form_.groups; ++g)
                if (arrays_[size_t(g)].current != group_of(next, g)) throw NoTile{};
        } else {
            if (inner) throw NoTile{};
            roll_steps(loop.body, next, copy.body);
        }
        out.push_back({std::move(copy)});
        std::vector<ValueId> results = of_carried(loop, &Carried::result);
        local_.insert(results.begin(), results.end());
        for (int g = 0; g < form_.groups; ++g) arrays_[size_t(g)].current = group_of(results, g);
    }

    void open_array(const Tuple& initial, Body& out) {
        BufferId id = first_array_ + BufferId(result_.arrays.size());
        const ValueType type = result_.kernel.types[initial[0]];
        bool zero = true;
        for (ValueId value : initial) {
            auto found = definitions_.find(value);
            auto* define = found == definitions_.end() ? nullptr : std::get_if<Define>(&found->second->node);
            while (define && define->operation == Operation::splat) {
                found = definitions_.find(define->operands[0]);
                define = found == definitions_.end() ? nullptr : std::get_if<Define>(&found->second->node);
            }
            zero = zero && define && define->operation == Operation::literal && define->number == 0 &&
                   !std::signbit(define->number) && define->integer == 0;
        }
        result_.arrays.push_back({type, form_.rows, form_.vectors, zero, has_rows()});
        arrays_.push_back({id, {}});
        out.push_back({Prefetch{id, {}}});
        if (zero) return;
        open_loops();
        ValueId value = emit(initial);
        inner_.push_back({Store{id, element_of_array(), value}});
        close_loops(out);
    }

    /// The body of the innermost loop: each element's next value.
    void roll_steps(const Body& statements, const std::vector<ValueId>& next, Body& out) {
        for (const Statement& statement : statements)
            if (is_block(statement) || std::holds_alternative<Store>(statement.node)) throw NoTile{};
        copy_shared(statements, true, out);
        open_loops();
        for (int g = 0; g < form_.groups; ++g) {
            ValueId value = emit(group_of(next, g));
            inner_.push_back({Store{arrays_[size_t(g)].id, element_of_array(), value}});
        }
        close_loops(out);
    }

    /// What depends on no element of the tile stays where it is, and is not printed if nothing reads it any more.
    void copy_shared(const Body& statements, bool all_loads, Body& out) {
        auto local = [&](ValueId id) { return local_.count(id) != 0; };
        auto any = [&](const std::vector<ValueId>& ids) { return std::any_of(ids.begin(), ids.end(), local); };
        for (const Statement& statement : statements) {
            if (auto* define = std::get_if<Define>(&statement.node)) {
                if (any(define->operands)) local_.insert(define->result);
                else out.push_back(statement);
            } else if (auto* load = std::get_if<Load>(&statement.node)) {
                bool moves = !all_loads && written_.count(load->buffer);
                for (auto [term, coefficient] : load->element.terms) moves = moves || local(term);
                if (moves || any({load->mask, load->lane_index, load->wanted})) local_.insert(load->result);
                else out.push_back(statement);
                if (written_.count(load->buffer)) waiting_.insert(load->result);
            } else if (auto* prefetch = std::get_if<Prefetch>(&statement.node); prefetch && all_loads) {
                out.push_back(statement);
            }
        }
    }

    /// Statements without loops: rolled where they have effects, so many for each element.
    void roll_run(const Body& statements, Body& out) {
        copy_shared(statements, false, out);
        std::vector<const Statement*> effects;
        for (const Statement& statement : statements)
            if (is_effect(statement)) effects.push_back(&statement);
        if (effects.empty()) return;
        size_t each = effects.size() / size_t(form_.elements());
        if (each * size_t(form_.elements()) != effects.size()) throw NoTile{};
        check_order(statements, effects, each);
        open_loops();
        for (int g = 0; g < form_.groups; ++g) {
            Body stores;
            for (size_t e = 0; e < each; ++e) {
                std::vector<const Statement*> group;
                for (int r = 0; r < form_.rows; ++r)
                    for (int v = 0; v < form_.vectors; ++v) group.push_back(effects[form_.at(r, g, v) * each + e]);
                effect(group, stores);
            }
            inner_.insert(inner_.end(), stores.begin(), stores.end());
        }
        close_loops(out);
        waiting_.clear();
    }

    /// An element's loads of memory that the kernel writes must stand between the last element's effects and its own.
    void check_order(const Body& statements, const std::vector<const Statement*>& effects, size_t each) {
        size_t done = 0, element = 0;
        owner_.clear();
        for (const Statement& statement : statements) {
            if (done < effects.size() && &statement == effects[done]) {
                element = ++done / each;
            } else if (auto* load = std::get_if<Load>(&statement.node); load && written_.count(load->buffer)) {
                if (done % each != 0) throw NoTile{};
                owner_[load->result] = element;
            }
        }
    }

    // ---- emission
    void open_loops() {
        row_.clear(), inner_.clear(), known_.clear(), made_.clear();
        row_index_ = has_rows() ? fresh({Dtype::i64, 1}) : no_value;
        vector_index_ = form_.vectors > 1 ? fresh({Dtype::i64, 1}) : no_value;
    }

    void close_loops(Body& out) {
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

    ValueId fresh(ValueType type, const std::string& name = "") {
        result_.kernel.types.push_back(type);
        result_.kernel.names.resize(result_.kernel.types.size());
        result_.kernel.names.back() = name;
        return ValueId(result_.kernel.types.size() - 1);
    }

    Affine element_of_array() const {
        Affine element;
        if (row_index_ != no_value) element.terms.push_back({row_index_, form_.vectors});
        if (vector_index_ != no_value) element.terms.push_back({vector_index_, 1});
        return element;
    }

    bool has_rows() const { return form_.rows > 1 || replayed_; }

    bool equal_in_rows(const Tuple& tuple) const {
        for (size_t i = 0; i < tuple.size(); ++i)
            if (tuple[i] != tuple[i - i % size_t(form_.vectors)]) return false;
        return true;
    }

    /// base + a r + b v for all elements, or no tile.
    void add_affine(const std::vector<int64_t>& numbers, Affine& to) {
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

    /// The same value for all elements.
    ValueId uniform(ValueId id) const {
        if (local_.count(id)) throw NoTile{};
        return id;
    }

    ValueId emit(const Tuple& tuple) {
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

    Trace::Step level_of(const Tuple& tuple) const {
        if (auto found = known_.find(tuple); found != known_.end()) return {Trace::Level::known, found->second};
        for (const Array& array : arrays_)
            if (tuple == array.current) return {Trace::Level::array};
        if (std::all_of(tuple.begin(), tuple.end(), [&](ValueId id) { return id == tuple[0]; }))
            return {Trace::Level::uniform};
        if (differ_by_constants(tuple)) return {Trace::Level::affine};
        return {form_.vectors > 1 && equal_in_rows(tuple) ? Trace::Level::row : Trace::Level::inner};
    }

    ValueId made(const Tuple& tuple, Trace::Level level) {
        if (level == Trace::Level::uniform) return uniform(tuple[0]);
        if (level == Trace::Level::affine) return shifted(tuple);
        for (const Array& array : arrays_)
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

    // ---- whole numbers that differ by constants
    /// An index as base + constant: additions of literals are looked through.
    std::pair<ValueId, int64_t> index_of(ValueId id) const {
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

    bool differ_by_constants(const Tuple& tuple) const {
        if (!(result_.kernel.types[tuple[0]] == ValueType{Dtype::i64, 1})) return false;
        return std::all_of(tuple.begin(), tuple.end(),
                           [&](ValueId id) { return index_of(id).first == index_of(tuple[0]).first; });
    }

    ValueId shifted(const Tuple& tuple) {
        std::vector<int64_t> numbers;
        for (ValueId id : tuple) numbers.push_back(index_of(id).second);
        if (!differ_by_constants(tuple)) throw NoTile{};
        Affine sum;
        add_affine(numbers, sum);
        return index_sum(index_of(tuple[0]).first, sum, inner_);
    }

    ValueId index_sum(ValueId base, const Affine& sum, Body& level) {
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

    ValueType type_of(const Tuple& tuple) const {
        for (ValueId id : tuple)
            if (!(result_.kernel.types[id] == result_.kernel.types[tuple[0]])) throw NoTile{};
        return result_.kernel.types[tuple[0]];
    }

    ValueId define(const Tuple& tuple, const std::vector<const Statement*>& all, Body& level) {
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

    void note_call(const Tuple& tuple, ValueId result) {
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

    /// Whole numbers that grow from row to row and from vector to vector.
    ValueId literal(ValueType type, const std::vector<const Define*>& defines, Body& level) {
        if (!(type == ValueType{Dtype::i64, 1})) throw NoTile{};
        std::vector<int64_t> numbers;
        for (const Define* each : defines) numbers.push_back(each->integer);
        Affine sum;
        add_affine(numbers, sum);
        return index_sum(no_value, sum, level);
    }

    Affine address(const std::vector<const Affine*>& all) {
        Affine result;
        std::vector<int64_t> constants;
        std::vector<std::vector<std::pair<ValueId, int64_t>>> rest;
        for (const Affine* each : all) {
            constants.push_back(each->constant);
            rest.push_back(each->terms);
        }
        for (const auto& term : all[0]->terms) { // terms that all have
            bool shared = true;
            for (const auto& terms : rest)
                shared = shared && std::find(terms.begin(), terms.end(), term) != terms.end();
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

    ValueId optional(const std::vector<ValueId>& ids) {
        for (ValueId id : ids)
            if ((id == no_value) != (ids[0] == no_value)) throw NoTile{};
        return ids[0] == no_value ? no_value : emit(ids);
    }

    ValueId load(const Tuple& tuple, const std::vector<const Statement*>& all, Body& level) {
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

    /// Loads of written memory belong to the elements that the tuple has them for.
    void check_owners(const Tuple& tuple) const {
        if (!owner_.count(tuple[0])) return;
        size_t first = owner_.at(tuple[0]);
        for (int r = 0; r < form_.rows; ++r)
            for (int v = 0; v < form_.vectors; ++v) {
                auto found = owner_.find(tuple[size_t(r * form_.vectors + v)]);
                if (found == owner_.end() || found->second != first + form_.at(r, 0, v)) throw NoTile{};
            }
    }

    void effect(const std::vector<const Statement*>& group, Body& stores) {
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

    RolledKernel result_;
    BufferId first_array_;
    std::map<ValueId, size_t> calls_; // of the original statements, by result
    std::map<ValueId, const Statement*> definitions_;
    std::set<BufferId> written_;
    Form form_;
    std::vector<Array> arrays_; // of the tile, by group
    std::set<ValueId> local_;   // values of single elements, which no statement outside the loops defines
    std::set<ValueId> waiting_; // loads of memory that the kernel writes, not rolled so far
    Body row_, inner_;          // of the loops under way
    ValueId row_index_ = no_value, vector_index_ = no_value;
    std::map<Tuple, size_t> known_;   // the step that made a tuple
    std::map<size_t, ValueId> made_;  // by step
    Trace trace_, sibling_;           // of this tile; of the last one of several rows
    const Trace* replayed_ = nullptr; // whose steps a tile of one row follows
    size_t replayed_rows_ = 0;        // of its constants, those that are used
    std::map<ValueId, size_t> owner_; // of loads in a run with effects: the element that they stand before
};

} // namespace

RolledKernel roll(const Module& module, const Kernel& kernel) { return Roller(module, kernel).run(); }

} // namespace gradc::target
