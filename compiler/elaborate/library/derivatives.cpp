// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A clause is elaborated in the graph that is differentiated. The arguments and `g`, the gradient of the result, are
// bound; the value is summed to the shape of the argument.
#include "compiler/elaborate/promotion.h"
#include "compiler/elaborate/values.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

/// From its parameter's name to its end.
Span clause_span(const ast::Derivative& clause) {
    return {clause.span.source, clause.span.begin, clause.value->span.end};
}

class Clauses : public DerivativeRules {
public:
    explicit Clauses(Definitions& definitions) : definitions_(definitions) {
        for (const Module& module : definitions.modules)
            for (const auto& [name, entry] : module.functions)
                if (entry.primitive) primitives_[*entry.primitive] = &entry;
    }

    NodeId elementwise_derivative(Graph& graph, NodeId id, int position, NodeId gradient) const override {
        const Node node = graph[id];
        auto found = primitives_.find(attribute<Elementwise>(node).primitive);
        if (found == primitives_.end()) return NodeId::none;
        const FunctionEntry& entry = *found->second;
        auto clause = clause_for(entry, entry.tree->parameters[size_t(position)].name);
        if (!clause) return NodeId::none;
        Setting setting(definitions_, graph, entry, graph.type(gradient).dtype);
        for (size_t i = 0; i < node.inputs.size(); ++i)
            setting.scope.bind(entry.tree->parameters[i].name, setting.elaborator.term(node.inputs[i]));
        setting.scope.bind("g", setting.elaborator.term(gradient));
        return setting.value(*clause, {node.inputs[size_t(position)], false, 0, {}});
    }

    NodeId custom_gradient_derivative(Graph& graph, NodeId id, int position, NodeId gradient) const override {
        const Node node = graph[id];
        const CustomGradientCall& call = definitions_.custom_gradient_calls[attribute<CustomGradient>(node).clause];
        if (!call.function) return NodeId::none; // stop_gradient
        Setting setting(definitions_, graph, *call.function, graph.type(gradient).dtype);
        NodeTerm argument;
        const ast::Derivative* clause = nullptr;
        for (const auto& [name, term] : call.arguments) {
            Term value = term;
            if (auto place = term.as<NodeTerm>()) {
                NodeId input = node.inputs[index(place->node)];
                setting.know_labels(place->labels, graph.type(input).shape);
                value = setting.elaborator.term(input, place->labels, place->weak);
                if (int(index(place->node)) == position + 1) {
                    argument = *value.as<NodeTerm>();
                    clause = clause_for(*call.function, name);
                }
            }
            setting.scope.bind(name, value);
        }
        if (!clause) return NodeId::none;
        for (const auto& [name, size] : call.sizes) setting.scope.bind(name, size);
        setting.know_labels(call.labels, node.type.shape);
        setting.scope.bind("g", setting.elaborator.term(gradient, call.labels));
        return setting.value(*clause, argument);
    }

    std::optional<Clause> clause(const Graph& graph, NodeId id, int position) const override {
        const CustomGradientCall& call =
            definitions_.custom_gradient_calls[attribute<CustomGradient>(graph[id]).clause];
        if (!call.function) return {};
        const ast::Function& tree = *call.function->tree;
        for (const auto& [name, term] : call.arguments) {
            auto place = term.as<NodeTerm>();
            if (!place || int(index(place->node)) != position + 1) continue;
            const ast::Derivative* found = clause_for(*call.function, name);
            if (found) return Clause{tree.name, name, clause_span(*found), true, found->surrogate};
            return Clause{tree.name, name, tree.name_span};
        }
        return {};
    }

private:
    /// An elaboration into an existing graph.
    struct Setting {
        Elaborator elaborator;
        Frame frame;
        Scope scope;
        FloatingDefault floating;

        Setting(Definitions& definitions, Graph& graph, const FunctionEntry& function, Dtype dtype)
            : elaborator(definitions, graph, {}),
              frame(block_frame(elaborator.definitions, "derivative", function.module, nullptr)),
              floating(elaborator, dtype) {
            frame.function = &function;
            scope.frame = &frame;
        }
        void know_labels(const std::vector<int>& labels, const Shape& shape) {
            for (size_t i = 0; i < labels.size(); ++i) elaborator.labels.adopt(labels[i], shape[i]);
        }
        NodeId value(const ast::Derivative& clause, const NodeTerm& argument);
    };

    static const ast::Derivative* clause_for(const FunctionEntry& function, const std::string& parameter) {
        for (const ast::Derivative& each : function.tree->derivatives)
            if (each.parameter == parameter) return &each;
        return nullptr;
    }

    Definitions& definitions_;
    std::map<Primitive, const FunctionEntry*> primitives_;
};

/// Marks a clause while its value is elaborated. A clause that is needed again meanwhile, by `grad` of its own
/// function, is an error, and so are clauses that nest too deep.
struct UnderWay {
    UnderWay(Elaborator& elaborator, const ast::Derivative& clause) : all(elaborator.definitions.clauses_under_way) {
        constexpr size_t most = 64; // each takes space on the C++ stack
        bool again = std::find(all.begin(), all.end(), &clause) != all.end();
        if (again)
            elaborator.error(Code::bad_derivative, clause.value->span,
                             fmt::format("the derivative by `{}` depends on itself", clause.parameter),
                             "`grad` asks for this derivative again",
                             "write it as a formula of the arguments and `g`, or drop the clause: then the function's "
                             "own formula is differentiated");
        else if (all.size() >= most)
            elaborator.error(Code::call_depth, clause.value->span, "derivative clauses nest too deep here");
        stopped = again || all.size() >= most;
        all.push_back(&clause);
    }
    ~UnderWay() { all.pop_back(); }
    UnderWay(const UnderWay&) = delete;

    std::vector<const ast::Derivative*>& all;
    bool stopped = false;
};

NodeId Clauses::Setting::value(const ast::Derivative& clause, const NodeTerm& argument) {
    Graph& graph = elaborator.graph();
    const Type wanted = graph.type(argument.node);
    if (!gradc::floating(wanted.dtype)) return NodeId::none;
    UnderWay under_way(elaborator, clause);
    if (under_way.stopped) return NodeId::none;
    auto found = to_operand(elaborator, elaborator.evaluate(*clause.value, scope), clause.value->span);
    if (!found) return NodeId::none;
    NodeTerm converted = in_dtype(elaborator, *found, wanted.dtype, clause.span);
    auto common = common_shape(elaborator, {converted, argument});
    if (!common) {
        elaborator.error(Code::bad_derivative, clause.value->span,
                         fmt::format("this derivative is {}, but `{}` is {}", describe(elaborator, {converted}),
                                     clause.parameter, print(wanted.shape)));
        return NodeId::none;
    }
    NodeId node = spread(elaborator, converted, *common, clause.span);
    std::vector<int> foreign;
    for (size_t i = 0; i < common->labels.size(); ++i)
        if (std::find(argument.labels.begin(), argument.labels.end(), common->labels[i]) == argument.labels.end())
            foreign.push_back(int(i));
    node = build::sum(graph, node, foreign, clause.span);
    // Labels now come first on both sides, in the same order; the other axes align from the right.
    size_t labels = argument.labels.size();
    Shape shape = graph.type(node).shape;
    std::vector<int> axes;
    size_t added = shape.size() - wanted.shape.size();
    for (size_t i = labels; i < shape.size(); ++i) {
        bool extra = i < labels + added;
        if (extra || (wanted.shape[i - added] == 1 && shape[i] != 1)) axes.push_back(int(i));
    }
    return build::reshape(graph, build::sum(graph, node, axes, clause.span), wanted.shape, clause.span);
}

/// Clauses that own their definitions.
class OwningClauses : public DerivativeRules {
public:
    explicit OwningClauses(std::shared_ptr<Definitions> definitions)
        : definitions_(std::move(definitions)), clauses_(derivative_rules(*definitions_)) {}
    NodeId elementwise_derivative(Graph& graph, NodeId node, int position, NodeId gradient) const override {
        return clauses_.elementwise_derivative(graph, node, position, gradient);
    }
    NodeId custom_gradient_derivative(Graph& graph, NodeId node, int position, NodeId gradient) const override {
        return clauses_.custom_gradient_derivative(graph, node, position, gradient);
    }
    std::optional<Clause> clause(const Graph& graph, NodeId node, int position) const override {
        return clauses_.clause(graph, node, position);
    }

private:
    std::shared_ptr<Definitions> definitions_;
    const DerivativeRules& clauses_;
};

} // namespace

const DerivativeRules& derivative_rules(Definitions& definitions) {
    if (!definitions.clauses) definitions.clauses = std::make_unique<Clauses>(definitions);
    return *definitions.clauses;
}

void check_clauses(Elaborator& elaborator, const std::vector<NodeId>& inputs, uint64_t custom_gradient) {
    Definitions& definitions = elaborator.definitions;
    if (definitions.checks_clause) return; // a clause may call functions that have clauses
    definitions.checks_clause = true;
    Graph scratch(definitions.primitives);
    std::vector<NodeId> own;
    for (size_t i = 0; i < inputs.size(); ++i) {
        Type type = elaborator.graph().type(inputs[i]);
        Input input{Input::Source::field, fmt::format("argument {}", i), 0, -1};
        if (integer(type.dtype)) {
            Range range = elaborator.levels.range(inputs[i]);
            input.low = range.low, input.high = range.high;
        }
        own.push_back(scratch.add(Op::input, type, {}, input));
    }
    Type type = scratch.type(own[0]);
    NodeId node = scratch.add(Op::custom_gradient, type, own, CustomGradient{custom_gradient});
    if (floating(type.dtype)) {
        Input received{Input::Source::field, "g", 0, -1};
        NodeId gradient = scratch.add(Op::input, type, {}, received);
        const DerivativeRules& rules = derivative_rules(definitions);
        for (size_t i = 1; i < own.size(); ++i) rules.custom_gradient_derivative(scratch, node, int(i) - 1, gradient);
    }
    definitions.checks_clause = false;
}

std::shared_ptr<const DerivativeRules> derivative_rules(std::shared_ptr<Definitions> definitions) {
    return std::make_shared<OwningClauses>(std::move(definitions));
}

} // namespace gradc
