// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Broadcasting matches labels by number and the other axes from the right.
#include "compiler/elaborate/promotion.h"
#include "compiler/graph/evaluate.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace gradc {

namespace {

/// The kinds of dtypes among the operands; they determine the common dtype.
struct Dtypes {
    bool weak = false, real_literal = false, wide = false, number = false, clash = false;
    std::optional<Dtype> floating;
};

Dtypes survey(Elaborator& elaborator, const std::vector<NodeTerm>& operands, const std::vector<Operand>& written) {
    Dtypes all;
    for (size_t i = 0; i < operands.size(); ++i) {
        Dtype dtype = elaborator.graph().type(operands[i].node).dtype;
        if (operands[i].weak) (constant(written[i].term) ? all.real_literal : all.weak) = true;
        else if (floating(dtype)) {
            all.clash = all.clash || (all.floating && *all.floating != dtype);
            all.floating = dtype;
        } else {
            all.wide = all.wide || dtype == Dtype::i64;
            all.number = all.number || dtype != Dtype::boolean;
        }
    }
    return all;
}

} // namespace

std::string named(Elaborator& elaborator, const Operand& operand) {
    std::string text;
    if (operand.span.known()) text = elaborator.definitions.sources->text(operand.span);
    if (text.size() > 24 || text.find('\n') != std::string::npos) text.clear();
    auto type = type_of(elaborator, operand.term);
    if (!type) return text.empty() ? describe(elaborator, operand.term) : text;
    std::string shape = type->shape.empty() ? "(a scalar)" : print(type->shape);
    return text.empty() ? shape : text + " " + shape;
}

std::string misfit(const Shape& a, const Shape& b) {
    auto word = [](int64_t size) { return size == rows ? std::string("N") : std::to_string(size); };
    for (size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
        int64_t x = a[a.size() - i], y = b[b.size() - i];
        if (x == y || (x != rows && y != rows && (x == 1 || y == 1))) continue;
        if ((x == rows || y == rows) && (x == 1 || y == 1)) {
            std::string reason = "an axis of 1 does not broadcast to the rows N";
            return i == a.size() && i == b.size() ? reason + ": leave it out, and all rows share the value" : reason;
        }
        return fmt::format("{} is not {}", word(x), word(y));
    }
    return "the axes differ";
}

std::optional<Met> meet(Elaborator& elaborator, const std::vector<Operand>& written, Wanted wanted, const char* doing,
                        Span span) {
    std::vector<NodeTerm> operands;
    bool failed = false;
    for (const Operand& each : written) {
        auto operand = to_operand(elaborator, each.term, each.span.known() ? each.span : span);
        if (operand) operands.push_back(*operand);
        else failed = true;
    }
    if (failed) return {};
    Dtypes all = survey(elaborator, operands, written);
    if (all.clash) {
        std::string sides;
        for (const Operand& each : written) sides += (sides.empty() ? "" : " and ") + describe(elaborator, each.term);
        elaborator.error(Code::dtype_mismatch, span, fmt::format("cannot {} {}: two float types", doing, sides), "",
                         "convert one side: `cast(.., f32)`");
        return {};
    }
    if (wanted == Wanted::logical) {
        for (size_t i = 0; i < operands.size(); ++i)
            if (elaborator.graph().type(operands[i].node).dtype != Dtype::boolean) {
                elaborator.error(
                    Code::not_logical, written[i].span.known() ? written[i].span : span,
                    fmt::format("`{}` needs true or false, not {}", doing, describe(elaborator, written[i].term)), "",
                    "compare it: `x > 0`");
                return {};
            }
        return Met{operands, false};
    }
    Met met;
    Dtype dtype = all.wide ? Dtype::i64 : Dtype::i32;
    if (wanted == Wanted::any && !all.number && !all.wide) dtype = Dtype::boolean;
    if (all.floating) dtype = *all.floating;
    else if (all.weak) dtype = Dtype::f64, met.weak = true;
    else if (all.real_literal) {
        bool alone = std::all_of(written.begin(), written.end(), [](auto& each) { return constant(each.term); });
        met.weak = alone;
        dtype = alone ? Dtype::f64 : elaborator.floating_default;
    } else if (wanted == Wanted::floating) dtype = elaborator.floating_default;
    for (const NodeTerm& operand : operands) met.operands.push_back(in_dtype(elaborator, operand, dtype, span));
    return met;
}

std::optional<Common> common_shape(Elaborator& elaborator, const std::vector<NodeTerm>& operands) {
    Common common;
    Shape rest;
    for (const NodeTerm& operand : operands) {
        std::vector<int> joined;
        std::set_union(common.labels.begin(), common.labels.end(), operand.labels.begin(), operand.labels.end(),
                       std::back_inserter(joined));
        common.labels = std::move(joined);
        const Shape& full = elaborator.graph().type(operand.node).shape;
        Shape own(full.begin() + int64_t(operand.labels.size()), full.end()), wider;
        if (!broadcast_shapes(rest, own, wider)) return {};
        rest = std::move(wider);
    }
    for (int label : common.labels) common.shape.push_back(elaborator.labels.size(label));
    common.shape.insert(common.shape.end(), rest.begin(), rest.end());
    return common;
}

NodeId spread(Elaborator& elaborator, const NodeTerm& operand, const Common& common, Span span) {
    Graph& graph = elaborator.graph();
    const Node& node = graph[operand.node];
    if (node.type.shape == common.shape && operand.labels == common.labels) return operand.node;
    check_size(elaborator, common.shape, span);
    if (node.op == Op::constant && attribute<Constant>(node).values.size() == 1)
        return graph.add(Op::constant, {node.type.dtype, common.shape}, {}, node.attributes, span);
    std::vector<int> axes;
    for (int label : operand.labels)
        axes.push_back(int(std::find(common.labels.begin(), common.labels.end(), label) - common.labels.begin()));
    int rest = node.type.rank() - int(operand.labels.size());
    for (int i = 0; i < rest; ++i) axes.push_back(int(common.shape.size()) - rest + i);
    return build::broadcast(graph, operand.node, common.shape, axes, span);
}

Term elementwise(Elaborator& elaborator, Primitive primitive, const std::vector<NodeTerm>& operands, bool weak,
                 const std::vector<Operand>& written, const char* doing, Span span, Span op_span) {
    auto common = common_shape(elaborator, operands);
    if (!common) {
        const Operand &a = written[written.size() - 2], &b = written[written.size() - 1];
        auto x = type_of(elaborator, a.term), y = type_of(elaborator, b.term);
        std::string reason = x && y ? misfit(x->shape, y->shape) : "the axes differ";
        auto& report = elaborator.error(
            Code::shape_mismatch, span,
            fmt::format("cannot {} {} and {}: {}", doing, named(elaborator, a), named(elaborator, b), reason),
            "last axes align, and only an axis of 1 broadcasts");
        if (op_span.known()) report.caret_at = op_span.begin;
        return {};
    }
    check_size(elaborator, common->shape, span);
    std::vector<NodeId> nodes;
    for (const NodeTerm& operand : operands) nodes.push_back(spread(elaborator, operand, *common, span));
    NodeId node = build::elementwise(elaborator.graph(), primitive, nodes, span);
    return elaborator.term(node, common->labels, weak);
}

std::optional<Term> fold(Elaborator& elaborator, Primitive primitive, const std::vector<Term>& arguments) {
    auto kind = ConstantNumber::Kind::integer;
    Graph graph(elaborator.definitions.primitives);
    std::vector<NodeId> inputs;
    for (size_t i = 0; i < arguments.size(); ++i) {
        auto number = arguments[i].as<ConstantNumber>();
        if (!number) return {};
        bool condition = primitive == Primitive::select && i == 0;
        bool logical = primitive == Primitive::logical_and || primitive == Primitive::logical_or ||
                       primitive == Primitive::logical_not;
        if ((condition || logical) && number->kind != ConstantNumber::Kind::boolean) return {};
        if (!condition) kind = std::max(kind, number->kind);
        inputs.push_back(build::constant(graph, number->value, condition || logical ? Dtype::boolean : Dtype::f64));
    }
    bool machine = primitive < Primitive::first_declared;
    if (machine && primitive >= Primitive::fused_multiply_add && primitive != Primitive::quotient) return {};
    NodeId node = build::elementwise(graph, primitive, inputs);
    Dtype dtype = graph.type(node).dtype;
    graph.outputs.push_back({"value", node});
    double value = evaluate(graph, {})[0].values[0];
    if (dtype == Dtype::boolean) return truth(value != 0);
    bool keeps = machine && primitive != Primitive::divide && primitive != Primitive::sqrt;
    bool is_integer = kind == ConstantNumber::Kind::integer && (keeps || primitive == Primitive::divide) &&
                      value == std::floor(value) && std::abs(value) < 9e15;
    return is_integer ? integer_number(int64_t(value)) : real(value);
}

NodeId permuted(Graph& graph, NodeId x, std::vector<int> axes, Span span) {
    Type type{graph.type(x).dtype, {}};
    bool moved = false;
    for (size_t i = 0; i < axes.size(); ++i) {
        moved = moved || axes[i] != int(i);
        type.shape.push_back(graph.type(x).shape[size_t(axes[i])]);
    }
    return moved ? graph.add(Op::permute, std::move(type), {x}, Axes{std::move(axes)}, span) : x;
}

NodeId reshaped(Graph& graph, NodeId x, Shape shape, Span span) {
    if (graph.type(x).shape == shape) return x;
    return graph.add(Op::reshape, {graph.type(x).dtype, std::move(shape)}, {x}, NoAttributes{}, span);
}

} // namespace gradc
