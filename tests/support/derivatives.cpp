// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One case for each primitive.
#include "tests/support/derivatives.h"
#include "compiler/graph/build.h"
#include <cmath>

namespace gradc {

namespace {

/// Short names for formulas over one node's inputs.
struct Formula {
    Graph& graph;
    const Node& node;
    NodeId g;

    NodeId x(size_t i) const { return node.inputs[i]; }
    NodeId number(double value) const { return build::constant(graph, value, graph.type(g).dtype); }
    NodeId of(Primitive p, std::vector<NodeId> inputs) const { return build::elementwise(graph, p, std::move(inputs)); }
    NodeId named(const char* name, std::vector<NodeId> inputs) const {
        return of(*graph.primitives().find(name), std::move(inputs));
    }
    NodeId add(NodeId a, NodeId b) const { return of(Primitive::add, {a, b}); }
    NodeId multiply(NodeId a, NodeId b) const { return of(Primitive::multiply, {a, b}); }
    NodeId divide(NodeId a, NodeId b) const { return of(Primitive::divide, {a, b}); }
    NodeId negate(NodeId a) const { return of(Primitive::negate, {a}); }
    NodeId less(NodeId a, NodeId b) const { return of(Primitive::less, {a, b}); }
    NodeId where(NodeId c, NodeId a, NodeId b) const { return of(Primitive::select, {c, a, b}); }
    NodeId zero() const { return number(0); }
    NodeId self() const { return of(attribute<Elementwise>(node).primitive, node.inputs); }
};

NodeId own_derivative(const Formula& f, Primitive primitive, int position) {
    NodeId g = f.g;
    bool first = position == 0;
    switch (primitive) {
    case Primitive::add: return g;
    case Primitive::subtract: return first ? g : f.negate(g);
    case Primitive::multiply: return f.multiply(g, f.x(first ? 1 : 0));
    case Primitive::divide: return first ? f.divide(g, f.x(1)) : f.negate(f.divide(f.multiply(g, f.self()), f.x(1)));
    case Primitive::negate: return f.negate(g);
    case Primitive::maximum:
    case Primitive::minimum: {
        bool largest = primitive == Primitive::maximum;
        NodeId wins = largest ? f.less(f.x(1), f.x(0)) : f.less(f.x(0), f.x(1));
        return first ? f.where(wins, g, f.zero()) : f.where(wins, f.zero(), g);
    }
    case Primitive::abs:
        return f.where(f.less(f.x(0), f.zero()), f.negate(g), f.where(f.less(f.zero(), f.x(0)), g, f.zero()));
    case Primitive::sqrt: return f.divide(g, f.multiply(f.number(2), f.self()));
    case Primitive::select:
        if (first) return NodeId::none;
        return position == 1 ? f.where(f.x(0), g, f.zero()) : f.where(f.x(0), f.zero(), g);
    case Primitive::fused_multiply_add: return position == 2 ? g : f.multiply(g, f.x(first ? 1 : 0));
    case Primitive::remainder: {
        NodeId floored = f.of(Primitive::floor, {f.divide(f.x(0), f.x(1))});
        return first ? g : f.negate(f.multiply(g, floored));
    }
    default: return NodeId::none;
    }
}

} // namespace

std::shared_ptr<PrimitiveTable> tested_primitives() {
    auto table = std::make_shared<PrimitiveTable>();
    for (const char* name : {"exp", "log", "sin", "cos", "tanh", "erf"}) table->declare(name, 1);
    table->declare("pow", 2);
    return table;
}

NodeId TestedRules::elementwise_derivative(Graph& graph, NodeId id, int position, NodeId g) const {
    Formula f{graph, graph[id], g};
    Primitive primitive = attribute<Elementwise>(graph[id]).primitive;
    if (primitive < Primitive::first_declared) return own_derivative(f, primitive, position);
    std::string name(graph.primitives().name(primitive));
    if (name == "exp") return f.multiply(g, f.self());
    if (name == "log") return f.divide(g, f.x(0));
    if (name == "sin") return f.multiply(g, f.named("cos", {f.x(0)}));
    if (name == "cos") return f.negate(f.multiply(g, f.named("sin", {f.x(0)})));
    if (name == "tanh") return f.multiply(g, f.add(f.number(1), f.negate(f.multiply(f.self(), f.self()))));
    if (name == "erf") {
        NodeId bell = f.named("exp", {f.negate(f.multiply(f.x(0), f.x(0)))});
        return f.multiply(g, f.multiply(f.number(2 / std::sqrt(M_PI)), bell));
    }
    if (position == 0) {
        NodeId below = f.add(f.x(1), f.number(-1));
        return f.multiply(g, f.multiply(f.x(1), f.named("pow", {f.x(0), below})));
    }
    return f.multiply(g, f.multiply(f.self(), f.named("log", {f.x(0)})));
}

NodeId TestedRules::custom_gradient_derivative(Graph& graph, NodeId id, int, NodeId g) const {
    uint64_t clause = attribute<CustomGradient>(graph[id]).clause;
    if (clause == 0) return NodeId::none;
    Formula f{graph, graph[id], g};
    return f.multiply(g, f.number(double(clause)));
}

} // namespace gradc
