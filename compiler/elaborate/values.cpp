// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Terms as nodes, numbers and words. A literal is weak: it is made anew in the element of what it
// meets, so that 0.1 beside an f64 is 0.1 in f64.
#include "compiler/elaborate/parts.h"
#include "dsl/other_names.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

bool integral(double value) { return value == std::floor(value) && std::abs(value) < 9e15; }

/// Numbers of a nested list in order, and its shape; false where it is ragged or holds something
/// else.
bool flatten(const ListTerm& list, size_t depth, Shape& shape, std::vector<double>& values,
             ConstantNumber::Kind& kind) {
    if (shape.size() == depth) shape.push_back(int64_t(list.items.size()));
    if (shape[depth] != int64_t(list.items.size()) || list.items.empty()) return false;
    for (const Term& item : list.items) {
        if (auto inner = item.as<ListTerm>()) {
            if (!flatten(*inner, depth + 1, shape, values, kind)) return false;
        } else if (auto number = item.as<ConstantNumber>()) {
            if (shape.size() != depth + 1) return false;
            values.push_back(number->value);
            kind = std::max(kind, number->kind);
        } else return false;
    }
    return true;
}

std::string print_number(double value) {
    if (integral(value)) return fmt::format("{}", int64_t(value));
    return fmt::format("{}", value);
}

} // namespace

std::optional<NodeTerm> Elaborator::operand(const Term& term, Span span) {
    if (term.poisoned()) return {};
    if (auto node = term.as<NodeTerm>()) return imported(*node);
    if (auto number = term.as<ConstantNumber>()) {
        Dtype dtype = number->kind == ConstantNumber::Kind::boolean                                    ? Dtype::boolean
                      : number->kind == ConstantNumber::Kind::integer && std::abs(number->value) < 2e9 ? Dtype::i32
                                                                                                       : Dtype::f64;
        NodeId node = build::constant(graph(), number->value, dtype, {}, span);
        return NodeTerm{node, dtype == Dtype::f64, level(), {}};
    }
    if (term.as<RowsSize>())
        return NodeTerm{build::cast(graph(), row_count(span), Dtype::i32, span), false, level(), {}};
    if (auto list = term.as<ListTerm>()) {
        Shape shape;
        std::vector<double> values;
        auto kind = ConstantNumber::Kind::boolean;
        if (flatten(*list, 0, shape, values, kind)) {
            Dtype dtype = kind == ConstantNumber::Kind::real      ? Dtype::f64
                          : kind == ConstantNumber::Kind::integer ? Dtype::i32
                                                                  : Dtype::boolean;
            NodeId node = build::constant(graph(), std::move(values), {dtype, shape}, span);
            return NodeTerm{node, dtype == Dtype::f64, level(), {}};
        }
        if (!list->items.empty() && !constant(term)) return stacked(*this, *list, span);
    }
    error(Code::not_a_number, span, fmt::format("a number or tensor is needed here, not {}", describe(term)));
    return {};
}

NodeTerm Elaborator::in_dtype(const NodeTerm& operand, Dtype dtype, Span span) {
    NodeTerm result = operand;
    const Node& node = graph()[operand.node];
    result.weak = false;
    if (node.type.dtype == dtype) return result;
    if (node.op == Op::constant) {
        Constant values = attribute<Constant>(node);
        if (integer(dtype))
            for (double& value : values.values) value = dtype == Dtype::boolean ? value != 0 : std::trunc(value);
        result.node = graph().add(Op::constant, {dtype, node.type.shape}, {}, values, span);
    } else result.node = build::cast(graph(), operand.node, dtype, span);
    return result;
}

NodeId Elaborator::node(const Term& term, Span span, std::optional<Dtype> dtype) {
    auto value = operand(term, span);
    if (!value) return NodeId::none;
    Dtype natural = graph().type(value->node).dtype;
    if (value->weak) natural = floating_default_;
    return in_dtype(*value, dtype ? *dtype : natural, span).node;
}

NodeId Elaborator::floating_node(const Term& term, Dtype dtype, Span span) {
    auto value = operand(term, span);
    if (!value) return NodeId::none;
    Dtype own = graph().type(value->node).dtype;
    if (floating(own) && own != dtype && !value->weak) {
        error(Code::dtype_mismatch, span, fmt::format("{} is needed here, not {}", name(dtype), describe(term)), "",
              fmt::format("convert it: `cast(.., {})`", name(dtype)));
        return NodeId::none;
    }
    return in_dtype(*value, dtype, span).node;
}

NodeId Elaborator::scalar_node(const Term& term, Span span) {
    auto value = operand(term, span);
    if (!value) return NodeId::none;
    if (graph().type(value->node).rank()) {
        error(Code::shape_mismatch, span, fmt::format("one number is needed here, not {}", describe(term)));
        return NodeId::none;
    }
    return in_dtype(*value, Dtype::f64, span).node;
}

std::optional<double> Elaborator::constant_number(const Term& term, Span span, const char* what) {
    if (auto number = term.as<ConstantNumber>()) return number->value;
    if (!term.poisoned())
        error(Code::not_constant, span,
              fmt::format("{} must be a number known when compiling, not {}", what, describe(term)));
    return {};
}

std::optional<int64_t> Elaborator::constant_integer(const Term& term, Span span, const char* what) {
    auto number = constant_number(term, span, what);
    if (!number) return {};
    if (integral(*number)) return int64_t(*number);
    error(Code::not_integer, span, fmt::format("{} must come out whole, not {}", what, print_number(*number)));
    return {};
}

std::optional<Shape> Elaborator::shape_of_list(const Term& term, Span span) {
    ListTerm one;
    const ListTerm* list = term.as<ListTerm>();
    if (!list && (term.as<ConstantNumber>() || term.as<RowsSize>())) one.items = {term}, list = &one;
    if (!list) {
        if (!term.poisoned())
            error(Code::not_constant, span,
                  fmt::format("a shape such as [N, 64] is needed here, not {}", describe(term)), "",
                  "sizes are known when compiling; N is a size alone, never in a formula: [N, 5, 3], not [N*5, 3]");
        return {};
    }
    Shape shape;
    for (const Term& item : list->items) {
        if (item.as<RowsSize>()) {
            shape.push_back(rows);
            continue;
        }
        auto size = constant_integer(item, span, "a size");
        if (!size) return {};
        if (*size < 1) {
            error(Code::negative_size, span, fmt::format("a size must be at least 1, not {}", *size), "",
                  foreign_repair("size", std::to_string(*size)));
            return {};
        }
        shape.push_back(*size);
    }
    if (count(shape, std::max<int64_t>(1, mode.largest_batch)) > INT64_MAX / 8 || count(shape, 1) < 0) {
        error(Code::too_large, span, fmt::format("a tensor {} has more than 2^63 bytes", print(shape)));
        return {};
    }
    return shape;
}

std::optional<Type> Elaborator::type_of(const Term& term) const {
    if (auto value = term.as<NodeTerm>()) {
        Type type = levels_[size_t(value->level)]->graph->type(value->node);
        type.shape.erase(type.shape.begin(), type.shape.begin() + int64_t(value->labels.size()));
        return type;
    }
    if (auto number = term.as<ConstantNumber>())
        return Type{number->kind == ConstantNumber::Kind::boolean   ? Dtype::boolean
                    : number->kind == ConstantNumber::Kind::integer ? Dtype::i32
                                                                    : floating_default_,
                    {}};
    if (term.as<RowsSize>()) return Type{Dtype::i32, {}};
    if (auto list = term.as<ListTerm>()) {
        Shape shape;
        std::vector<double> values;
        auto kind = ConstantNumber::Kind::boolean;
        if (!flatten(*list, 0, shape, values, kind)) return {};
        return Type{kind == ConstantNumber::Kind::real ? floating_default_ : Dtype::i32, shape};
    }
    return {};
}

std::string Elaborator::describe(const Term& term) const {
    struct Words {
        const Elaborator& self;
        std::string operator()(const Poison&) const { return "an error"; }
        std::string operator()(const ConstantNumber& number) const {
            if (number.kind == ConstantNumber::Kind::boolean) return number.value != 0 ? "true" : "false";
            return "the constant " + print_number(number.value);
        }
        std::string operator()(const RowsSize&) const { return "N"; }
        std::string operator()(const ConstantText& text) const { return "\"" + text.value + "\""; }
        std::string operator()(const NodeTerm& node) const {
            Type type = *self.type_of({node});
            if (node.weak && type.shape.empty()) return "a number of the run";
            std::string dtype = type.dtype == Dtype::i32 ? "int" : name(type.dtype);
            return type.shape.empty() ? dtype : dtype + print(type.shape);
        }
        std::string operator()(const ListTerm& list) const {
            std::string text = "[";
            for (size_t i = 0; i < list.items.size() && i < 8; ++i) {
                auto number = list.items[i].as<ConstantNumber>();
                text += (i ? ", " : "") + (number ? print_number(number->value) : self.describe(list.items[i]));
            }
            return text + (list.items.size() > 8 ? ", ..]" : "]");
        }
        std::string operator()(const TupleTerm& tuple) const { return fmt::format("{} values", tuple.items.size()); }
        std::string operator()(const std::shared_ptr<const Foreign>&) const { return "no value"; }
    };
    return std::visit(Words{*this}, term.data);
}

std::string Elaborator::describe(const ast::Expr& expression, const Term& term) const {
    std::string text(definitions.sources->text(expression.span));
    if (text.size() > 24 || text.find('\n') != std::string::npos) text.clear();
    auto type = type_of(term);
    if (!type) return text.empty() ? describe(term) : text;
    std::string shape = type->shape.empty() ? "a scalar" : print(type->shape);
    if (text.empty()) return shape;
    return type->shape.empty() ? text + " (a scalar)" : text + " " + shape;
}

} // namespace gradc
