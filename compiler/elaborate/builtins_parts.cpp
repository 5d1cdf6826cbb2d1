// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The built-in functions that join, cut and differentiate: concat, stack, split, pad, grad.
#include "compiler/elaborate/builtins.h"
#include "compiler/elaborate/indices/definition.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

int axis_or(BuiltinCall& call, size_t parameter, int rank, int otherwise) {
    if (!call.arguments[parameter]) return otherwise;
    return builtin_axis(call, call.at(parameter), call.arguments[parameter]->span, rank).value_or(-1);
}

std::optional<std::vector<NodeTerm>> parts_of(BuiltinCall& call, const char* doing) {
    std::vector<Operand> given = call.many;
    if (given.size() == 1)
        if (auto tuple = given[0].term.as<TupleTerm>()) {
            Span span = given[0].span;
            std::vector<Term> items = tuple->items;
            given.clear();
            for (const Term& item : items) given.push_back({item, span});
        }
    if (given.empty()) {
        call.elaborator.error(Code::missing_argument, call.span, fmt::format("nothing to {}", doing));
        return {};
    }
    auto met = meet(call.elaborator, given, Wanted::any, doing, call.span);
    if (!met) return {};
    if (met->weak)
        for (NodeTerm& each : met->operands)
            each = in_dtype(call.elaborator, each, call.elaborator.floating_default, call.span);
    return met->operands;
}

/// Broadcasts all parts to the same labels, which are returned.
std::vector<int> with_common_labels(BuiltinCall& call, std::vector<NodeTerm>& parts) {
    std::vector<int> labels;
    for (const NodeTerm& part : parts) {
        std::vector<int> joined;
        std::set_union(labels.begin(), labels.end(), part.labels.begin(), part.labels.end(),
                       std::back_inserter(joined));
        labels = joined;
    }
    for (NodeTerm& part : parts) {
        const Shape& full = call.elaborator.graph().type(part.node).shape;
        Common common{labels, {}};
        for (int label : labels) common.shape.push_back(call.elaborator.labels.size(label));
        common.shape.insert(common.shape.end(), full.begin() + int64_t(part.labels.size()), full.end());
        part = {spread(call.elaborator, part, common, call.span), false, call.elaborator.level(), labels};
    }
    return labels;
}

Term joined(BuiltinCall& call, std::vector<NodeTerm> parts, int axis, const std::vector<int>& labels) {
    Graph& graph = call.elaborator.graph();
    std::vector<NodeId> nodes;
    Shape shape = graph.type(parts[0].node).shape;
    int64_t& size = shape[labels.size() + size_t(axis)];
    size = 0;
    for (const NodeTerm& part : parts) {
        size += graph.type(part.node).shape[labels.size() + size_t(axis)];
        check_size(call.elaborator, shape, call.span);
    }
    for (const NodeTerm& part : parts) nodes.push_back(part.node);
    return call.elaborator.term(build::concat(graph, nodes, axis + int(labels.size()), call.span), labels);
}

} // namespace

Term builtin_concat(BuiltinCall& call) {
    auto parts = parts_of(call, "concat");
    if (!parts) return {};
    Graph& graph = call.elaborator.graph();
    auto labels = with_common_labels(call, *parts);
    Shape first = graph.type((*parts)[0].node).shape;
    int rank = int(first.size() - labels.size());
    int axis = axis_or(call, 0, rank, rank - 1);
    if (axis < 0) {
        if (!rank)
            call.elaborator.error(Code::shape_mismatch, call.span, "scalars have no axis to concat along", "",
                                  "use `stack`");
        return {};
    }
    size_t at = size_t(axis) + labels.size();
    for (size_t i = 0; i < parts->size(); ++i) {
        Shape other = graph.type((*parts)[i].node).shape;
        bool along_rows = other.size() > at && (other[at] == rows || first[at] == rows);
        bool fits = other.size() == first.size() && !along_rows;
        if (fits) {
            other[at] = first[at];
            fits = other == first;
        }
        if (fits) continue;
        const Operand& here = call.many.size() == parts->size() ? call.many[i] : call.many[0];
        call.elaborator.error(
            along_rows ? Code::rows_misuse : Code::shape_mismatch, here.span,
            along_rows ? "tensors cannot be joined along the rows N"
                       : fmt::format("cannot concat {} to {} along axis {}", named(call.elaborator, here),
                                     named(call.elaborator, call.many[0]), axis),
            "", along_rows ? "join along another axis, or `stack` rows of one shape on a new axis: [N, 2, ..]" : "");
        return {};
    }
    return joined(call, *parts, axis, labels);
}

Term builtin_stack(BuiltinCall& call) {
    auto parts = parts_of(call, "stack");
    if (!parts) return {};
    Graph& graph = call.elaborator.graph();
    auto labels = with_common_labels(call, *parts);
    Shape first = graph.type((*parts)[0].node).shape;
    int rank = int(first.size() - labels.size()) + 1;
    int axis = axis_or(call, 0, rank, 0);
    if (axis < 0) return {};
    if (axis == 0 && rank > 1 && first[labels.size()] == rows && !call.arguments[0]) axis = 1;
    for (NodeTerm& part : *parts) {
        Shape shape = graph.type(part.node).shape;
        if (shape != first) {
            call.elaborator.error(Code::shape_mismatch, call.span,
                                  fmt::format("cannot stack {} on {}", print(shape), print(first)));
            return {};
        }
        shape.insert(shape.begin() + int64_t(labels.size()) + axis, 1);
        part.node = reshaped(graph, part.node, shape, call.span);
    }
    return joined(call, *parts, axis, labels);
}

std::optional<NodeTerm> stacked(Elaborator& elaborator, const ListTerm& list, Span span) {
    Scope scope;
    Frame frame = block_frame(elaborator.definitions, "list", 0, nullptr);
    scope.frame = &frame;
    BuiltinCall call{elaborator, scope, span, {}, {Operand{integer_number(0), span}}};
    for (const Term& item : list.items) call.many.push_back({item, span});
    Term result = builtin_stack(call);
    if (auto node = result.as<NodeTerm>()) return *node;
    return {};
}

/// Equal parts, by their number, or parts of the sizes in a list.
Term builtin_split(BuiltinCall& call) {
    Elaborator& elaborator = call.elaborator;
    auto value = to_operand(elaborator, call.at(0), call.span);
    if (!value) return {};
    Shape full = elaborator.graph().type(value->node).shape;
    int rank = int(full.size() - value->labels.size());
    int axis = axis_or(call, 2, rank, rank - 1);
    if (axis < 0) {
        if (!rank) elaborator.error(Code::shape_mismatch, call.span, "a scalar has no axis to split");
        return {};
    }
    int64_t whole = full[value->labels.size() + size_t(axis)];
    if (whole == rows) {
        elaborator.error(Code::rows_misuse, call.span, "the rows N cannot be split", "",
                         "split another axis, or mask rows: `where(condition, x, 0)`");
        return {};
    }
    std::vector<int64_t> sizes;
    if (auto list = call.at(1).as<ListTerm>()) {
        auto given = shape_of_list(elaborator, Term{*list}, call.arguments[1]->span);
        if (!given) return {};
        sizes = *given;
    } else {
        auto parts = constant_integer(elaborator, call.at(1), call.arguments[1]->span, "the number of parts");
        if (!parts) return {};
        if (*parts < 1 || whole % *parts) {
            elaborator.error(Code::shape_mismatch, call.span,
                             fmt::format("{} cannot be split into {} equal parts: its axis has {}",
                                         named(elaborator, *call.arguments[0]), *parts, whole));
            return {};
        }
        if (*parts > elaborator.definitions.options.node_limit) {
            elaborator.error(Code::node_limit, call.span, fmt::format("{} parts pass the limit of nodes", *parts));
            return {};
        }
        sizes.assign(size_t(*parts), whole / *parts);
    }
    int64_t total = 0;
    for (int64_t size : sizes) total += size;
    if (total != whole) {
        elaborator.error(Code::shape_mismatch, call.span,
                         fmt::format("the parts add up to {}, but the axis has {}", total, whole));
        return {};
    }
    TupleTerm parts;
    int64_t start = 0;
    for (int64_t size : sizes) {
        parts.items.push_back({sliced(elaborator, *value, axis, start, 1, size, call.span)});
        start += size;
    }
    return parts.items.size() == 1 ? parts.items[0] : Term{parts};
}

Term builtin_pad(BuiltinCall& call) {
    Elaborator& elaborator = call.elaborator;
    auto value = to_operand(elaborator, call.at(0), call.span);
    if (!value) return {};
    size_t labels = value->labels.size();
    Shape shape = elaborator.graph().type(value->node).shape;
    auto numbers = [&](size_t parameter) -> std::optional<std::vector<int64_t>> {
        const Operand& given = *call.arguments[parameter];
        ListTerm one{{given.term}};
        auto list = given.term.as<ListTerm>();
        if (!list) list = &one;
        std::vector<int64_t> result(labels, 0);
        for (const Term& item : list->items) {
            auto number = constant_integer(elaborator, item, given.span, "the width of a padding");
            if (!number) return {};
            result.push_back(*number);
        }
        bool good = result.size() == shape.size();
        for (size_t i = 0; i < result.size() && good; ++i)
            good = result[i] >= 0 && result[i] < (int64_t(1) << 40) && (shape[i] != rows || result[i] == 0);
        if (good) return result;
        elaborator.error(Code::shape_mismatch, given.span,
                         fmt::format("`pad` needs an integer of at least 0 for each axis of {}, and 0 for N",
                                     named(elaborator, *call.arguments[0])));
        return {};
    };
    auto before = numbers(1);
    if (!before) return {};
    auto after = call.arguments[2] ? numbers(2) : before;
    if (!after) return {};
    double around = 0;
    if (call.arguments[3]) {
        auto number = constant_number(elaborator, call.at(3), call.arguments[3]->span, "the value of the padding");
        if (!number) return {};
        around = *number;
    }
    for (size_t i = 0; i < shape.size(); ++i)
        if (shape[i] != rows) shape[i] += (*before)[i] + (*after)[i];
    if (count(shape, 1) < 0 || count(shape, 1) > INT64_MAX / 8) {
        elaborator.error(Code::too_large, call.span, fmt::format("a tensor {} has more than 2^63 bytes", print(shape)));
        return {};
    }
    NodeId node = build::pad(elaborator.graph(), value->node, *before, shape, around, call.span);
    return elaborator.term(node, value->labels, value->weak);
}

namespace {

/// True if a derivative clause has a reported error: values that depend on it have no gradient.
bool clause_failed(const Definitions& definitions) {
    auto has_error = [&](const ast::Derivative& clause) {
        const auto& all = definitions.diagnostics->all();
        return std::any_of(all.begin(), all.end(), [&](const Diagnostic& each) {
            Span at = each.span, text = clause.value->span;
            return at.source == text.source && at.begin >= text.begin && at.end <= text.end;
        });
    };
    for (const Module& module : definitions.modules)
        for (const auto& [name, entry] : module.functions) {
            const auto& clauses = entry.tree->derivatives;
            if (std::any_of(clauses.begin(), clauses.end(), has_error)) return true;
        }
    return false;
}

} // namespace

Term builtin_grad(BuiltinCall& call) {
    Elaborator& elaborator = call.elaborator;
    const Operand &y = *call.arguments[0], &x = *call.arguments[1];
    auto value = to_operand(elaborator, y.term, y.span), by = to_operand(elaborator, x.term, x.span);
    if (!value || !by) return {};
    Graph& graph = elaborator.graph();
    for (auto [term, operand] : {std::pair(*value, y), std::pair(*by, x)})
        if (!floating(graph.type(term.node).dtype)) {
            elaborator.error(
                Code::wrong_operand, operand.span,
                fmt::format("only floating-point numbers have derivatives, not {}", describe(elaborator, {term})));
            return {};
        }
    if (!std::includes(by->labels.begin(), by->labels.end(), value->labels.begin(), value->labels.end())) {
        elaborator.error(Code::index_misuse, call.span,
                         "inside a definition by index, `wrt` of `grad` must have the same indices");
        return {};
    }
    size_t errors = elaborator.definitions.diagnostics->count();
    NodeId result = gradient(graph, value->node, {by->node}, derivative_rules(elaborator.definitions))[0];
    if (elaborator.definitions.diagnostics->count() > errors) return {}; // of a clause
    if (result == NodeId::none) {
        if (clause_failed(elaborator.definitions)) return {};
        elaborator.error(Code::no_dependence, x.span,
                         fmt::format("the value does not depend on `{}`", elaborator.definitions.sources->text(x.span)),
                         "its derivative would be zero everywhere");
        return {};
    }
    check_limits(elaborator, call.span);
    return elaborator.term(result, by->labels);
}

} // namespace gradc
