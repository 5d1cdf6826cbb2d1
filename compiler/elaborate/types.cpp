// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes that are plain names are solved first; formulas and bounds are checked in `finish`, when all names are known.
#include "compiler/elaborate/types.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

std::string word(int64_t size) { return size == rows ? "N" : std::to_string(size); }

Term size_term(int64_t size) { return size == rows ? Term{RowsSize{}} : integer_number(size); }

std::optional<int64_t> size_of(const Term& term) {
    if (term.as<RowsSize>()) return rows;
    auto number = term.as<ConstantNumber>();
    if (!number || number->value != int64_t(number->value)) return {};
    return int64_t(number->value);
}

} // namespace

Diagnostic& Matching::misfit(const std::string& what, const ast::TypeExpr* type, const std::string& found,
                             const std::string& why, Span span, Code code) {
    std::string wanted(elaborator_.definitions.sources->text(type->span));
    auto& report =
        elaborator_.error(code, span, fmt::format("{} is {}, but {} is expected: {}", what, found, wanted, why));
    report.remarks.push_back({type->span, "expected by this type"});
    return report;
}

Term Matching::match(const Term& term, const ast::TypeExpr& type, const std::string& what, Span span, Code code) {
    if (term.poisoned()) return {};
    current_ = &type;
    found_ = describe(elaborator_, term);
    if (type.dtype && !has_arithmetic(elaborator_, *type.dtype, type.span)) return {};
    if (type.constant) return match_constant(term, type, what, span);
    if (!type.dtype && !type.shape) return term;
    if (!type_of(elaborator_, term)) {
        misfit(what, &type, found_, "it is not a number or tensor", span, code);
        return {};
    }
    auto converted = match_dtype(term, type, what, span, code);
    if (!converted) return {};
    Shape shape = type_of(elaborator_, *converted)->shape;
    if (type.shape) {
        if (!match_shape(shape, type, what, span, code)) return {};
    } else if (!shape.empty()) {
        misfit(what, &type, found_, "a scalar has no axes", span, code);
        return {};
    }
    if (type.upper) bounds_.push_back({&type, *converted, what, span});
    return *converted;
}

Term Matching::match_constant(const Term& term, const ast::TypeExpr& type, const std::string& what, Span span) {
    std::string dtype = type.dtype.value_or("");
    if (!constant(term)) {
        elaborator_
            .error(Code::not_constant, span, fmt::format("{} must be known when compiling, not {}", what, found_))
            .remarks.push_back({type.span, "declared `const` here"});
        return {};
    }
    if (term.as<RowsSize>()) return term;
    auto number = term.as<ConstantNumber>();
    if (!number) {
        if (dtype.empty()) return term;
        misfit(what, &type, found_, "it is not a number", span, Code::argument_type);
        return {};
    }
    if (dtype == "bool" && number->kind != ConstantNumber::Kind::boolean) {
        misfit(what, &type, found_, "it is not a bool", span, Code::argument_type);
        return {};
    }
    if (dtype == "int" || dtype == "u8") {
        auto value = constant_integer(elaborator_, term, span, what.c_str());
        return value ? integer_number(*value) : Term{};
    }
    return term;
}

std::optional<Term> Matching::match_dtype(const Term& term, const ast::TypeExpr& type, const std::string& what,
                                          Span span, Code code) {
    auto number = term.as<ConstantNumber>();
    Type own = *type_of(elaborator_, term);
    bool literal = number || (term.as<NodeTerm>() && term.as<NodeTerm>()->weak);
    Dtype wanted = type.dtype ? language_dtype(elaborator_, *type.dtype) : elaborator_.floating_default;
    if (floating(wanted)) {
        if (number && !type.dtype) return term; // a literal stays one if any float fits
        if (floating(own.dtype) && !literal) {
            if (!type.dtype || own.dtype == wanted) return term;
            misfit(what, &type, found_, fmt::format("convert it with `cast(.., {})`", *type.dtype), span,
                   Code::dtype_mismatch);
            return {};
        }
        if (literal && !type.dtype) return term;
        auto value = to_operand(elaborator_, term, span);
        if (!value) return {};
        return Term{in_dtype(elaborator_, *value, wanted, span)};
    }
    bool is_integer = number ? number->kind != ConstantNumber::Kind::real : integer(own.dtype) && !literal;
    if (!is_integer) {
        auto& report = misfit(what, &type, found_, "an integer is needed", span, code);
        auto node = term.as<NodeTerm>();
        auto field = node && type.upper ? unbounded_field(elaborator_.levels.imported(*node).node) : nullptr;
        if (field) report.repair = fmt::format("write `{}` in the data set", bounded(*field, limit_of(type)));
        return {};
    }
    if (wanted == Dtype::boolean && own.dtype != Dtype::boolean) {
        misfit(what, &type, found_, "a bool is needed", span, code);
        return {};
    }
    if (wanted == Dtype::i32 && own.dtype == Dtype::boolean && !number)
        if (auto value = to_operand(elaborator_, term, span)) return Term{in_dtype(elaborator_, *value, wanted, span)};
    return term;
}

/// The bound for messages: its value, "3", or its text, "C".
std::string Matching::limit_of(const ast::TypeExpr& type) const {
    auto name = std::get_if<ast::Name>(&type.upper->node);
    auto binding = name ? names_.find(name->name) : nullptr;
    auto number = binding ? binding->value.as<ConstantNumber>() : nullptr;
    return number ? fmt::format("{}", number->value)
                  : std::string(elaborator_.definitions.sources->text(type.upper->span));
}

bool Matching::match_shape(const Shape& shape, const ast::TypeExpr& type, const std::string& what, Span span,
                           Code code) {
    const auto& items = *type.shape;
    auto is_group = [](const ast::ExprRef& item) { return std::holds_alternative<ast::Ellipsis>(item->node); };
    auto group = std::find_if(items.begin(), items.end(), is_group);
    size_t own = items.size() - (group != items.end() ? 1 : 0);
    if (shape.size() < own || (group == items.end() && shape.size() != own)) {
        auto axes = [](size_t n) { return n == 1 ? "1 axis" : std::to_string(n) + " axes"; };
        misfit(what, &type, found_,
               fmt::format("{} for {}{}", axes(shape.size()), group == items.end() ? "" : "at least ", axes(own)), span,
               code);
        return false;
    }
    size_t before = size_t(group - items.begin()), wide = shape.size() - own, at = 0;
    for (size_t i = 0; i < items.size(); ++i) {
        if (group != items.end() && i == before) {
            Shape axes(shape.begin() + int64_t(at), shape.begin() + int64_t(at + wide));
            if (!match_group(axes, what, span, code)) return false;
            at += wide;
        } else if (!match_size(shape[at++], *items[i], what, span, code)) return false;
    }
    return true;
}

bool Matching::match_group(const Shape& axes, const std::string& what, Span span, Code code) {
    ListTerm list;
    for (int64_t size : axes) list.items.push_back(size_term(size));
    auto known = names_.find(group_name);
    if (!known) {
        names_.bind(group_name, Term{list}, span);
        return true;
    }
    if (same(known->value, Term{list})) return true;
    misfit(
        what, current_, found_,
        fmt::format("`..` is {} here but {} elsewhere in this call", print(axes), describe(elaborator_, known->value)),
        span, code);
    return false;
}

bool Matching::match_size(int64_t size, const ast::Expr& written, const std::string& what, Span span, Code code) {
    auto name = std::get_if<ast::Name>(&written.node);
    if (auto number = std::get_if<ast::Number>(&written.node)) {
        if (number->value == double(size)) return true;
        misfit(what, current_, found_, fmt::format("an axis of {}, not {}", word(size), number->text), span, code);
        return false;
    }
    if (!name) {
        later_.push_back({&written, size, what, span, code});
        return true;
    }
    if (name->name == "N") {
        if (size == rows) return true;
        misfit(what, current_, found_, fmt::format("N is the number of rows, and {} is not", word(size)), span,
               Code::rows_misuse);
        return false;
    }
    const Term* known = nullptr;
    const Binding* bound = names_.find(name->name);
    if (bound) known = &bound->value;
    else known = elaborator_.definitions.find_constant(name->name, names_.frame->module);
    if (!known) {
        names_.names[name->name] = Binding{size_term(size), span, "", true};
        return true;
    }
    if (known->poisoned()) return false;
    auto number = size_of(*known);
    if (number && *number == size) return true;
    auto& report = misfit(what, current_, found_,
                          fmt::format("axis {} is {} here, but {} is {}", name->name, word(size), name->name,
                                      number ? word(*number) : describe(elaborator_, *known)),
                          span, code);
    if (bound && bound->span.known() && !(bound->span == span))
        report.remarks.push_back(
            {bound->span, fmt::format("{} is {} because of this argument", name->name, number ? word(*number) : "")});
    if (!bound)
        report.remarks.push_back({elaborator_.definitions.constant_span(name->name, names_.frame->module),
                                  fmt::format("{} is this const of the file", name->name)});
    return false;
}

void Matching::finish() {
    for (const Later& each : later_) {
        Term value = elaborator_.evaluate(*each.formula, names_);
        if (value.poisoned()) continue;
        auto wanted = size_of(value);
        if (wanted && *wanted == each.size) continue;
        elaborator_.error(each.code, each.span,
                          fmt::format("{} has an axis of {}, but `{}` is {}", each.what, word(each.size),
                                      elaborator_.definitions.sources->text(each.formula->span),
                                      wanted ? word(*wanted) : describe(elaborator_, value)));
    }
    later_.clear();
    for (const Bound& bound : bounds_) check_bound(bound);
    bounds_.clear();
}

/// The data set's field that the value is read from, if it has no written bound; else null.
const ast::Field* Matching::unbounded_field(NodeId node) {
    const Graph& graph = elaborator_.graph();
    while (graph[node].op == Op::cast) node = graph[node].inputs[0];
    auto input = std::get_if<Input>(&graph[node].attributes);
    if (graph[node].op != Op::input || !input || input->source != Input::Source::field) return nullptr;
    const Definitions& definitions = elaborator_.definitions;
    for (const ast::Item& item : definitions.modules[definitions.main_module].tree.items) {
        auto dataset = std::get_if<ast::Dataset>(&item.node);
        if (!dataset) continue;
        for (const ast::DatasetItem& each : dataset->items) {
            auto field = std::get_if<ast::Field>(&each.node);
            bool open = field && !(field->type && field->type->upper);
            if (open && field->target.name == input->name) return field;
        }
    }
    return nullptr;
}

/// The declaration of the field with a bound: "label: int < 3".
std::string Matching::bounded(const ast::Field& field, const std::string& limit) const {
    std::string dtype = "int";
    if (field.type && field.type->dtype == dtype) dtype = elaborator_.definitions.sources->text(field.type->span);
    return fmt::format("{}: {} < {}", field.target.name, dtype, limit);
}

/// Reports a column of integers without a bound at its field. False if the value is no such column.
bool Matching::report_unbounded(const Bound& bound, NodeId node, const std::string& limit) {
    auto field = unbounded_field(node);
    if (!field) return false;
    elaborator_
        .error(Code::out_of_range, field->target.span,
               fmt::format("the number of classes of `{}` is not known", field->target.name), "",
               fmt::format("write `{}`", bounded(*field, limit)))
        .remarks.push_back({bound.span, fmt::format("{} must be below {}", bound.what, limit)});
    return true;
}

void Matching::check_bound(const Bound& bound) {
    auto node = to_operand(elaborator_, bound.term, bound.span);
    if (!node || !integer(elaborator_.graph().type(node->node).dtype)) return;
    Range range = elaborator_.levels.range(node->node);
    const ast::Expr& upper = *bound.type->upper;
    auto name = std::get_if<ast::Name>(&upper.node);
    bool unknown = name && !names_.find(name->name) && name->name != "N" &&
                   !elaborator_.definitions.find_constant(name->name, names_.frame->module);
    if (unknown && range.low >= 0 && range.high < range_of(Dtype::i32).high) {
        names_.names[name->name] = Binding{integer_number(range.high + 1), bound.span, "", true};
        return;
    }
    if (unknown) {
        if (report_unbounded(bound, node->node, name->name)) return;
        elaborator_.error(Code::unknown_size, bound.span,
                          fmt::format("the bound of {} is not known, so `{}` cannot be solved", bound.what, name->name),
                          "", "take a remainder, such as `i % n`, or declare the field as `int < n`");
        return;
    }
    auto limit =
        constant_integer(elaborator_, elaborator_.evaluate(upper, names_), upper.span, "the bound of an integer type");
    if (!limit || range.inside(0, *limit - 1)) return;
    bool open = range.high >= range_of(Dtype::i32).high;
    if (open && report_unbounded(bound, node->node, std::to_string(*limit))) return;
    elaborator_.error(Code::out_of_range, bound.span,
                      fmt::format("{} must be in 0..{}, but it may be {}", bound.what, *limit,
                                  range.low < 0 && !open ? range.low : range.high),
                      open ? "this number has no known bounds"
                           : fmt::format("its range is {}..{}", range.low, range.high + 1),
                      "take a remainder, such as `i % n`, or declare the field with its bound");
}

Term convert(Elaborator& elaborator, const Term& term, const ast::TypeExpr& type, Scope& names, const std::string& role,
             Span span) {
    Matching matching(elaborator, names);
    Term result = matching.match(term, type, role, span, Code::argument_type);
    if (!result.poisoned()) matching.finish();
    return result;
}

std::optional<FullType> full_type(Elaborator& elaborator, const ast::TypeExpr& type, Scope& scope) {
    FullType full;
    if (type.dtype && !has_arithmetic(elaborator, *type.dtype, type.span)) return {};
    full.dtype_given = bool(type.dtype);
    full.type.dtype = type.dtype ? language_dtype(elaborator, *type.dtype) : elaborator.floating_default;
    full.shape_given = bool(type.shape);
    if (type.shape) {
        ListTerm list;
        for (const ast::ExprRef& item : *type.shape) {
            Term size;
            if (std::holds_alternative<ast::Ellipsis>(item->node)) {
                auto group = scope.find(group_name);
                if (!group) {
                    elaborator.error(Code::unknown_size, item->span, "`..` has no meaning here");
                    return {};
                }
                for (const Term& each : group->value.as<ListTerm>()->items) list.items.push_back(each);
                continue;
            }
            size = elaborator.evaluate(*item, scope);
            if (size.poisoned()) return {};
            list.items.push_back(size);
        }
        auto shape = shape_of_list(elaborator, {list}, type.span);
        if (!shape) return {};
        full.type.shape = *shape;
    }
    if (type.upper) {
        full.upper = constant_integer(elaborator, elaborator.evaluate(*type.upper, scope), type.upper->span,
                                      "the bound of an integer type");
        if (!full.upper) return {};
        if (*full.upper < 1) {
            elaborator.error(Code::negative_size, type.upper->span, "the bound of an integer type must be at least 1");
            return {};
        }
    }
    return full;
}

} // namespace gradc
