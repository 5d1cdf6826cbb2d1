// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The identities of algebra.grad and of the user's file, as patterns over elementwise ops. Each node is matched with
// the rules of its primitive when it is rebuilt; the pass repeats until nothing changes. A wildcard matches any value.
// Nodes are hash-consed, so the same wildcard twice means the same id twice. Rewrites are counted: a rule that matches
// its own result is the user's error.
#include "compiler/graph/build.h"
#include "compiler/graph/pattern.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/passes.h"
#include "dsl/diagnostic.h"
#include <fmt/format.h>
#include <map>

namespace gradc {
namespace {

constexpr int most_rounds = 12; // cycles of rules stop here
constexpr int most_at_a_node = 8;
constexpr int64_t rewrites_for_a_node = 16, rewrites_at_least = 1000; // of a whole pass

using Bindings = std::map<NodeId, NodeId>; // pattern node of a wildcard -> node of the graph

bool commutes(Primitive primitive) {
    switch (primitive) {
    case Primitive::add:
    case Primitive::multiply:
    case Primitive::maximum:
    case Primitive::minimum:
    case Primitive::equal:
    case Primitive::logical_and:
    case Primitive::logical_or: return true;
    default: return false;
    }
}

bool one_valued(const Node& node) { return node.op == Op::constant && attribute<Constant>(node).values.size() == 1; }

struct Matcher {
    const PatternRule& rule;
    const Graph& graph;

    const Wildcard* wildcard(NodeId pattern) const {
        for (const Wildcard& each : rule.wildcards)
            if (each.node == pattern) return &each;
        return nullptr;
    }

    bool bind(const Wildcard& wildcard, NodeId id, Bindings& bindings) const {
        if (wildcard.constant && !one_valued(graph[id])) return false;
        auto [place, fresh] = bindings.emplace(wildcard.node, id);
        return fresh || place->second == id;
    }

    bool match_inputs(const Node& pattern, const Node& node, bool swapped, Bindings& bindings) const {
        const size_t count = pattern.inputs.size();
        for (size_t i = 0; i < count; ++i)
            if (!match(pattern.inputs[i], node.inputs[swapped ? count - 1 - i : i], bindings)) return false;
        return true;
    }

    bool match(NodeId pattern_id, NodeId id, Bindings& bindings) const {
        if (const Wildcard* each = wildcard(pattern_id)) return bind(*each, id, bindings);
        const Node &pattern = rule.graph[pattern_id], &node = graph[id];
        if (pattern.op == Op::constant)
            return one_valued(node) && attribute<Constant>(node) == attribute<Constant>(pattern);
        if (pattern.op != node.op || pattern.op != Op::elementwise || pattern.attributes != node.attributes)
            return false;
        Bindings attempt = bindings;
        if (match_inputs(pattern, node, false, attempt) ||
            (commutes(attribute<Elementwise>(pattern).primitive) &&
             (attempt = bindings, match_inputs(pattern, node, true, attempt)))) {
            bindings = std::move(attempt);
            return true;
        }
        return false;
    }

    bool condition_holds(const Bindings& bindings) const {
        if (!rule.condition) return true;
        std::vector<double> values;
        for (const Wildcard& each : rule.wildcards)
            if (each.constant) values.push_back(attribute<Constant>(graph[bindings.at(each.node)]).values[0]);
        return rule.condition(values);
    }
};

/// The dtype that f32 in a pattern stands for: that of the matched values.
Dtype dtype_of(const Graph& graph, const Bindings& bindings, Dtype otherwise) {
    for (const auto& [pattern, id] : bindings)
        if (floating(graph.type(id).dtype)) return graph.type(id).dtype;
    return otherwise;
}

/// Numbers of the pattern get the shape of the matched value, so that later matches see them as constants.
NodeId instantiate(const PatternRule& rule, NodeId pattern_id, Graph& target, const Bindings& bindings,
                   const Type& type, Span span) {
    if (auto bound = bindings.find(pattern_id); bound != bindings.end()) return bound->second;
    const Node& pattern = rule.graph[pattern_id];
    Dtype own = pattern.type.dtype == Dtype::f32 ? type.dtype : pattern.type.dtype;
    if (pattern.op == Op::constant)
        return build::constant(target, attribute<Constant>(pattern).values[0], own, type.shape);
    std::vector<NodeId> inputs;
    for (NodeId input : pattern.inputs) inputs.push_back(instantiate(rule, input, target, bindings, type, span));
    if (pattern.op == Op::cast) return build::cast(target, inputs[0], own, span);
    return build::elementwise(target, attribute<Elementwise>(pattern).primitive, inputs, span);
}

bool buildable(const PatternRule& rule, NodeId id) { // the right side contains only ops that instantiate builds
    const Node& node = rule.graph[id];
    if (node.op == Op::input || node.op == Op::constant) return true;
    if (node.op != Op::elementwise && node.op != Op::cast) return false;
    for (NodeId input : node.inputs)
        if (!buildable(rule, input)) return false;
    return true;
}

NodeId apply(const PatternRule& rule, Graph& target, NodeId id) {
    Matcher matcher{rule, target};
    Bindings bindings;
    if (!matcher.match(rule.left, id, bindings) || !matcher.condition_holds(bindings)) return NodeId::none;
    const Type type = target.type(id);
    const Span span = target[id].span;
    const Type inner{dtype_of(target, bindings, type.dtype), type.shape};
    NodeId result = instantiate(rule, rule.right, target, bindings, inner, span);
    if (target.type(result).dtype != type.dtype) return NodeId::none;
    result = build::broadcast_to(target, result, type.shape, span);
    return result == id ? NodeId::none : result;
}

/// The number of rewrites that the pass has left, and which rules used the others.
struct Budget {
    int64_t all, left;
    std::map<const PatternRule*, int64_t> taken = {};

    explicit Budget(const Graph& graph)
        : all(rewrites_at_least + rewrites_for_a_node * int64_t(graph.size())), left(all) {}

    void take(const PatternRule& rule) {
        ++taken[&rule];
        if (--left >= 0) return;
        const PatternRule* most = &rule;
        for (const auto& [each, count] : taken)
            if (count > taken.at(most)) most = each;
        Diagnostic diagnostic{
            Code::bad_rule,
            most->span,
            fmt::format("the rewrites do not end: of the first {}, {} are by this rule", all + 1, taken.at(most)),
            "",
            "a rule's right side must not hold what its left side, or another rule's, matches again",
            {},
            {}};
        auto sources = most->sources ? std::shared_ptr<const Sources>(most->sources, *most->sources)
                                     : std::make_shared<const Sources>();
        throw UserError(std::move(diagnostic), std::move(sources));
    }
};

using RuleIndex = std::map<Primitive, std::vector<const PatternRule*>>;

NodeId rewrite(const RuleIndex& index, const PassContext& context, Budget& budget, Graph& target, NodeId id) {
    for (int i = 0; i < most_at_a_node && target[id].op == Op::elementwise; ++i) {
        auto rules = index.find(attribute<Elementwise>(target[id]).primitive);
        if (rules == index.end()) return id;
        NodeId next = NodeId::none;
        for (const PatternRule* rule : rules->second) {
            if ((next = apply(*rule, target, id)) == NodeId::none) continue;
            budget.take(*rule);
            if (context.applied) context.applied(*rule, target, id, next);
            break;
        }
        if (next == NodeId::none) return id;
        id = next;
    }
    return id;
}

} // namespace

Graph apply_identities(const Graph& graph, const PassContext& context) {
    RuleIndex index;
    if (context.rules)
        for (const PatternRule& rule : *context.rules)
            if (rule.graph[rule.left].op == Op::elementwise && buildable(rule, rule.right))
                index[attribute<Elementwise>(rule.graph[rule.left]).primitive].push_back(&rule);
    Graph result = graph;
    Budget budget(graph);
    bool changed = !index.empty();
    for (int round = 0; round < most_rounds && changed; ++round) {
        changed = false;
        result = rebuild(result, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
            if (result[old].op != Op::elementwise) return NodeId::none;
            NodeId copy = copy_node(result, old, inputs, target);
            NodeId better = rewrite(index, context, budget, target, copy);
            changed = changed || better != copy;
            return better;
        });
    }
    return result;
}

} // namespace gradc
