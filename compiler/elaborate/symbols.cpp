// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lookup goes from the inside out: scope, words of the language, extension, constants of the file.
#include "compiler/elaborate/symbols.h"
#include "compiler/elaborate/builtins.h"
#include "compiler/elaborate/library/wrong_names.h"
#include <fmt/format.h>

namespace gradc {

namespace {

/// True for a const of the file, evaluated or not.
bool declares(const ast::Module& module, const std::string& name) {
    for (const ast::Item& item : module.items)
        if (auto constants = std::get_if<ast::Constants>(&item.node))
            for (const ast::Constant& each : constants->all)
                if (each.target.name == name) return true;
    return false;
}

std::optional<Term> word(Elaborator& elaborator, const std::string& name, const Scope& scope) {
    if (name == "N") return Term{RowsSize{}};
    if (name == "training") return truth(elaborator.mode.training && !(scope.frame && scope.frame->frozen));
    if (name == "true" || name == "false") return truth(name == "true");
    if (name == "inf") return real(INFINITY);
    if (name == "nan") return real(NAN);
    if (name == "pi") return real(M_PI);
    for (const char* dtype : {"f32", "f64", "bf16", "int", "u8", "bool"})
        if (name == dtype) return Term{ConstantText{name}};
    return {};
}

/// All names with a value at this point, for "did you mean".
std::vector<std::string> known_names(const Definitions& definitions, const Scope& scope) {
    std::vector<std::string> names{"training", "true", "false", "inf", "nan", "pi"};
    for (const auto& each : scope.names) names.push_back(each.first);
    for (auto& name : definitions.constant_names(scope.frame->module)) names.push_back(name);
    return names;
}

struct Collector {
    std::vector<std::string>& names;

    void all(const std::vector<ast::ExprRef>& expressions) const {
        for (const auto& each : expressions) visit(each);
    }
    void visit(const ast::ExprRef& expression) const {
        if (expression) std::visit(*this, expression->node);
    }
    void operator()(const ast::Number&) const {}
    void operator()(const ast::Text&) const {}
    void operator()(const ast::Name& name) const { names.push_back(name.name); }
    void operator()(const ast::Ellipsis&) const {}
    void operator()(const ast::Range& range) const { visit(range.first), visit(range.last); }
    void operator()(const ast::Slice& slice) const { visit(slice.start), visit(slice.stop), visit(slice.step); }
    void operator()(const ast::Unary& unary) const { visit(unary.operand); }
    void operator()(const ast::Transpose& tick) const { visit(tick.operand); }
    void operator()(const ast::Binary& binary) const { visit(binary.left), visit(binary.right); }
    void operator()(const ast::Member& member) const { visit(member.object); }
    void operator()(const ast::Index& index) const { visit(index.object), all(index.items); }
    void operator()(const ast::Call& call) const {
        for (const auto& binder : call.indices) visit(binder.bound);
        for (const auto& argument : call.arguments) visit(argument.value);
    }
    void operator()(const ast::List& list) const { all(list.items); }
    void operator()(const ast::Scan& scan) const {
        visit(scan.bound);
        for (const auto& carried : scan.carried) visit(carried.initial);
    }
};

} // namespace

Frame block_frame(const Definitions& definitions, const std::string& name, uint32_t module, Extension* extension) {
    Frame frame;
    frame.stream = name;
    frame.module = module;
    frame.extension = extension;
    frame.floating_default = definitions.options.precision;
    return frame;
}

void Scope::adopt(const Scope& inner) {
    for (auto& [name, binding] : names) {
        auto found = inner.names.find(name);
        if (found != inner.names.end()) binding = found->second;
    }
}

Term lookup(Elaborator& elaborator, const std::string& name, Span span, Scope& scope) {
    if (auto binding = scope.find(name)) {
        if (binding->cell.empty()) return binding->value;
        auto value = elaborator.cells.find(binding->cell);
        return value ? *value : Term{};
    }
    if (auto term = word(elaborator, name, scope)) return *term;
    if (scope.frame->extension)
        if (auto term = scope.frame->extension->name(elaborator, name, span, scope)) return *term;
    if (auto constant = elaborator.definitions.find_constant(name, scope.frame->module)) return *constant;
    if (elaborator.definitions.find_function(name, scope.frame->module) || find_builtin(name)) {
        elaborator.error(Code::unknown_name, span, fmt::format("`{}` is a function, not a value", name), "",
                         fmt::format("call it: `{}(..)`", name));
        return {};
    }
    std::string repair = repair_of_value(name, known_names(elaborator.definitions, scope));
    elaborator.error(Code::unknown_name, span, fmt::format("unknown name `{}`", name), "",
                     declares(elaborator.definitions.modules[scope.frame->module].tree, name)
                         ? "this const is declared below: a const can use only those above it"
                         : std::move(repair));
    scope.bind(name, {}, span); // report it once
    return {};
}

void collect_names(const ast::Expr& expression, std::vector<std::string>& names) {
    std::visit(Collector{names}, expression.node);
}

} // namespace gradc
