// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both sides of a rule are elaborated over scalars, without custom gradients, so that a rule can use library functions.
#include "compiler/elaborate/library/rules.h"
#include "compiler/elaborate/elaborator.h"
#include "compiler/elaborate/library/library.h"
#include "compiler/elaborate/types.h"
#include "compiler/elaborate/values.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

class RuleElaboration {
public:
    RuleElaboration(std::shared_ptr<Definitions> definitions, const ast::Rule& rule, uint32_t module, Span span)
        : definitions_(std::move(definitions)), rule_(rule), module_(module),
          result_{"", rule.exact, span, Graph(definitions_->primitives), NodeId::none, NodeId::none, {}, {}} {}

    std::optional<PatternRule> run() {
        ElaborationMode mode;
        mode.training = false;
        mode.custom_gradients = false;
        Elaborator elaborator(*definitions_, result_.graph, mode);
        FloatingDefault in_f32(elaborator, Dtype::f32);
        Frame frame = block_frame(elaborator.definitions, "rule", module_, nullptr);
        Scope scope;
        scope.frame = &frame;
        bind_wildcards(elaborator, scope);
        result_.text = fmt::format("{} -> {}", definitions_->sources->text(rule_.left->span),
                                   definitions_->sources->text(rule_.right->span));
        size_t errors = definitions_->diagnostics->count();
        result_.left = side(elaborator, *rule_.left, scope, {});
        if (result_.left == NodeId::none) return {};
        result_.right = side(elaborator, *rule_.right, scope, result_.graph.type(result_.left).dtype);
        if (result_.right == NodeId::none) return {}; // the error may have been reported before
        if (definitions_->diagnostics->count() > errors || !sensible(elaborator)) return {};
        add_condition();
        result_.sources = std::shared_ptr<Sources* const>(definitions_, &definitions_->sources);
        return std::move(result_);
    }

private:
    void bind_wildcards(Elaborator& elaborator, Scope& scope);
    /// A side that is a literal takes the dtype of the other.
    NodeId side(Elaborator& elaborator, const ast::Expr& expression, Scope& scope, std::optional<Dtype> other) {
        Term value = elaborator.evaluate(expression, scope);
        return to_node(elaborator, value, expression.span, constant(value) ? other : std::nullopt);
    }
    bool sensible(Elaborator& elaborator);
    void add_condition();

    std::shared_ptr<Definitions> definitions_;
    const ast::Rule& rule_;
    uint32_t module_;
    PatternRule result_;
};

void RuleElaboration::bind_wildcards(Elaborator& elaborator, Scope& scope) {
    std::vector<std::string> names, in_condition;
    collect_names(*rule_.left, names);
    if (rule_.condition) collect_names(*rule_.condition, in_condition);
    for (const std::string& name : names) {
        bool word = name == "inf" || name == "nan" || name == "pi" || name == "true" || name == "false";
        if (word || scope.find(name)) continue;
        NodeId node = result_.graph.add(Op::input, {Dtype::f32, {}}, {}, Input{Input::Source::field, name, 0, -1},
                                        rule_.left->span);
        bool constant = std::find(in_condition.begin(), in_condition.end(), name) != in_condition.end();
        result_.wildcards.push_back({name, node, constant});
        scope.bind(name, elaborator.term(node), rule_.left->span);
    }
}

bool RuleElaboration::sensible(Elaborator& elaborator) {
    const Node& left = result_.graph[result_.left];
    if (kind(left.op) != Kind::elementwise) {
        elaborator.error(Code::bad_rule, rule_.left->span, "the left side of a rule must compute something");
        return false;
    }
    if (left.type != result_.graph.type(result_.right)) {
        elaborator.error(Code::bad_rule, rule_.right->span,
                         fmt::format("the right side is {}, but the left side is {}",
                                     print(result_.graph.type(result_.right)), print(left.type)));
        return false;
    }
    auto read = reachable(result_.graph, {result_.left});
    for (const Wildcard& each : result_.wildcards)
        if (std::find(read.begin(), read.end(), each.node) == read.end()) {
            elaborator.error(Code::bad_rule, rule_.left->span,
                             fmt::format("the left side does not contain `{}`", each.name));
            return false;
        }
    return true;
}

void RuleElaboration::add_condition() {
    if (!rule_.condition) return;
    std::vector<std::string> names;
    for (const Wildcard& each : result_.wildcards)
        if (each.constant) names.push_back(each.name);
    result_.condition = [definitions = definitions_, condition = rule_.condition, module = module_,
                         names](const std::vector<double>& values) {
        Graph scratch(definitions->primitives);
        Elaborator elaborator(*definitions, scratch, {});
        Frame frame = block_frame(elaborator.definitions, "rule", module, nullptr);
        Scope scope;
        scope.frame = &frame;
        for (size_t i = 0; i < names.size(); ++i) {
            bool integral = values[i] == std::floor(values[i]) && std::abs(values[i]) < 9e15;
            scope.bind(names[i], integral ? integer_number(int64_t(values[i])) : real(values[i]));
        }
        Term holds = elaborator.evaluate(*condition, scope);
        auto number = holds.as<ConstantNumber>();
        return number && number->value != 0;
    };
}

} // namespace

std::vector<PatternRule> pattern_rules(std::shared_ptr<Definitions> definitions) {
    std::vector<PatternRule> result;
    const Library* library = definitions->options.library.get();
    if (library) result = library->rules;
    for (uint32_t number = 0; number < definitions->modules.size(); ++number) {
        if (library && definitions->modules[number].standard) continue;
        for (const ast::Item& item : definitions->modules[number].tree.items)
            if (auto rule = std::get_if<ast::Rule>(&item.node))
                if (auto pattern = RuleElaboration(definitions, *rule, number, item.span).run())
                    result.push_back(std::move(*pattern));
    }
    return result;
}

} // namespace gradc
