// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The matrix J is never formed: a clause is linear in g, so J v is the derivative by g of <clause(g), v>. To compare a
// clause by itself, the arguments of its call become fields of a graph of its own.
#include "compiler/check/surrogates.h"
#include "compiler/gradient/backward.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <tuple>

namespace gradc {
namespace {

bool clause_of_text(const Node& node) {
    return node.op == Op::custom_gradient && attribute<CustomGradient>(node).clause != 0;
}

bool has_surrogate(const Graph& graph, NodeId custom_gradient, const DerivativeRules& rules) {
    for (size_t k = 1; k < graph[custom_gradient].inputs.size(); ++k)
        if (auto clause = rules.clause(graph, custom_gradient, int(k) - 1); clause && clause->surrogate) return true;
    return false;
}

bool is_zero(const Graph& graph, NodeId id) {
    if (graph[id].op == Op::broadcast) id = graph[id].inputs[0];
    if (graph[id].op != Op::constant) return false;
    const std::vector<double>& values = attribute<Constant>(graph[id]).values;
    return std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
}

bool reaches(const Graph& graph, NodeId from, NodeId sought) {
    std::vector<NodeId> all = reachable(graph, {from});
    return std::binary_search(all.begin(), all.end(), sought);
}

/// y0 + J (x - x0) for the custom_gradient's result y and arguments x; NodeId::none where a clause is not linear in
/// `g`.
NodeId linearized(Graph& graph, NodeId custom_gradient, const DerivativeRules& rules) {
    const Node node = graph[custom_gradient];
    auto held = [&](NodeId id) { return graph.add(Op::custom_gradient, graph.type(id), {id}, CustomGradient{0}); };
    NodeId result = held(node.inputs[0]);
    NodeId received = held(build::constant(graph, 1, node.type.dtype, node.type.shape));
    for (size_t k = 1; k < node.inputs.size(); ++k) {
        NodeId argument = node.inputs[k];
        if (!floating(graph.type(argument).dtype)) continue;
        NodeId share = rules.custom_gradient_derivative(graph, custom_gradient, int(k) - 1, received);
        if (share == NodeId::none || is_zero(graph, share)) continue;
        NodeId moved = build::elementwise(graph, Primitive::subtract, {argument, held(argument)});
        NodeId part = backpropagate(graph, {{share, moved}}, {received}, rules)[0];
        if (part == NodeId::none || reaches(graph, part, received)) return NodeId::none;
        result = build::elementwise(graph, Primitive::add, {result, part});
    }
    return result;
}

bool holds_any(const Graph& graph, NodeId id, const std::set<uint64_t>& bent) {
    if (clause_of_text(graph[id])) return bent.count(attribute<CustomGradient>(graph[id]).clause) > 0;
    if (graph[id].op != Op::scan) return false;
    const Graph& body = graph.body(attribute<Scan>(graph[id]).body);
    for (uint32_t i = 0; i < body.size(); ++i)
        if (holds_any(body, NodeId(i), bent)) return true;
    return false;
}

// ---- one clause on its own --------------------------------------------------------------------------------------

/// A call in a graph of its own, with its arguments as fields "argument 0", ..; equal arguments are one field.
struct Call {
    Graph graph;
    NodeId custom_gradient = NodeId::none;
    Environment environment;
    std::map<std::string, std::vector<int>> positions; // of the arguments, by field
};

NodeId field(Graph& graph, const std::string& name, const Type& type) {
    return graph.add(Op::input, type, {}, Input{Input::Source::field, name, 0, -1});
}

Call call_alone(const Graph& graph, NodeId id, const Environment& environment) {
    Call call{Graph(graph.shared_primitives()), NodeId::none, environment, {}};
    const Node& node = graph[id];
    std::vector<NodeId> arguments(node.inputs.begin() + 1, node.inputs.end());
    std::vector<Output> outputs;
    for (NodeId argument : arguments) outputs.push_back({"argument", argument});
    std::vector<Tensor> values = evaluate(extract(graph, outputs), environment);
    std::unordered_map<NodeId, NodeId> bound;
    std::map<NodeId, std::string> names;
    for (size_t i = 0; i < arguments.size(); ++i) {
        auto [name, fresh] = names.insert({arguments[i], fmt::format("argument {}", i)});
        call.positions[name->second].push_back(int(i));
        if (!fresh) continue;
        bound[arguments[i]] = field(call.graph, name->second, graph.type(arguments[i]));
        call.environment.fields[name->second] = values[i];
    }
    std::vector<NodeId> inputs = inline_graph(graph, {node.inputs[0]}, call.graph, bound);
    for (NodeId argument : arguments) inputs.push_back(bound.at(argument));
    call.custom_gradient = call.graph.add(Op::custom_gradient, node.type, inputs, node.attributes);
    return call;
}

class Comparison {
public:
    explicit Comparison(const DerivativeRules& rules) : rules_(rules) {}

    void visit(const Graph& graph, const Environment& environment) {
        std::vector<NodeId> roots;
        for (const Output& output : graph.outputs) roots.push_back(output.node);
        for (NodeId id : reachable(graph, roots)) {
            if (clause_of_text(graph[id])) compare(call_alone(graph, id, environment));
            if (graph[id].op == Op::scan) first_iteration(graph, id, environment);
        }
    }

    std::vector<ClauseDifference> found() const {
        std::vector<ClauseDifference> result;
        for (const auto& [place, difference] : found_) result.push_back(difference);
        return result;
    }

private:
    void first_iteration(const Graph& graph, NodeId id, const Environment& environment) {
        const Scan& scan = attribute<Scan>(graph[id]);
        std::vector<Output> outputs;
        for (NodeId input : graph[id].inputs) outputs.push_back({"input", input});
        std::vector<Tensor> values = evaluate(extract(graph, outputs), environment);
        const Graph& body = graph.body(scan.body);
        Environment inside = environment;
        Graph iteration = rebuild(body, [&](Graph& target, NodeId old, const std::vector<NodeId>&) {
            if (body[old].op != Op::input) return NodeId::none;
            const Input& input = attribute<Input>(body[old]);
            if (input.source == Input::Source::iteration)
                return build::constant(target, double(scan.reverse ? scan.iterations - 1 : 0), body.type(old).dtype);
            bool carried = input.source == Input::Source::carry;
            std::string name = fmt::format("{} {}", carried ? "carry" : "capture", input.name);
            inside.fields[name] = values[std::stoul(input.name) + size_t(carried ? 0 : scan.carries)];
            return field(target, name, body.type(old));
        });
        visit(iteration, inside);
    }

    /// Compares the derivative of the sum of all elements, whose numbers are easy to read. If it agrees, compares that
    /// of a weighted sum too: a softmax sums to 1 whatever its derivative is.
    void compare(const Call& call) {
        constexpr double telling = 1e-4;
        if (compare_weighed(call, false) < telling) compare_weighed(call, true);
    }

    double compare_weighed(Call call, bool drawn) {
        Graph& graph = call.graph;
        const Type type = graph.type(call.custom_gradient);
        if (!floating(type.dtype)) return 0;
        NodeId value = graph[call.custom_gradient].inputs[0];
        NodeId weight = field(graph, "g", type);
        Tensor weights = evaluate(extract(graph, {{"value", value}}), call.environment)[0];
        Drawing draw{1};
        for (double& each : weights.values) each = drawn ? draw.normal() : 1;
        call.environment.fields["g"] = std::move(weights);
        std::vector<int> axes(type.shape.size());
        std::iota(axes.begin(), axes.end(), 0);
        NodeId total = build::sum(graph, build::elementwise(graph, Primitive::multiply, {value, weight}), axes);
        Graph formula = extract(graph, {{"value", total}});
        HeldValues held;
        call.environment.held = &held;
        evaluate(formula, call.environment);
        double worst = 0;
        for (const auto& [path, positions] : call.positions)
            if (floating(graph.type(graph[call.custom_gradient].inputs[size_t(positions[0]) + 1]).dtype))
                worst = std::max(worst, compare_argument(call, formula, path, positions, weight));
        return worst;
    }

    double compare_argument(Call& call, const Graph& formula, const std::string& path,
                            const std::vector<int>& positions, NodeId weight) {
        auto clause = rules_.clause(call.graph, call.custom_gradient, positions[0]);
        if (!clause) return 0;
        const Tensor& argument = call.environment.fields.at(path);
        Tensor declared{argument.shape, std::vector<double>(argument.values.size())};
        Environment plain = call.environment;
        plain.held = nullptr;
        for (int position : positions) {
            NodeId share = rules_.custom_gradient_derivative(call.graph, call.custom_gradient, position, weight);
            if (share == NodeId::none) continue;
            Tensor part = evaluate(extract(call.graph, {{"share", share}}), plain)[0];
            for (size_t i = 0; i < part.values.size(); ++i) declared.values[i] += part.values[i];
        }
        DifferenceResult result = compare_with_differences(formula, call.environment, path, declared, {});
        auto place = std::tuple(clause->span.source, clause->span.begin, clause->parameter);
        auto [entry, fresh] = found_.insert({place, {*clause}});
        if (fresh || entry->second.error < result.error)
            entry->second = {*clause, result.error, result.declared, result.difference};
        return result.error;
    }

    const DerivativeRules& rules_;
    std::map<std::tuple<uint32_t, uint32_t, std::string>, ClauseDifference> found_;
};

} // namespace

Followed follow_surrogates(const Graph& graph, const DerivativeRules& rules) {
    Followed result{Graph(graph.shared_primitives())};
    result.graph = rewrite_everywhere(graph, [&](const Graph& part) {
        return rebuild(part, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
            if (!clause_of_text(part[old]) || !has_surrogate(part, old, rules)) return NodeId::none;
            result.any = true;
            NodeId custom_gradient = copy_node(part, old, inputs, target);
            NodeId followed = linearized(target, custom_gradient, rules);
            if (followed != NodeId::none) return followed;
            result.bent.insert(attribute<CustomGradient>(part[old]).clause);
            return target.add(Op::custom_gradient, part.type(old), {inputs[0]}, CustomGradient{0});
        });
    });
    return result;
}

bool passes_through(const Graph& graph, const std::string& path, const std::set<uint64_t>& bent) {
    if (bent.empty()) return false;
    std::vector<NodeId> variables;
    for (uint32_t i = 0; i < graph.size(); ++i)
        if (graph[NodeId(i)].op == Op::variable && attribute<VariableName>(graph[NodeId(i)]).path == path)
            variables.push_back(NodeId(i));
    std::vector<bool> moved = depends_on(graph, variables);
    for (uint32_t i = 0; i < graph.size(); ++i)
        if (moved[i] && holds_any(graph, NodeId(i), bent)) return true;
    return false;
}

std::vector<ClauseDifference> compare_clauses(const Graph& graph, const Environment& environment,
                                              const DerivativeRules& rules) {
    Comparison comparison(rules);
    comparison.visit(graph, environment);
    return comparison.found();
}

} // namespace gradc
