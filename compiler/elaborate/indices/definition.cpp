// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Definitions by index and reductions over indices. `sum[..](a * b)` becomes a contraction of the factors' views, so no
// tensor over all indices is stored.
#include "compiler/elaborate/indices/contraction.h"
#include "compiler/elaborate/indices/indices.h"
#include "compiler/elaborate/operators.h"
#include "compiler/graph/row_ranges.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

/// Makes an IndexSpace current while one formula is elaborated. Functions that it calls have their own.
class Session {
public:
    explicit Session(Elaborator& elaborator)
        : elaborator_(elaborator), own_(elaborator), before_(std::exchange(elaborator.indices, &own_)) {}
    ~Session() { elaborator_.indices = before_; }
    Session(const Session&) = delete;
    IndexSpace& operator*() { return own_; }
    IndexSpace* operator->() { return &own_; }

private:
    Elaborator& elaborator_;
    IndexSpace own_;
    IndexSpace* before_;
};

bool holds(const std::vector<int>& labels, int label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// The factors of a * b * c, without brackets; `negative` is the sign of the product.
void collect_factors(const ast::Expr& expression, std::vector<const ast::Expr*>& factors, bool& negative) {
    if (auto unary = std::get_if<ast::Unary>(&expression.node); unary && unary->op == ast::UnaryOperator::negate) {
        negative = !negative;
        return collect_factors(*unary->operand, factors, negative);
    }
    auto binary = std::get_if<ast::Binary>(&expression.node);
    if (!binary || binary->op != ast::BinaryOperator::multiply) return factors.push_back(&expression);
    collect_factors(*binary->left, factors, negative);
    collect_factors(*binary->right, factors, negative);
}

class Reduction {
public:
    Reduction(Elaborator& elaborator, const ast::Call& call, Span span, const IndexSpace& indices, Scope& scope)
        : elaborator_(elaborator), call_(call), span_(span), gone_(indices.labels(call.indices)), scope_(scope) {
        for (const auto* index : indices.varying(call.indices)) bounded(*index);
    }

    Term run() {
        if (failed_) return {};
        bool adds = call_.callee == "sum" || call_.callee == "mean";
        const ast::Expr& formula = *call_.arguments[0].value;
        std::vector<const ast::Expr*> factors;
        bool negative = false;
        collect_factors(formula, factors, negative);
        if (adds && factors.size() > 1) return product(factors, negative);
        Term value = elaborator_.evaluate(formula, scope_);
        auto met = meet(elaborator_, {{value, formula.span}},
                        call_.callee == "mean" ? Wanted::floating : Wanted::number, call_.callee.c_str(), span_);
        if (!met) return {};
        met->operands[0].weak = met->weak;
        return reduced(masked(met->operands[0]));
    }

private:
    void bounded(const IndexSpace::Varying& index);
    NodeTerm masked(const NodeTerm& value);
    void mask_factors(std::vector<Operand>& factors);
    Term numbers_added();
    Term product(const std::vector<const ast::Expr*>& factors, bool negative);
    Term reduced(const NodeTerm& value);
    Term scaled(Term value, const std::vector<int>& present);

    Elaborator& elaborator_;
    const ast::Call& call_;
    Span span_;
    std::vector<int> gone_;
    Scope& scope_;
    std::optional<NodeTerm> mask_; // true where all indices are below their varying bounds
    bool failed_ = false;
};

/// Adds `index < bound` to the mask. A sum of no values is 0, but a maximum or mean of no values does not exist.
void Reduction::bounded(const IndexSpace::Varying& index) {
    Span span = index.binder->bound->span;
    auto bound = to_operand(elaborator_, index.bound, span);
    Term below =
        apply(elaborator_, ast::BinaryOperator::less, index_number(elaborator_, index.label, span), index.bound, span);
    if (mask_) below = apply(elaborator_, ast::BinaryOperator::logical_and, Term{*mask_}, below, span);
    auto mask = below.as<NodeTerm>();
    failed_ = failed_ || !bound || !mask;
    if (failed_) return;
    mask_ = *mask;
    if (call_.callee == "sum" || RowRanges(elaborator_.graph())(bound->node).low >= 1) return;
    failed_ = true;
    std::string_view text = elaborator_.definitions.sources->text(span);
    elaborator_.error(
        Code::index_bound, span,
        fmt::format("`{}` may take no value, and there is no {} of no values", index.binder->name, call_.callee), "",
        fmt::format("let it take at least one value: `{} < max({}, 1)`", index.binder->name, text));
}

/// Replaces values at or above a bound by the neutral element of the reduction.
NodeTerm Reduction::masked(const NodeTerm& value) {
    if (!mask_) return value;
    Graph& graph = elaborator_.graph();
    Dtype dtype = graph.type(value.node).dtype;
    double neutral = 0;
    if (call_.callee == "max" || call_.callee == "min") {
        bool most = call_.callee == "min";
        if (floating(dtype)) neutral = most ? INFINITY : -INFINITY;
        else {
            Range range = elaborator_.levels.range(value.node); // keeps the range of the result
            neutral = double(most ? range.high : range.low);
        }
    }
    Term around = elaborator_.term(build::constant(graph, neutral, dtype), {}, value.weak);
    Term chosen = selected(elaborator_, Term{*mask_}, Term{value}, around, span_);
    return *chosen.as<NodeTerm>();
}

/// In a product the mask is applied where it adds no axes: to each factor that has all of its indices, else to the
/// first factor with the most of them. A zero factor makes the product zero.
void Reduction::mask_factors(std::vector<Operand>& factors) {
    if (!mask_) return;
    auto share = [&](const Operand& factor) {
        auto node = factor.term.as<NodeTerm>();
        return node ? std::count_if(mask_->labels.begin(), mask_->labels.end(),
                                    [&](int label) { return holds(node->labels, label); })
                    : 0;
    };
    auto all = int64_t(mask_->labels.size()), most = int64_t(0);
    for (const Operand& factor : factors) most = std::max(most, share(factor));
    for (Operand& factor : factors) {
        if (share(factor) != most) continue;
        factor.term = selected(elaborator_, Term{*mask_}, factor.term, integer_number(0), factor.span);
        if (most < all) return;
    }
}

/// The number of values below varying bounds, for each element of the result.
Term Reduction::numbers_added() {
    Graph& graph = elaborator_.graph();
    NodeTerm ones = *mask_;
    ones.node = build::cast(graph, ones.node, Dtype::i32, span_);
    std::vector<int> axes, left;
    for (size_t i = 0; i < ones.labels.size(); ++i)
        if (holds(gone_, ones.labels[i])) axes.push_back(int(i));
        else left.push_back(ones.labels[i]);
    return elaborator_.term(build::sum(graph, ones.node, axes, span_), left);
}

/// A value that does not depend on an index is added once for each of its values; a mean divides by the number of added
/// values.
Term Reduction::scaled(Term value, const std::vector<int>& present) {
    bool mean = call_.callee == "mean";
    if (mean && mask_) value = apply(elaborator_, ast::BinaryOperator::divide, value, numbers_added(), span_);
    for (int label : gone_) {
        if (mean != holds(present, label) || (mask_ && holds(mask_->labels, label))) continue;
        int64_t size = elaborator_.labels.size(label);
        Term times = size == rows ? Term{RowsSize{}} : integer_number(size);
        value =
            apply(elaborator_, mean ? ast::BinaryOperator::divide : ast::BinaryOperator::multiply, value, times, span_);
    }
    return value;
}

Term Reduction::reduced(const NodeTerm& value) {
    std::vector<int> axes, left;
    for (size_t i = 0; i < value.labels.size(); ++i)
        if (holds(gone_, value.labels[i])) axes.push_back(int(i));
        else left.push_back(value.labels[i]);
    Graph& graph = elaborator_.graph();
    NodeId node = value.node;
    bool least = call_.callee == "min";
    if (call_.callee == "sum" || call_.callee == "mean") node = build::sum(graph, node, axes, span_);
    else if (!axes.empty()) {
        if (least) node = build::elementwise(graph, Primitive::negate, {node}, span_);
        node = build::max_of(graph, node, axes, span_);
        if (least) node = build::elementwise(graph, Primitive::negate, {node}, span_);
    }
    Term result = elaborator_.term(node, left, value.weak);
    bool adds = call_.callee == "sum" || call_.callee == "mean";
    return adds ? scaled(result, value.labels) : result;
}

Term Reduction::product(const std::vector<const ast::Expr*>& factors, bool negative) {
    std::vector<Operand> written;
    for (const ast::Expr* factor : factors) written.push_back({elaborator_.evaluate(*factor, scope_), factor->span});
    for (const Operand& each : written)
        if (each.term.poisoned()) return {};
    mask_factors(written);
    bool mean = call_.callee == "mean";
    auto met = meet(elaborator_, written, mean ? Wanted::floating : Wanted::number, "multiply", span_);
    if (!met) return {};
    Graph& graph = elaborator_.graph();
    std::vector<NamedAxes> with_axes;
    std::vector<Operand> scalars;
    std::vector<int> all;
    bool plain = true; // every factor is a scalar per element
    for (size_t i = 0; i < met->operands.size(); ++i) {
        const NodeTerm& each = met->operands[i];
        plain = plain && graph.type(each.node).rank() == int(each.labels.size());
        if (each.labels.empty()) scalars.push_back(written[i]);
        else with_axes.push_back({each.node, each.labels});
        for (int label : each.labels)
            if (!holds(all, label)) all.push_back(label);
    }
    if (!plain || with_axes.size() < 2) {
        Term value = written[0].term;
        for (size_t i = 1; i < written.size(); ++i)
            value = apply(elaborator_, ast::BinaryOperator::multiply, value, written[i].term, span_,
                          written[i - 1].span, written[i].span);
        auto single = meet(elaborator_, {{value, span_}}, mean ? Wanted::floating : Wanted::number, "add", span_);
        if (!single) return {};
        single->operands[0].weak = single->weak;
        Term result = reduced(single->operands[0]);
        return negative ? negated(elaborator_, result, span_) : result;
    }
    std::vector<int> out;
    for (int label : all)
        if (!holds(gone_, label)) out.push_back(label);
    NamedAxes sum = product_sum(elaborator_, with_axes, out, span_);
    Term result = scaled(elaborator_.term(sum.node, sum.axes, met->weak), all);
    for (const Operand& each : scalars)
        result = apply(elaborator_, ast::BinaryOperator::multiply, result, each.term, span_, {}, each.span);
    return negative ? negated(elaborator_, result, span_) : result;
}

Term checked_reduction(Elaborator& elaborator, const ast::Call& call, Span span, IndexSpace& indices, Scope& scope) {
    for (const char* name : {"sum", "mean", "max", "min"})
        if (call.callee == name) {
            Scope inner = indices.inside(call.indices, scope);
            return Reduction(elaborator, call, span, indices, inner).run();
        }
    elaborator.error(Code::index_misuse, call.callee_span, fmt::format("`{}` cannot reduce over indices", call.callee),
                     "", "use sum, mean, max or min");
    return {};
}

} // namespace

Term elaborate_indexed_call(Elaborator& elaborator, const ast::Expr& expression, const ast::Call& call, Scope& scope) {
    if (call.arguments.size() != 1) {
        elaborator.error(Code::index_misuse, expression.span, "a reduction over indices takes one formula");
        return {};
    }
    if (elaborator.indices && elaborator.indices->knows(call.indices))
        return checked_reduction(elaborator, call, expression.span, *elaborator.indices, scope);
    Session session(elaborator);
    if (!session->solve(call.indices, *call.arguments[0].value, scope, true)) return {};
    return checked_reduction(elaborator, call, expression.span, *session, scope);
}

Term elaborate_definition(Elaborator& elaborator, const ast::IndexDefinition& definition, Span span, Scope& scope) {
    Session session(elaborator);
    if (!session->solve(definition.indices, *definition.value, scope, false)) return {};
    Scope inner = session->inside(definition.indices, scope);
    auto value = to_operand(elaborator, elaborator.evaluate(*definition.value, inner), definition.value->span);
    if (!value) return {};
    Graph& graph = elaborator.graph();
    size_t rest = size_t(graph.type(value->node).rank()) - value->labels.size();
    if (rest) {
        elaborator.error(Code::index_misuse, definition.value->span,
                         fmt::format("an element of `{}` must be one number, not {}", definition.target.name,
                                     describe(elaborator, {*value})),
                         "", "give its axes an index on the left");
        return {};
    }
    if (value->weak) *value = in_dtype(elaborator, *value, elaborator.floating_default, span);
    const std::vector<int>& own = session->labels(definition.indices);
    Common common;
    std::set_union(value->labels.begin(), value->labels.end(), own.begin(), own.end(),
                   std::back_inserter(common.labels));
    for (int label : common.labels) common.shape.push_back(elaborator.labels.size(label));
    NodeId node = spread(elaborator, *value, common, span);
    std::vector<int> outer;
    for (int label : common.labels)
        if (!holds(own, label)) outer.push_back(label);
    return elaborator.term(node, outer);
}

} // namespace gradc
