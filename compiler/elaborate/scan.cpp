// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The body is elaborated into a graph of its own; outer values become captures when they are first used. A carried
// value must have the same type before and after an iteration. The first guess is the type of the initial value. If it
// is too narrow, for example for an integer that becomes floating or a range that grows, the body is elaborated again
// with a wider type.
#include "compiler/elaborate/scan.h"
#include "compiler/elaborate/promotion.h"
#include "compiler/elaborate/variables.h"
#include "compiler/graph/scan.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace gradc {

class ScanElaboration {
public:
    ScanElaboration(Elaborator& elaborator, const ast::Expr& expression, const ast::Scan& scan, Scope& scope)
        : elaborator_(elaborator), expression_(expression), scan_(scan), scope_(scope) {}
    Term run();

private:
    static constexpr int most_tries = 6;
    struct Carry {
        std::string name;
        Span span;
        Operand initial;
        NodeTerm start;         // the initial value as written, in the outer graph
        Dtype dtype;            // its type in the body: dtype ..
        Common common;          // .. labels and full shape
        Range range{0, -1};     // of integers; high < low: unknown
        NodeId outside, inside; // the initial value in that type, and the input of the body
        bool is_cell = false;   // a state that the body updates; `name` is its path
    };
    bool prepare();
    bool name_is_free(const std::string& name, Span span);
    bool add_carry(const ast::Carried& each, Scope& names);
    void carry_cells(const std::set<std::string>& updated);
    bool elaborate_body();
    bool close(Carry& carry, const Term& term);
    bool widen(Carry& carry, const NodeTerm& value);
    bool widen_range(Carry& carry, NodeId node);
    bool changed_outside(const Scope& inner);
    Levels::Level close_level();
    Term finish();
    NodeId placed(NodeId part, const Shape& yielded, size_t labels);

    Elaborator& elaborator_;
    const ast::Expr& expression_;
    const ast::Scan& scan_;
    Scope& scope_;
    int64_t iterations_ = 0;
    Cells::Values cells_; // before the loop
    std::vector<Carry> carries_;
    std::vector<NodeTerm> yields_;
    std::vector<NodeId> closed_; // the carried values after an iteration
    bool again_ = false;
    int tries_ = 0;
};

bool ScanElaboration::name_is_free(const std::string& name, Span span) {
    if (!scope_.find(name)) return true;
    elaborator_.error(Code::hidden_name, span, fmt::format("`{}` already has a value here", name), "",
                      "choose another name for the carried value");
    return false;
}

bool ScanElaboration::prepare() {
    Term bound = elaborator_.evaluate(*scan_.bound, scope_);
    auto iterations = constant_integer(elaborator_, bound, scan_.bound->span, "the number of iterations of a `scan`");
    if (!iterations) return false;
    if (*iterations < 1 || *iterations > INT32_MAX) {
        elaborator_.error(Code::negative_size, scan_.bound->span,
                          fmt::format("a `scan` has 1 to 2^31 iterations, not {}", *iterations));
        return false;
    }
    iterations_ = *iterations;
    if (!name_is_free(scan_.index, scan_.index_span)) return false;
    Scope names = scope_;
    for (const ast::Carried& each : scan_.carried)
        if (!add_carry(each, names)) return false;
    return true;
}

bool ScanElaboration::add_carry(const ast::Carried& each, Scope& names) {
    if (!name_is_free(each.name, each.span)) return false;
    Term value = elaborator_.evaluate(*each.initial, names);
    auto start = to_operand(elaborator_, value, each.initial->span);
    if (!start) return false;
    names.bind(each.name, value, each.span);
    const Type& type = elaborator_.graph().type(start->node);
    Dtype dtype = start->weak ? elaborator_.floating_default : type.dtype;
    Range range{0, -1};
    if (integer(type.dtype)) range = elaborator_.levels.range(start->node);
    carries_.push_back({each.name,
                        each.span,
                        {value, each.initial->span},
                        *start,
                        dtype,
                        Common{start->labels, type.shape},
                        range,
                        NodeId::none,
                        NodeId::none});
    return true;
}

/// States that the body updates are carried as well, from their values before the loop.
void ScanElaboration::carry_cells(const std::set<std::string>& updated) {
    for (const std::string& cell : updated) {
        const Term* known = elaborator_.cells.find(cell);
        Operand value{known ? *known : *existing_variable(elaborator_, cell), expression_.span};
        NodeTerm start = *to_operand(elaborator_, value.term, value.span);
        const Type& type = elaborator_.graph().type(start.node);
        carries_.push_back({cell, value.span, value, start, type.dtype, Common{start.labels, type.shape}, Range{0, -1},
                            NodeId::none, NodeId::none, true});
    }
}

/// Elaborates the body once; false after an error. Sets `again_` if a carry was too narrow.
bool ScanElaboration::elaborate_body() {
    again_ = false;
    closed_.clear();
    yields_.clear();
    Scope inner = scope_;
    std::vector<Term> yielded;
    inner.yields = &yielded;
    inner.conditional = false;
    for (Carry& carry : carries_) {
        NodeTerm start = in_dtype(elaborator_, carry.start, carry.dtype, carry.initial.span);
        carry.outside = spread(elaborator_, start, carry.common, carry.initial.span);
    }
    auto& level = elaborator_.levels.open(iterations_);
    inner.names[scan_.index] = {elaborator_.term(level.iteration), scan_.index_span, "", true};
    for (size_t i = 0; i < carries_.size(); ++i) {
        Carry& carry = carries_[i];
        Input input{Input::Source::carry, std::to_string(i), carry.range.low, carry.range.high};
        carry.inside = level.graph->add(Op::input, {carry.dtype, carry.common.shape}, {}, input, carry.span);
        level.graph->name_node(carry.inside, carry.name);
        Term term = elaborator_.term(carry.inside, carry.common.labels);
        if (carry.is_cell) {
            level.cells.insert(carry.name);
            elaborator_.cells.set(carry.name, term);
        } else inner.bind(carry.name, term, carry.span);
    }
    if (elaborator_.run(*scan_.body, inner)) {
        elaborator_.error(Code::yield_misuse, expression_.span, "a loop body yields values and cannot return");
        return false;
    }
    for (Carry& carry : carries_)
        if (!close(carry, carry.is_cell ? *elaborator_.cells.find(carry.name) : inner.names[carry.name].value))
            return false;
    if (!level.updated.empty()) again_ = true;
    if (again_) return true;
    if (changed_outside(inner)) return false;
    if (yielded.empty()) {
        elaborator_.error(Code::yield_misuse, expression_.span, "this loop yields nothing", "",
                          "end its block with `yield ..`");
        return false;
    }
    for (const Term& each : yielded) {
        auto value = to_operand(elaborator_, each, expression_.span);
        if (!value) return false;
        if (value->weak) *value = in_dtype(elaborator_, *value, elaborator_.floating_default, expression_.span);
        yields_.push_back(*value);
    }
    return true;
}

bool ScanElaboration::close(Carry& carry, const Term& term) {
    auto value = to_operand(elaborator_, term, carry.span);
    if (!value) return false;
    if (widen(carry, *value)) return again_ = true;
    const Type& found = elaborator_.graph().type(value->node);
    bool dtype_fits = value->weak || found.dtype == carry.dtype || (floating(carry.dtype) && integer(found.dtype)) ||
                      (integer(carry.dtype) && integer(found.dtype));
    auto common = common_shape(elaborator_, {*value, {carry.inside, false, 0, carry.common.labels}});
    if (!dtype_fits || !common || common->shape != carry.common.shape) {
        Term own = elaborator_.term(carry.inside, carry.common.labels);
        elaborator_.error(Code::carried_type, carry.span,
                          fmt::format("`{}` starts as {}, but is {} after an iteration", carry.name,
                                      describe(elaborator_, own), describe(elaborator_, {*value})),
                          "a carried value must keep its type");
        return false;
    }
    NodeTerm converted = in_dtype(elaborator_, *value, carry.dtype, carry.span);
    NodeId node = spread(elaborator_, converted, carry.common, carry.span);
    if (integer(carry.dtype) && widen_range(carry, node)) again_ = true;
    closed_.push_back(node);
    return true;
}

/// True if the value after an iteration needs a wider carry: floating instead of integer, or the shape that replaces a
/// literal.
bool ScanElaboration::widen(Carry& carry, const NodeTerm& value) {
    const Type& found = elaborator_.graph().type(value.node);
    bool literal = constant(carry.initial.term), wider = false;
    bool other_float = literal && floating(found.dtype) && found.dtype != carry.dtype && !value.weak;
    if (other_float || (integer(carry.dtype) && (floating(found.dtype) || value.weak))) {
        carry.dtype = value.weak ? elaborator_.floating_default : found.dtype;
        wider = true;
    } else if (carry.dtype == Dtype::boolean && found.dtype != Dtype::boolean) {
        carry.dtype = found.dtype;
        wider = true;
    }
    NodeTerm own{carry.inside, false, 0, carry.common.labels};
    auto common = common_shape(elaborator_, {value, own});
    bool scalar = literal && carry.common.shape.size() == carry.common.labels.size();
    bool more_labels = common && common->labels != carry.common.labels;
    if (common && common->shape != carry.common.shape && (scalar || more_labels)) {
        carry.common = *common;
        wider = true;
    }
    if (wider) carry.range = {0, -1};
    return wider;
}

bool ScanElaboration::widen_range(Carry& carry, NodeId node) {
    if (carry.range.high < carry.range.low) return false;
    Range found = elaborator_.levels.range(node);
    if (found.inside(carry.range.low, carry.range.high)) return false;
    carry.range = {std::min(carry.range.low, found.low), std::max(carry.range.high, found.high)};
    if (tries_ + 2 >= most_tries) carry.range = {0, -1};
    return true;
}

bool ScanElaboration::changed_outside(const Scope& inner) {
    for (const auto& [name, binding] : scope_.names) {
        auto found = inner.names.find(name);
        if (found == inner.names.end() || same(found->second.value, binding.value)) continue;
        if (binding.value.poisoned() || found->second.value.poisoned()) continue;
        elaborator_.error(Code::carried_type, found->second.span,
                          fmt::format("`{}` is not carried by this loop, so an iteration cannot change it", name), "",
                          fmt::format("add it after `with`: `{} = ..`", name));
        return true;
    }
    return false;
}

/// Moves the axis of iterations behind the labels and a leading N. Op::scan places it by the whole shape, labels
/// included.
NodeId ScanElaboration::placed(NodeId part, const Shape& yielded, size_t labels) {
    int now = iteration_axis(yielded);
    int wanted = int(labels) + (yielded.size() > labels && yielded[labels] == rows ? 1 : 0);
    std::vector<int> axes(yielded.size() + 1);
    std::iota(axes.begin(), axes.end(), 0);
    axes.erase(axes.begin() + now);
    axes.insert(axes.begin() + wanted, now);
    return permuted(elaborator_.graph(), part, axes, expression_.span);
}

Levels::Level ScanElaboration::close_level() {
    Levels::Level level = elaborator_.levels.close();
    elaborator_.model_calls.forget_above(elaborator_.level());
    return level;
}

Term ScanElaboration::finish() {
    auto level = close_level();
    std::vector<Shape> shapes;
    std::vector<NodeId> starts;
    for (size_t i = 0; i < carries_.size(); ++i) {
        level.graph->outputs.push_back({carries_[i].name, closed_[i]});
        starts.push_back(carries_[i].outside);
    }
    for (size_t i = 0; i < yields_.size(); ++i) {
        shapes.push_back(level.graph->type(yields_[i].node).shape);
        Shape stacked = shapes.back();
        stacked.push_back(iterations_);
        check_size(elaborator_, stacked, expression_.span);
        level.graph->outputs.push_back({"yield", yields_[i].node});
    }
    auto parts = build::scan(elaborator_.graph(), std::move(*level.body), starts, level.captured, iterations_, false,
                             expression_.span);
    elaborator_.cells.replace(cells_);
    for (size_t i = 0; i < carries_.size(); ++i) {
        if (!carries_[i].is_cell) continue;
        elaborator_.levels.note_update(carries_[i].name);
        elaborator_.cells.set(carries_[i].name, elaborator_.term(parts[i], carries_[i].common.labels));
    }
    TupleTerm results;
    for (size_t i = 0; i < yields_.size(); ++i) {
        NodeId node = placed(parts[carries_.size() + i], shapes[i], yields_[i].labels.size());
        results.items.push_back(elaborator_.term(node, yields_[i].labels));
    }
    return results.items.size() == 1 ? results.items[0] : Term{results};
}

Term ScanElaboration::run() {
    if (!prepare()) return {};
    Diagnostics* outer = elaborator_.definitions.diagnostics;
    auto calls = elaborator_.model_calls.mark();
    auto counts = scope_.frame->counts;
    cells_ = elaborator_.cells.values();
    for (tries_ = 0; tries_ < most_tries; ++tries_) {
        Diagnostics trial; // errors of a body with carries that are too narrow are dropped
        elaborator_.definitions.diagnostics = &trial;
        bool good = false;
        auto restore = [&] { elaborator_.definitions.diagnostics = outer; };
        try {
            good = elaborate_body();
        } catch (...) {
            restore();
            for (const Diagnostic& each : trial.all())
                outer->report(each.code, each.span, each.message, each.caret, each.repair).remarks = each.remarks;
            throw;
        }
        restore();
        if (good && again_ && tries_ + 1 < most_tries) {
            auto updated = close_level().updated;
            elaborator_.cells.replace(cells_);
            carry_cells(updated);
            elaborator_.model_calls.restore(calls);
            scope_.frame->counts = counts;
            continue;
        }
        for (const Diagnostic& each : trial.all()) {
            auto& copy = elaborator_.error(each.code, each.span, each.message, each.caret, each.repair);
            copy.remarks = each.remarks;
            copy.caret_at = each.caret_at;
        }
        if (good && !again_ && trial.count() == 0) return finish();
        close_level();
        elaborator_.cells.replace(cells_);
        return {};
    }
    return {};
}

Term elaborate_scan(Elaborator& elaborator, const ast::Expr& expression, const ast::Scan& scan, Scope& scope) {
    return ScanElaboration(elaborator, expression, scan, scope).run();
}

} // namespace gradc
