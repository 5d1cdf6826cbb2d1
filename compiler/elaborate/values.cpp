// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A list of numbers becomes one constant; a list that holds nodes is stacked.
#include "compiler/elaborate/builtins.h"
#include "dsl/other_names.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

bool integral(double value) { return value == std::floor(value) && std::abs(value) < 9e15; }

/// The numbers of a nested list in order, and its shape. False if it is ragged or holds anything else.
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

std::optional<NodeTerm> to_operand(Elaborator& elaborator, const Term& term, Span span) {
    if (term.poisoned()) return {};
    if (auto node = term.as<NodeTerm>()) return elaborator.levels.imported(*node);
    if (auto number = term.as<ConstantNumber>()) {
        Dtype dtype = number->kind == ConstantNumber::Kind::boolean                                    ? Dtype::boolean
                      : number->kind == ConstantNumber::Kind::integer && std::abs(number->value) < 2e9 ? Dtype::i32
                                                                                                       : Dtype::f64;
        NodeId node = build::constant(elaborator.graph(), number->value, dtype, {}, span);
        return NodeTerm{node, dtype == Dtype::f64, elaborator.level(), {}};
    }
    if (term.as<RowsSize>())
        return NodeTerm{build::cast(elaborator.graph(), row_count(elaborator, span), Dtype::i32, span),
                        false,
                        elaborator.level(),
                        {}};
    if (auto list = term.as<ListTerm>()) {
        Shape shape;
        std::vector<double> values;
        auto kind = ConstantNumber::Kind::boolean;
        if (flatten(*list, 0, shape, values, kind)) {
            Dtype dtype = kind == ConstantNumber::Kind::real      ? Dtype::f64
                          : kind == ConstantNumber::Kind::integer ? Dtype::i32
                                                                  : Dtype::boolean;
            NodeId node = build::constant(elaborator.graph(), std::move(values), {dtype, shape}, span);
            return NodeTerm{node, dtype == Dtype::f64, elaborator.level(), {}};
        }
        if (!list->items.empty() && !constant(term)) return stacked(elaborator, *list, span);
    }
    elaborator.error(Code::not_a_number, span,
                     fmt::format("a number or tensor is needed here, not {}", describe(elaborator, term)));
    return {};
}

NodeTerm in_dtype(Elaborator& elaborator, const NodeTerm& operand, Dtype dtype, Span span) {
    NodeTerm result = operand;
    const Node& node = elaborator.graph()[operand.node];
    result.weak = false;
    if (node.type.dtype == dtype) return result;
    if (node.op == Op::constant) {
        Constant values = attribute<Constant>(node);
        if (integer(dtype))
            for (double& value : values.values) value = dtype == Dtype::boolean ? value != 0 : std::trunc(value);
        result.node = elaborator.graph().add(Op::constant, {dtype, node.type.shape}, {}, values, span);
    } else result.node = build::cast(elaborator.graph(), operand.node, dtype, span);
    return result;
}

NodeId to_node(Elaborator& elaborator, const Term& term, Span span, std::optional<Dtype> dtype) {
    auto value = to_operand(elaborator, term, span);
    if (!value) return NodeId::none;
    Dtype natural = elaborator.graph().type(value->node).dtype;
    if (value->weak) natural = elaborator.floating_default;
    return in_dtype(elaborator, *value, dtype ? *dtype : natural, span).node;
}

NodeId to_floating_node(Elaborator& elaborator, const Term& term, Dtype dtype, Span span) {
    auto value = to_operand(elaborator, term, span);
    if (!value) return NodeId::none;
    Dtype own = elaborator.graph().type(value->node).dtype;
    if (floating(own) && own != dtype && !value->weak) {
        elaborator.error(Code::dtype_mismatch, span,
                         fmt::format("{} is needed here, not {}", name(dtype), describe(elaborator, term)), "",
                         fmt::format("convert it: `cast(.., {})`", name(dtype)));
        return NodeId::none;
    }
    return in_dtype(elaborator, *value, dtype, span).node;
}

std::optional<double> constant_number(Elaborator& elaborator, const Term& term, Span span, const char* role) {
    if (auto number = term.as<ConstantNumber>()) return number->value;
    if (!term.poisoned())
        elaborator.error(
            Code::not_constant, span,
            fmt::format("{} must be a number known when compiling, not {}", role, describe(elaborator, term)));
    return {};
}

std::optional<int64_t> constant_integer(Elaborator& elaborator, const Term& term, Span span, const char* role) {
    auto number = constant_number(elaborator, term, span, role);
    if (!number) return {};
    if (integral(*number)) return int64_t(*number);
    elaborator.error(Code::not_integer, span,
                     fmt::format("{} must be an integer, not {}", role, print_number(*number)));
    return {};
}

std::optional<Shape> shape_of_list(Elaborator& elaborator, const Term& term, Span span) {
    ListTerm one;
    const ListTerm* list = term.as<ListTerm>();
    if (!list && (term.as<ConstantNumber>() || term.as<RowsSize>())) one.items = {term}, list = &one;
    if (!list) {
        if (!term.poisoned())
            elaborator.error(Code::not_constant, span,
                             fmt::format("a shape such as [N, 64] is needed here, not {}", describe(elaborator, term)),
                             "", "sizes must be known when compiling; N must stand alone: [N, 5, 3], not [N*5, 3]");
        return {};
    }
    Shape shape;
    for (const Term& item : list->items) {
        if (item.as<RowsSize>()) {
            shape.push_back(rows);
            continue;
        }
        auto size = constant_integer(elaborator, item, span, "a size");
        if (!size) return {};
        if (*size < 1) {
            elaborator.error(Code::negative_size, span, fmt::format("a size must be at least 1, not {}", *size), "",
                             foreign_repair("size", std::to_string(*size)));
            return {};
        }
        shape.push_back(*size);
    }
    if (count(shape, std::max<int64_t>(1, elaborator.mode.largest_batch)) > INT64_MAX / 8 || count(shape, 1) < 0) {
        elaborator.error(Code::too_large, span, fmt::format("a tensor {} has more than 2^63 bytes", print(shape)));
        return {};
    }
    return shape;
}

std::optional<Type> type_of(const Elaborator& elaborator, const Term& term) {
    if (auto value = term.as<NodeTerm>()) {
        Type type = elaborator.levels.graph(value->level).type(value->node);
        type.shape.erase(type.shape.begin(), type.shape.begin() + int64_t(value->labels.size()));
        return type;
    }
    if (auto number = term.as<ConstantNumber>())
        return Type{number->kind == ConstantNumber::Kind::boolean   ? Dtype::boolean
                    : number->kind == ConstantNumber::Kind::integer ? Dtype::i32
                                                                    : elaborator.floating_default,
                    {}};
    if (term.as<RowsSize>()) return Type{Dtype::i32, {}};
    if (auto list = term.as<ListTerm>()) {
        Shape shape;
        std::vector<double> values;
        auto kind = ConstantNumber::Kind::boolean;
        if (!flatten(*list, 0, shape, values, kind)) return {};
        return Type{kind == ConstantNumber::Kind::real ? elaborator.floating_default : Dtype::i32, shape};
    }
    return {};
}

std::string describe(const Elaborator& elaborator, const Term& term) {
    struct Words {
        const Elaborator& elaborator;
        std::string operator()(const Poison&) const { return "an error"; }
        std::string operator()(const ConstantNumber& number) const {
            if (number.kind == ConstantNumber::Kind::boolean) return number.value != 0 ? "true" : "false";
            return "the constant " + print_number(number.value);
        }
        std::string operator()(const RowsSize&) const { return "N"; }
        std::string operator()(const ConstantText& text) const { return "\"" + text.value + "\""; }
        std::string operator()(const NodeTerm& node) const {
            Type type = *type_of(elaborator, {node});
            if (node.weak && type.shape.empty()) return "a scalar of the run";
            std::string dtype = type.dtype == Dtype::i32 ? "int" : name(type.dtype);
            return type.shape.empty() ? dtype : dtype + print(type.shape);
        }
        std::string operator()(const ListTerm& list) const {
            std::string text = "[";
            for (size_t i = 0; i < list.items.size() && i < 8; ++i) {
                auto number = list.items[i].as<ConstantNumber>();
                text += (i ? ", " : "") + (number ? print_number(number->value) : describe(elaborator, list.items[i]));
            }
            return text + (list.items.size() > 8 ? ", ..]" : "]");
        }
        std::string operator()(const TupleTerm& tuple) const { return fmt::format("{} values", tuple.items.size()); }
        std::string operator()(const std::shared_ptr<const Foreign>&) const { return "no value"; }
    };
    return std::visit(Words{elaborator}, term.data);
}

Dtype language_dtype(const Elaborator& elaborator, const std::string& name) {
    if (name == "f32") return elaborator.definitions.options.precision;
    if (name == "f64") return Dtype::f64;
    if (name == "bf16") return Dtype::bf16;
    if (name == "u8") return Dtype::u8;
    if (name == "bool") return Dtype::boolean;
    return Dtype::i32;
}

bool has_arithmetic(Elaborator& elaborator, const std::string& dtype, Span span) {
    if (dtype != "bf16") return true;
    elaborator.error(Code::dtype_mismatch, span, "`bf16` has no arithmetic", "",
                     "use f32, or f64 for twice the digits");
    return false;
}

Term run_scalar(Elaborator& elaborator, const std::string& name) {
    NodeTerm outer{build::scalar_input(elaborator.levels.root(), name, Dtype::f64), true, 0, {}};
    return {elaborator.levels.imported(outer)};
}

NodeId row_count(Elaborator& elaborator, Span span) {
    NodeId rows = build::scalar_input(elaborator.levels.root(), "rows", Dtype::i64, span);
    return elaborator.levels.imported({rows, false, 0, {}}).node;
}

} // namespace gradc
