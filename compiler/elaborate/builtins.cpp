// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Built-in functions, each as dsl/README.md documents it. Those that join, cut and differentiate are in
// builtins_parts.cpp.
#include "compiler/elaborate/builtins.h"
#include "compiler/elaborate/indices/contraction.h"
#include "compiler/elaborate/operators.h"
#include "compiler/graph/verify.h"
#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace gradc {

std::optional<int> builtin_axis(BuiltinCall& call, const Term& term, Span span, int rank) {
    auto axis = constant_integer(call.elaborator, term, span, "an axis");
    if (!axis) return {};
    int64_t place = *axis < 0 ? *axis + rank : *axis;
    if (place >= 0 && place < rank) return int(place);
    call.elaborator.error(Code::out_of_range, span,
                          fmt::format("there is no axis {}: the value has {} axes", *axis, rank), "",
                          "axes count from 0; -1 is the last one");
    return {};
}

namespace {

enum class Reduce { sum, mean, max, min };

std::optional<std::vector<int>> axes_of(BuiltinCall& call, size_t parameter, int rank) {
    std::vector<int> axes;
    auto text = call.arguments[parameter] ? call.arguments[parameter]->term.as<ConstantText>() : nullptr;
    if (!call.arguments[parameter] || (text && text->value == "all")) {
        axes.resize(size_t(rank));
        std::iota(axes.begin(), axes.end(), 0);
        return axes;
    }
    Operand& given = *call.arguments[parameter];
    ListTerm one{{given.term}};
    const ListTerm* list = given.term.as<ListTerm>();
    for (const Term& item : (list ? list : &one)->items) {
        auto axis = builtin_axis(call, item, given.span, rank);
        if (!axis) return {};
        axes.push_back(*axis);
    }
    std::sort(axes.begin(), axes.end());
    axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
    return axes;
}

Term mean_of(BuiltinCall& call, Term sum, const Shape& own, const std::vector<int>& axes) {
    double divisor = 1;
    bool by_rows = false;
    for (int axis : axes) {
        if (own[size_t(axis)] == rows) by_rows = true;
        else divisor *= double(own[size_t(axis)]);
    }
    auto divide = [&](const Term& by) {
        sum = apply(call.elaborator, ast::BinaryOperator::divide, sum, by, call.span);
    };
    if (divisor != 1) divide(integer_number(int64_t(divisor)));
    if (by_rows) divide({RowsSize{}});
    return sum;
}

/// Reads an optional constant bool into `value`; false after an error.
bool flag(BuiltinCall& call, size_t parameter, bool& value) {
    auto& given = call.arguments[parameter];
    if (!given) return true;
    auto number = constant_number(call.elaborator, given->term, given->span, "this setting");
    if (number) value = *number != 0;
    return bool(number);
}

/// A reduction over axes. `keepdims` keeps axes of 1, `broadcast` gives the result in the shape of x.
Term reduce(BuiltinCall& call, Reduce kind, size_t axis_parameter) {
    Elaborator& elaborator = call.elaborator;
    const Operand& x = *call.arguments[0];
    auto met = meet(elaborator, {x}, kind == Reduce::mean ? Wanted::floating : Wanted::number, "reduce", call.span);
    if (!met) return {};
    NodeTerm value = met->operands[0];
    Graph& graph = elaborator.graph();
    int labels = int(value.labels.size());
    Shape full = graph.type(value.node).shape, own(full.begin() + labels, full.end());
    auto axes = axes_of(call, axis_parameter, int(own.size()));
    if (!axes) return {};
    bool keepdims = false, broadcast = false;
    if (!flag(call, axis_parameter + 1, keepdims) || !flag(call, axis_parameter + 2, broadcast)) return {};
    std::vector<int> shifted;
    for (int axis : *axes) shifted.push_back(axis + labels);
    NodeId node = value.node;
    if (kind == Reduce::sum || kind == Reduce::mean) node = build::sum(graph, node, shifted, call.span);
    else if (!shifted.empty()) {
        if (kind == Reduce::min) node = build::elementwise(graph, Primitive::negate, {node}, call.span);
        node = build::max_of(graph, node, shifted, call.span);
        if (kind == Reduce::min) node = build::elementwise(graph, Primitive::negate, {node}, call.span);
    }
    if (broadcast) {
        std::vector<int> left;
        for (int i = 0; i < int(full.size()); ++i)
            if (std::find(shifted.begin(), shifted.end(), i) == shifted.end()) left.push_back(i);
        node = build::broadcast(graph, node, full, left, call.span);
    } else if (keepdims) {
        for (int axis : shifted) full[size_t(axis)] = 1;
        node = reshaped(graph, node, full, call.span);
    }
    Term result = elaborator.term(node, value.labels, met->weak);
    return kind == Reduce::mean ? mean_of(call, result, own, *axes) : result;
}

/// max(a, b) is elementwise, max(x, axis: -1) a reduction.
Term extreme(BuiltinCall& call, Reduce kind) {
    if (!call.arguments[1]) return reduce(call, kind, 2);
    if (call.arguments[2] || call.arguments[3]) {
        call.elaborator.error(Code::too_many_arguments, call.span,
                              "with two values this is elementwise; `axis` and `keepdims` need a single value");
        return {};
    }
    Primitive primitive = kind == Reduce::max ? Primitive::maximum : Primitive::minimum;
    std::vector<Operand> written{*call.arguments[0], *call.arguments[1]};
    if (auto folded = fold(call.elaborator, primitive, {written[0].term, written[1].term})) return *folded;
    auto met = meet(call.elaborator, written, Wanted::number, "compare", call.span);
    if (!met) return {};
    return elementwise(call.elaborator, primitive, met->operands, met->weak, written, "compare", call.span);
}

Term sum(BuiltinCall& call) { return reduce(call, Reduce::sum, 1); }
Term mean(BuiltinCall& call) { return reduce(call, Reduce::mean, 1); }
Term max(BuiltinCall& call) { return extreme(call, Reduce::max); }
Term min(BuiltinCall& call) { return extreme(call, Reduce::min); }

Term where(BuiltinCall& call) { return selected(call.elaborator, call.at(0), call.at(1), call.at(2), call.span); }

Term shape(BuiltinCall& call) {
    if (auto list = call.at(0).as<ListTerm>(); list && constant(call.at(0)))
        return {ListTerm{{integer_number(int64_t(list->items.size()))}}};
    auto type = type_of(call.elaborator, call.at(0));
    if (!type) {
        call.elaborator.error(Code::not_a_number, call.span, "only tensors have a shape");
        return {};
    }
    ListTerm list;
    for (int64_t size : type->shape) list.items.push_back(size == rows ? Term{RowsSize{}} : integer_number(size));
    return {list};
}

Term size(BuiltinCall& call) {
    Term all = shape(call);
    auto list = all.as<ListTerm>();
    if (!list) return {};
    if (call.arguments[1]) {
        auto axis = builtin_axis(call, call.at(1), call.arguments[1]->span, int(list->items.size()));
        return axis ? list->items[size_t(*axis)] : Term{};
    }
    Term result = integer_number(1);
    for (const Term& item : list->items)
        result = item.as<RowsSize>() && same(result, integer_number(1))
                     ? item
                     : apply(call.elaborator, ast::BinaryOperator::multiply, result, item, call.span);
    return result;
}

Term reshape(BuiltinCall& call) {
    Elaborator& elaborator = call.elaborator;
    auto value = to_operand(elaborator, call.at(0), call.span);
    auto wanted = shape_of_list(elaborator, call.at(1), call.arguments[1]->span);
    if (!value || !wanted) return {};
    Shape full = elaborator.graph().type(value->node).shape;
    Shape labels(full.begin(), full.begin() + int64_t(value->labels.size()));
    Shape own(full.begin() + int64_t(value->labels.size()), full.end());
    if (!reshapes(own, *wanted)) {
        bool with_rows = std::count(own.begin(), own.end(), rows) != std::count(wanted->begin(), wanted->end(), rows);
        elaborator.error(Code::shape_mismatch, call.span,
                         fmt::format("cannot reshape {} to {}: {}", named(elaborator, *call.arguments[0]),
                                     print(*wanted),
                                     with_rows ? "the rows N must stay an axis of their own"
                                               : fmt::format("{} elements cannot fill {}", std::abs(count(own, 1)),
                                                             std::abs(count(*wanted, 1)))),
                         "", with_rows ? "keep N as an axis: [N, 5, 3], not [N*5, 3]" : "");
        return {};
    }
    labels.insert(labels.end(), wanted->begin(), wanted->end());
    return elaborator.term(reshaped(elaborator.graph(), value->node, labels, call.span), value->labels, value->weak);
}

Term permute(BuiltinCall& call) {
    Elaborator& elaborator = call.elaborator;
    auto value = to_operand(elaborator, call.at(0), call.span);
    auto list = call.at(1).as<ListTerm>();
    if (!value) return {};
    int labels = int(value->labels.size()), rank = elaborator.graph().type(value->node).rank() - labels;
    std::vector<int> axes(size_t(labels), 0);
    std::iota(axes.begin(), axes.end(), 0);
    std::set<int> seen;
    if (list)
        for (const Term& item : list->items) {
            auto axis = builtin_axis(call, item, call.arguments[1]->span, rank);
            if (!axis) return {};
            seen.insert(*axis);
            axes.push_back(*axis + labels);
        }
    if (int(seen.size()) != rank || int(axes.size()) != rank + labels) {
        elaborator.error(Code::wrong_operand, call.span,
                         fmt::format("`permute` needs each of the {} axes once, as in [1, 0]", rank));
        return {};
    }
    return elaborator.term(permuted(elaborator.graph(), value->node, axes, call.span), value->labels, value->weak);
}

Term full(BuiltinCall& call) {
    Elaborator& elaborator = call.elaborator;
    auto wanted = shape_of_list(elaborator, call.at(1), call.arguments[1] ? call.arguments[1]->span : call.span);
    auto value = to_operand(elaborator, call.at(0), call.span);
    if (!value || !wanted) return {};
    Graph& graph = elaborator.graph();
    if (constant(call.at(0)) || value->weak)
        *value = in_dtype(elaborator, *value, elaborator.floating_default, call.span);
    if (graph.type(value->node).rank() != int(value->labels.size())) {
        elaborator.error(Code::shape_mismatch, call.span, "`full` needs one number");
        return {};
    }
    Common common{value->labels, {}};
    for (int label : value->labels) common.shape.push_back(elaborator.labels.size(label));
    common.shape.insert(common.shape.end(), wanted->begin(), wanted->end());
    if (graph[value->node].op == Op::constant)
        return elaborator.term(graph.add(Op::constant, {graph.type(value->node).dtype, common.shape}, {},
                                         graph[value->node].attributes, call.span),
                               value->labels);
    std::vector<int> axes(value->labels.size());
    std::iota(axes.begin(), axes.end(), 0);
    return elaborator.term(build::broadcast(graph, value->node, common.shape, axes, call.span), value->labels);
}

uint64_t hash_stream(const std::string& path) { // FNV-1a, 64 bits
    uint64_t hash = 14695981039346656037u;
    for (unsigned char c : path) hash = (hash ^ c) * 1099511628211u;
    return hash;
}

/// One random op in [0, 1). Its stream is named by the path of the call. Inside loops each iteration counts as a step
/// of its own: (step * iterations + iteration), for every loop around.
Term uniform(Elaborator& elaborator, const Shape& shape, Dtype dtype, Scope& scope, Span span) {
    std::string stream = fmt::format("{}.random_{}", scope.frame->stream, ++scope.frame->counts["~random"]);
    Graph& target = elaborator.graph();
    NodeId seed =
        elaborator.levels.imported({build::scalar_input(elaborator.levels.root(), "seed", Dtype::i64), false, 0, {}})
            .node;
    NodeId step;
    if (elaborator.mode.initial) step = build::constant(target, 0, Dtype::f64);
    else {
        step = std::get<NodeTerm>(run_scalar(elaborator, "step").data).node;
        for (int i = 1; i <= elaborator.level(); ++i) {
            const Levels::Level& level = elaborator.levels.at(i);
            NodeId iteration = elaborator.levels.imported({level.iteration, false, i, {}}).node;
            NodeId iterations = build::constant(target, double(level.iterations), Dtype::f64);
            step = build::elementwise(target, Primitive::multiply, {step, iterations});
            step = build::elementwise(target, Primitive::add, {step, build::cast(target, iteration, Dtype::f64)});
        }
    }
    std::vector<NodeId> inputs{seed, step};
    if (!shape.empty() && shape[0] == rows) {
        NodeId numbers;
        if (elaborator.mode.rows_of_data)
            numbers = elaborator.levels.root().add(Op::input, {Dtype::i32, {rows}}, {},
                                                   Input{Input::Source::field, "#row", 0, -1});
        else numbers = build::iota(elaborator.levels.root(), {rows}, 0, Dtype::i32);
        inputs.push_back(elaborator.levels.imported({numbers, false, 0, {}}).node);
    }
    Dtype drawn = dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    NodeId node = target.add(Op::random, {drawn, shape}, inputs, Random{hash_stream(stream)}, span);
    return elaborator.term(build::cast(target, node, dtype, span));
}

/// `random(shape)`: N is allowed as the first axis only.
Term random(BuiltinCall& call) {
    auto wanted = shape_of_list(call.elaborator, call.at(0), call.arguments[0]->span);
    if (!wanted) return {};
    if (std::find(wanted->begin() + std::min<int64_t>(1, int64_t(wanted->size())), wanted->end(), rows) !=
        wanted->end()) {
        call.elaborator.error(Code::rows_misuse, call.span,
                              "random numbers can have the rows N only as their first axis");
        return {};
    }
    if (call.elaborator.mode.initial && !wanted->empty() && (*wanted)[0] == rows) {
        call.elaborator.error(Code::rows_misuse, call.span, "there are no rows N before the first step");
        return {};
    }
    return uniform(call.elaborator, *wanted, call.elaborator.floating_default, call.scope, call.span);
}

Term stop_gradient(BuiltinCall& call) {
    if (call.at(0).as<ConstantNumber>()) return call.at(0);
    auto value = to_operand(call.elaborator, call.at(0), call.span);
    if (!value) return {};
    Graph& graph = call.elaborator.graph();
    NodeId node = graph.add(Op::custom_gradient, graph.type(value->node), {value->node}, CustomGradient{0}, call.span);
    return call.elaborator.term(node, value->labels, value->weak);
}

Term cast(BuiltinCall& call) {
    auto wanted = call.at(1).as<ConstantText>();
    bool known = false;
    for (const char* name : {"f32", "f64", "bf16", "int", "u8", "bool"})
        known = known || (wanted && wanted->value == name);
    if (!known) {
        call.elaborator.error(Code::wrong_operand, call.arguments[1]->span,
                              "`cast` needs a type: f32, f64, int, u8 or bool");
        return {};
    }
    if (!has_arithmetic(call.elaborator, wanted->value, call.arguments[1]->span)) return {};
    auto value = to_operand(call.elaborator, call.at(0), call.span);
    if (!value) return {};
    NodeTerm result = in_dtype(call.elaborator, *value, language_dtype(call.elaborator, wanted->value), call.span);
    return {result};
}

} // namespace

const std::vector<Builtin>& builtins() {
    static const std::vector<Builtin> all = {
        {"sum", {"x", "axis", "keepdims", "broadcast"}, 1, false, sum},
        {"mean", {"x", "axis", "keepdims", "broadcast"}, 1, false, mean},
        {"max", {"x", "y", "axis", "keepdims", "broadcast"}, 1, false, max},
        {"min", {"x", "y", "axis", "keepdims", "broadcast"}, 1, false, min},
        {"where", {"condition", "yes", "no"}, 3, false, where},
        {"shape", {"x"}, 1, false, shape},
        {"size", {"x", "axis"}, 1, false, size},
        {"reshape", {"x", "shape"}, 2, false, reshape},
        {"permute", {"x", "axes"}, 2, false, permute},
        {"full", {"value", "shape"}, 2, false, full},
        {"concat", {"axis"}, 0, true, builtin_concat},
        {"stack", {"axis"}, 0, true, builtin_stack},
        {"split", {"x", "parts", "axis"}, 2, false, builtin_split},
        {"pad", {"x", "before", "after", "value"}, 2, false, builtin_pad},
        {"random", {"shape"}, 1, false, random},
        {"stop_gradient", {"x"}, 1, false, stop_gradient},
        {"cast", {"x", "type"}, 2, false, cast},
        {"grad", {"y", "wrt"}, 2, false, builtin_grad},
    };
    return all;
}

const Builtin* find_builtin(const std::string& name) {
    for (const Builtin& each : builtins())
        if (name == each.name) return &each;
    return nullptr;
}

} // namespace gradc
