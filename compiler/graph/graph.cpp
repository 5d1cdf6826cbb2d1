// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Hash-consing: a node is found by a hash of (op, type, inputs, attributes) and compared in full,
// so equal nodes get one id. Numbers are hashed and compared by their bits: 0 and -0 differ, NaN
// equals itself.
#include "compiler/graph/graph.h"
#include "compiler/graph/verify.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <cstring>

namespace gradc {

namespace {

struct Hash {
    uint64_t state = 0x9e3779b97f4a7c15;
    void mix(uint64_t value) {
        state = (state ^ value) * 0xff51afd7ed558ccd;
        state ^= state >> 32;
    }
    void mix(int64_t value) { mix(uint64_t(value)); }
    void mix(int value) { mix(uint64_t(int64_t(value))); }
    void mix(uint32_t value) { mix(uint64_t(value)); }
    void mix(bool value) { mix(uint64_t(value)); }
    void mix(NodeId id) { mix(uint64_t(index(id))); }
    void mix(double value) {
        uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        mix(bits);
    }
    void mix(const std::string& text) { mix(uint64_t(std::hash<std::string>{}(text))); }
    template <class T> void mix(const std::vector<T>& values) {
        mix(uint64_t(values.size()));
        for (const T& value : values) mix(value);
    }
    void mix(const NoAttributes&) {}
    void mix(const Constant& a) { mix(a.values); }
    void mix(const Input& a) { mix(uint64_t(a.source)), mix(a.name), mix(a.low), mix(a.high); }
    void mix(const VariableName& a) { mix(a.path); }
    void mix(const Random& a) { mix(a.stream); }
    void mix(const Elementwise& a) { mix(uint64_t(a.primitive)); }
    void mix(const CustomGradient& a) { mix(a.clause); }
    void mix(const Axes& a) { mix(a.axes); }
    void mix(const Slice& a) { mix(a.start), mix(a.step); }
    void mix(const Pad& a) { mix(a.before), mix(a.value); }
    void mix(const Window& a) { mix(a.axis), mix(a.stride), mix(a.dilation); }
    void mix(const Gather& a) { mix(a.axis), mix(a.batch); }
    void mix(const Contract& a) { mix(a.left), mix(a.right), mix(a.out); }
    void mix(const Scan& a) { mix(a.body), mix(a.iterations), mix(a.carries), mix(a.reverse); }
    void mix(const Part& a) { mix(a.number); }
    void mix(const Assign& a) { mix(a.path); }
};

size_t hash(Op op, const Type& type, const std::vector<NodeId>& inputs, const Attributes& attributes) {
    Hash result;
    result.mix(uint64_t(op));
    result.mix(uint64_t(type.dtype));
    result.mix(type.shape);
    result.mix(inputs);
    std::visit([&](const auto& a) { result.mix(a); }, attributes);
    return result.state;
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// A constant whose elements are all equal is stored as one number, so that equal constants are equal nodes.
void shorten(Constant& constant) {
    auto& values = constant.values;
    if (values.size() < 2) return;
    for (double value : values)
        if (!same_bits(value, values[0])) return;
    values.resize(1);
}

} // namespace

bool operator==(const Constant& a, const Constant& b) {
    return a.values.size() == b.values.size() &&
           (a.values.empty() || std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(double)) == 0);
}

bool operator==(const Pad& a, const Pad& b) { return a.before == b.before && same_bits(a.value, b.value); }

Graph::Graph(std::shared_ptr<PrimitiveTable> primitives) : primitives_(std::move(primitives)) {}

NodeId Graph::add(Op op, Type type, std::vector<NodeId> inputs, Attributes attributes, Span span) {
    if (auto* constant = std::get_if<Constant>(&attributes)) shorten(*constant);
    size_t key = hash(op, type, inputs, attributes);
    auto [begin, end] = interned_.equal_range(key);
    for (auto each = begin; each != end; ++each) {
        const Node& node = nodes_[index(each->second)];
        if (node.op == op && node.type == type && node.inputs == inputs && node.attributes == attributes)
            return each->second;
    }
    std::string error = verify_node(*this, op, type, inputs, attributes);
    if (!error.empty()) throw InternalError("graph", error);
    check(nodes_.size() < UINT32_MAX, "graph", "too many nodes");
    NodeId id{uint32_t(nodes_.size())};
    nodes_.push_back({op, std::move(type), std::move(inputs), std::move(attributes), span, origin, {}});
    interned_.emplace(key, id);
    return id;
}

void Graph::name_node(NodeId id, const std::string& name) {
    std::string& own = nodes_[index(id)].name;
    if (own.empty()) own = name;
}

uint32_t Graph::add_body(Graph body) { return add_body(std::make_shared<const Graph>(std::move(body))); }

uint32_t Graph::add_body(std::shared_ptr<const Graph> body) {
    Hash key;
    key.mix(uint64_t(body->size()));
    for (uint32_t i = 0; i < body->size(); ++i) {
        const Node& node = (*body)[NodeId(i)];
        key.mix(uint64_t(hash(node.op, node.type, node.inputs, node.attributes)));
    }
    for (const Output& output : body->outputs) key.mix(output.node);
    auto [begin, end] = interned_bodies_.equal_range(key.state);
    for (auto each = begin; each != end; ++each)
        if (same_graph(*bodies_[each->second], *body)) return each->second;
    bodies_.push_back(std::move(body));
    interned_bodies_.emplace(key.state, uint32_t(bodies_.size() - 1));
    return uint32_t(bodies_.size() - 1);
}

Type part_type(const Graph& graph, const Scan& scan, int number) {
    const Graph& body = graph.body(scan.body);
    Type type = body.type(body.outputs[size_t(number)].node);
    if (number >= scan.carries) type.shape.insert(type.shape.begin() + iteration_axis(type.shape), scan.iterations);
    return type;
}

bool same_graph(const Graph& a, const Graph& b) {
    if (&a == &b) return true;
    if (a.size() != b.size() || a.outputs.size() != b.outputs.size() || a.body_count() != b.body_count()) return false;
    for (size_t i = 0; i < a.outputs.size(); ++i)
        if (a.outputs[i].node != b.outputs[i].node) return false;
    for (uint32_t i = 0; i < a.size(); ++i) {
        const Node &x = a[NodeId(i)], &y = b[NodeId(i)];
        if (x.op != y.op || x.type != y.type || x.inputs != y.inputs || x.attributes != y.attributes) return false;
    }
    for (uint32_t i = 0; i < a.body_count(); ++i)
        if (!same_graph(a.body(i), b.body(i))) return false;
    return true;
}

} // namespace gradc
