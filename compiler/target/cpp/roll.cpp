// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the tiles of a kernel and rolls them, in the first form of rows and vectors whose elements match. A tile of which
// anything does not match is printed as it is.
#include "compiler/target/cpp/tile_match.h"
#include <algorithm>
#include <cmath>

namespace gradc::target {

using namespace loop;

namespace {

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

class Roller : TileMatch {
public:
    Roller(const Module& module, const Kernel& kernel) {
        first_array_ = BufferId(module.buffers.size());
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
};

} // namespace

RolledKernel roll(const Module& module, const Kernel& kernel) { return Roller(module, kernel).run(); }

} // namespace gradc::target
