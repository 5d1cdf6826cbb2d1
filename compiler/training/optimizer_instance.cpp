// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Settings are placed like arguments of a call; numbers among them become flags.
#include "compiler/elaborate/library/wrong_names.h"
#include "compiler/training/optimizer.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

class InstanceReading {
public:
    InstanceReading(Elaborator& elaborator, Flags& flags) : elaborator_(elaborator), flags_(flags) {}

    InstanceRef read(const ast::Expr& expression, Scope& scope, const std::string& outer) {
        if (auto name = std::get_if<ast::Name>(&expression.node)) {
            auto binding = scope.find(name->name);
            if (binding && foreign(binding->value)) return renamed(foreign(binding->value), outer);
            return instance(name->name, {}, expression.span, expression.span, scope, outer);
        }
        if (auto call = std::get_if<ast::Call>(&expression.node); call && !call->indexed)
            return instance(call->callee, call->arguments, call->callee_span, expression.span, scope, outer);
        elaborator_.error(Code::unknown_optimizer, expression.span, "this is not an optimizer", "",
                          "adam(learning_rate: 1e-3)");
        return nullptr;
    }

    static InstanceRef foreign(const Term& term) {
        auto held = term.as<std::shared_ptr<const Foreign>>();
        return held ? std::dynamic_pointer_cast<const OptimizerInstance>(*held) : nullptr;
    }

private:
    Elaborator& elaborator_;
    Flags& flags_;
    int depth_ = 0;

    /// An optimizer passed by name is now inside another one; the paths of its states change accordingly.
    InstanceRef renamed(InstanceRef given, const std::string& outer) {
        auto result = std::make_shared<OptimizerInstance>(*given);
        result->path = outer + given->function->tree->name;
        for (auto& each : result->settings)
            if (auto inner = foreign(each.second))
                each.second = {std::shared_ptr<const Foreign>(renamed(inner, result->path + "."))};
        return result;
    }

    bool is_optimizer(const ast::Expr& expression, Scope& scope) const {
        auto name = std::get_if<ast::Name>(&expression.node);
        auto call = std::get_if<ast::Call>(&expression.node);
        if (!name && !call) return false;
        if (name)
            if (auto binding = scope.find(name->name)) return foreign(binding->value) != nullptr;
        auto function = elaborator_.definitions.find_function(name ? name->name : call->callee, scope.frame->module);
        return function && function->tree->kind == ast::FunctionKind::optimizer;
    }

    const FunctionEntry* find(const std::string& name, Span span, Scope& scope) {
        auto function = elaborator_.definitions.find_function(name, scope.frame->module);
        if (function && function->tree->kind == ast::FunctionKind::optimizer) return function;
        report_unknown_optimizer(elaborator_, name, span, scope.frame->module);
        return nullptr;
    }

    /// Places the arguments by parameter; null if the default is used. False after an error.
    bool place(const ast::Function& tree, const std::vector<ast::Argument>& given, Span span,
               std::vector<const ast::Argument*>& placed) {
        size_t next = 0;
        placed.assign(tree.parameters.size(), nullptr);
        for (const ast::Argument& each : given) {
            size_t at = next;
            if (each.name) {
                at = 0;
                while (at < placed.size() && tree.parameters[at].name != *each.name) ++at;
                if (at == placed.size()) {
                    std::vector<std::string> known;
                    for (const auto& parameter : tree.parameters) known.push_back(parameter.name);
                    report_unknown_argument(elaborator_, tree.name, *each.name, each.span, known);
                    return false;
                }
            } else ++next;
            if (at >= placed.size() || placed[at]) {
                elaborator_.error(Code::too_many_arguments, each.span,
                                  at < placed.size()
                                      ? fmt::format("`{}` of `{}` is given twice", tree.parameters[at].name, tree.name)
                                      : fmt::format("`{}` takes {} settings", tree.name, placed.size()));
                return false;
            }
            placed[at] = &each;
        }
        for (size_t i = 0; i < placed.size(); ++i) {
            if (placed[i] || tree.parameters[i].initial) continue;
            elaborator_.error(Code::missing_argument, span,
                              fmt::format("`{}` needs an argument `{}`", tree.name, tree.parameters[i].name));
            return false;
        }
        return true;
    }

    InstanceRef instance(const std::string& name, const std::vector<ast::Argument>& given, Span callee, Span span,
                         Scope& scope, const std::string& outer) {
        auto function = find(name, callee, scope);
        if (!function) return nullptr;
        if (++depth_ > 64) {
            elaborator_.error(Code::recursion, span, fmt::format("the definition of `{}` uses itself", name));
            return nullptr;
        }
        const ast::Function& tree = *function->tree;
        auto result = std::make_shared<OptimizerInstance>();
        result->function = function;
        result->path = outer + name;
        result->span = span;
        std::vector<const ast::Argument*> placed;
        if (!place(tree, given, span, placed)) return nullptr;
        Frame frame = block_frame(elaborator_.definitions, scope.frame->stream + "." + name, function->module, nullptr);
        Scope names;
        names.frame = &frame;
        bool inner_rate = false, rate_named = false;
        for (size_t i = 0; i < placed.size(); ++i) {
            const ast::Parameter& parameter = tree.parameters[i];
            const ast::Expr& value = placed[i] ? *placed[i]->value : *parameter.initial;
            Scope& where = placed[i] ? scope : names;
            Term term;
            if (is_optimizer(value, where)) {
                auto inner = read(value, where, result->path + ".");
                if (!inner) return nullptr;
                inner_rate = true;
                term = {std::shared_ptr<const Foreign>(inner)};
            } else {
                size_t made = flags_.count();
                term = elaborator_.evaluate(value, where);
                if (term.poisoned()) return nullptr;
                auto number = term.as<ConstantNumber>();
                if (number && number->kind != ConstantNumber::Kind::boolean && Flags::may_be_flag(parameter))
                    term = flags_.flag(elaborator_, parameter, name, number->value);
                bool rate = !inner_rate && !rate_named && Flags::may_be_flag(parameter);
                if (rate) flags_.name_rate(made);
                rate_named = rate_named || rate;
            }
            names.bind(parameter.name, term, value.span);
            result->settings.push_back({parameter.name, term});
        }
        --depth_;
        return tree.value ? composed(tree, names, outer) : result;
    }

    /// The optimizer that `optimizer ranger(..) = lookahead(radam(..))` stands for.
    InstanceRef composed(const ast::Function& tree, Scope& names, const std::string& outer) {
        ++depth_;
        auto result = read(*tree.value, names, outer);
        --depth_;
        return result;
    }
};

} // namespace

InstanceRef read_optimizer(Elaborator& elaborator, const ast::Expr& expression, Scope& scope, Flags& flags) {
    return InstanceReading(elaborator, flags).read(expression, scope, "");
}

} // namespace gradc
