// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recognizes sums of indices between the brackets of an access; other expressions are lookups.
#include "compiler/elaborate/indices/indices.h"
#include <algorithm>
#include <cmath>

namespace gradc {

namespace {

struct AffineParts {
    Elaborator& elaborator;
    Scope& scope;

    /// True if evaluating it twice has no effect: it makes no parameters and no random numbers.
    bool pure(const ast::Expr& expression) const {
        auto all = [&](const auto& list) {
            return std::all_of(list.begin(), list.end(), [&](const auto& each) { return pure(*each); });
        };
        if (auto unary = std::get_if<ast::Unary>(&expression.node)) return pure(*unary->operand);
        if (auto binary = std::get_if<ast::Binary>(&expression.node))
            return pure(*binary->left) && pure(*binary->right);
        if (auto index = std::get_if<ast::Index>(&expression.node)) return pure(*index->object) && all(index->items);
        if (auto call = std::get_if<ast::Call>(&expression.node)) {
            bool sizes = call->callee == "size" || call->callee == "shape";
            return sizes && std::all_of(call->arguments.begin(), call->arguments.end(),
                                        [&](const auto& each) { return pure(*each.value); });
        }
        return std::holds_alternative<ast::Name>(expression.node) ||
               std::holds_alternative<ast::Number>(expression.node);
    }

    std::optional<Affine> of(const ast::Expr& expression) const {
        if (mentions_index(expression, scope)) return std::visit(*this, expression.node);
        if (!pure(expression)) return {};
        Term value = elaborator.evaluate(expression, scope);
        auto number = value.as<ConstantNumber>();
        if (!number || number->value != std::floor(number->value) || std::abs(number->value) > 1e15) return {};
        return Affine{{}, int64_t(number->value)};
    }
    template <class Other> std::optional<Affine> operator()(const Other&) const { return {}; }
    std::optional<Affine> operator()(const ast::Name& name) const {
        return Affine{{{index_label(scope, name.name), 1}}, 0};
    }
    std::optional<Affine> operator()(const ast::Unary& unary) const {
        if (unary.op != ast::UnaryOperator::negate) return {};
        return scaled(of(*unary.operand), -1);
    }
    std::optional<Affine> operator()(const ast::Binary& binary) const {
        using Op = ast::BinaryOperator;
        if (binary.op != Op::add && binary.op != Op::subtract && binary.op != Op::multiply) return {};
        auto a = of(*binary.left), b = of(*binary.right);
        if (!a || !b) return {};
        if (binary.op == Op::multiply) {
            if (a->factors.empty()) std::swap(a, b);
            return b->factors.empty() ? scaled(a, b->constant) : std::nullopt;
        }
        if (binary.op == Op::subtract) b = scaled(b, -1);
        a->constant += b->constant;
        for (auto [label, factor] : b->factors)
            if (!(a->factors[label] += factor)) a->factors.erase(label);
        return a;
    }
    static std::optional<Affine> scaled(std::optional<Affine> sum, int64_t factor) {
        if (!sum) return {};
        if (std::abs(factor) > (int64_t(1) << 31)) return {};
        sum->constant *= factor;
        for (auto& each : sum->factors) each.second *= factor;
        if (factor == 0) sum->factors.clear();
        return sum;
    }
};

struct Mentions {
    const Scope& scope;

    bool any(const std::vector<ast::ExprRef>& all) const {
        for (const auto& each : all)
            if (of(each)) return true;
        return false;
    }
    bool of(const ast::ExprRef& expression) const { return expression && std::visit(*this, expression->node); }
    bool operator()(const ast::Number&) const { return false; }
    bool operator()(const ast::Text&) const { return false; }
    bool operator()(const ast::Name& name) const { return index_label(scope, name.name) >= 0; }
    bool operator()(const ast::Ellipsis&) const { return false; }
    bool operator()(const ast::Range& range) const { return of(range.first) || of(range.last); }
    bool operator()(const ast::Slice& slice) const { return of(slice.start) || of(slice.stop) || of(slice.step); }
    bool operator()(const ast::Unary& unary) const { return of(unary.operand); }
    bool operator()(const ast::Transpose& tick) const { return of(tick.operand); }
    bool operator()(const ast::Binary& binary) const { return of(binary.left) || of(binary.right); }
    bool operator()(const ast::Member& member) const { return of(member.object); }
    bool operator()(const ast::Index& index) const {
        for (const auto& item : index.items)
            if (std::holds_alternative<ast::Ellipsis>(item->node) && scope.find(index_group)) return true;
        return of(index.object) || any(index.items);
    }
    bool operator()(const ast::Call& call) const {
        for (const auto& binder : call.indices)
            if (of(binder.bound)) return true;
        for (const auto& argument : call.arguments)
            if (of(argument.value)) return true;
        return false;
    }
    bool operator()(const ast::List& list) const { return any(list.items); }
    bool operator()(const ast::Scan& scan) const {
        for (const auto& carried : scan.carried)
            if (of(carried.initial)) return true;
        return of(scan.bound) || of(scan.body);
    }
    bool of(const ast::BlockRef& block) const {
        if (!block) return false;
        return std::any_of(block->statements.begin(), block->statements.end(),
                           [&](const ast::Statement& each) { return std::visit(*this, each.node); });
    }
    bool operator()(const ast::Assign& line) const { return any(line.values); }
    bool operator()(const ast::IndexDefinition& line) const { return of(line.value); }
    bool operator()(const ast::Update& line) const { return of(line.value); }
    bool operator()(const ast::Declaration& line) const { return of(line.initial); }
    bool operator()(const ast::Return& line) const { return any(line.values); }
    bool operator()(const ast::Yield& line) const { return any(line.values); }
    bool operator()(const ast::If& line) const { return of(line.condition) || of(line.then) || of(line.otherwise); }
    bool operator()(const ast::Repeat& line) const { return of(line.count) || of(line.body); }
    bool operator()(const ast::Evaluate& line) const { return of(line.value); }
};

} // namespace

int index_label(const Scope& scope, const std::string& name) {
    auto binding = scope.find(name);
    if (!binding || !binding->fixed) return -1;
    auto node = binding->value.as<NodeTerm>();
    return node && node->labels.size() == 1 ? node->labels[0] : -1;
}

bool mentions_index(const ast::Expr& expression, const Scope& scope) {
    return std::visit(Mentions{scope}, expression.node);
}

std::optional<Affine> affine(Elaborator& elaborator, const ast::Expr& expression, Scope& scope) {
    return AffineParts{elaborator, scope}.of(expression);
}

Term index_number(Elaborator& elaborator, int label, Span span) {
    int64_t size = elaborator.labels.size(label);
    NodeId node = build::iota(elaborator.graph(), {size == 0 ? 1 : size}, 0, Dtype::i32, span);
    return elaborator.term(node, {label});
}

} // namespace gradc
