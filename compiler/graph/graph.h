// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one graph IR. A node is (op, type, inputs, attributes, span), immutable and hash-consed: building the same
// node twice gives the same id, so common subexpressions never exist. Inputs have smaller ids: id order is a
// topological order. What a graph computes is what its outputs reach; passes build new graphs.
#pragma once
#include "compiler/graph/op.h"
#include "compiler/graph/type.h"
#include "dsl/source.h"
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <variant>

namespace gradc {

enum class NodeId : uint32_t { none = UINT32_MAX };
inline uint32_t index(NodeId id) { return uint32_t(id); }

// ---- attributes: one alternative per family of ops -------------------------------------------------
struct NoAttributes {
    friend bool operator==(const NoAttributes&, const NoAttributes&) = default;
};
struct Constant { // one value (everywhere the same) or count(type.shape) of them; compared by bits
    std::vector<double> values;
    friend bool operator==(const Constant& a, const Constant& b);
};
struct Input {
    enum class Source : uint8_t { field, scalar, carry, capture, iteration } source = Source::field;
    // scalar: "rows" (i64), "step" (1 in the first step, f64), "steps", "epoch" (f64), "seed" (i64), "rate" ..;
    // field "#row" (i32[N]) is the row's number in the data set; carry/capture:
    // "0", "1" .. in order; turn: the scan's t
    std::string name;
    int64_t low = 0, high = -1; // whole numbers lie in [low, high]; high < low: unknown
    friend bool operator==(const Input&, const Input&) = default;
};
struct VariableName { // path of a parameter or state, unique in the program
    std::string path;
    friend bool operator==(const VariableName&, const VariableName&) = default;
};
struct Random {
    uint64_t stream = 0; // hash of the call path: two equal calls stay two
    friend bool operator==(const Random&, const Random&) = default;
};
struct Elementwise {
    Primitive primitive = Primitive::add;
    friend bool operator==(const Elementwise&, const Elementwise&) = default;
};
struct CustomGradient {  // rule number given by whoever built the node; see DerivativeRules
    uint64_t clause = 0; // 0: stop_gradient
    friend bool operator==(const CustomGradient&, const CustomGradient&) = default;
};
struct Axes {
    std::vector<int> axes;
    friend bool operator==(const Axes&, const Axes&) = default;
};
struct Slice {
    std::vector<int64_t> start, step; // per axis; N may only be taken whole (0, 1)
    friend bool operator==(const Slice&, const Slice&) = default;
};
struct Pad {
    std::vector<int64_t> before; // per axis; what is added after follows from the shapes
    double value = 0;            // compared by bits
    friend bool operator==(const Pad& a, const Pad& b);
};
struct Window { // positions and taps are type.shape[axis], type.shape[axis + 1] (window), or of the input (fold)
    int axis = 0;
    int64_t stride = 1, dilation = 1;
    friend bool operator==(const Window&, const Window&) = default;
};
struct Gather {
    // gather(table, i): leading `batch` axes are shared by both; axis `axis` (>= batch) of the table is replaced by
    // the rest of i's axes. Shapes: table [B.., P.., S, Q..], i [B.., R..] -> [B.., P.., R.., Q..].
    // scatter(values, i) is the adjoint: values as gather's result, sum into type.shape (the table's).
    // An index outside [0, S) is a broken promise; elaboration shows that it cannot be.
    int axis = 0, batch = 0;
    friend bool operator==(const Gather&, const Gather&) = default;
};
struct Contract {
    // Labels name axes: those in both and in out: batch; in both, not in out: summed; in one: free. Every out label
    // occurs in left or right; every left or right label in out or in both.
    std::vector<int> left, right, out;
    friend bool operator==(const Contract&, const Contract&) = default;
};
struct Scan {
    // One turn is graph body: inputs carry 0.., capture 0.., turn; outputs: new carries, then yields.
    // Turn numbers are 0..turns-1, or backwards if reverse. A yield's turn axis stands first, after N if it has N,
    // and is indexed by the turn number (also when reverse). "It has N" means: its first axis is N. The scan node's
    // own type is `scan_type`: it is no value, its parts are. A body reads nothing but its carries, captures and turn
    // (i32).
    uint32_t body = 0; // index into Graph::bodies
    int64_t iterations = 0;
    int carries = 0;
    bool reverse = false;
    friend bool operator==(const Scan&, const Scan&) = default;
};
struct Part {
    int number = 0; // carries first, then yields
    friend bool operator==(const Part&, const Part&) = default;
};
struct Assign {
    std::string path;
    friend bool operator==(const Assign&, const Assign&) = default;
};

using Attributes = std::variant<NoAttributes, Constant, Input, VariableName, Random, Elementwise, CustomGradient, Axes,
                                Slice, Pad, Window, Gather, Contract, Scan, Part, Assign>;

struct Node {
    Op op;
    Type type;
    std::vector<NodeId> inputs;
    Attributes attributes;
    // For people, not part of the node's identity: the first to build it wins.
    Span span;
    Span origin;      // the user's line that it comes from, also inside the library's functions
    std::string name; // from the model: "h", "mlp.linear_1.weight"
};

struct Output {
    std::string name;
    NodeId node;
};

class Graph {
public:
    explicit Graph(std::shared_ptr<PrimitiveTable> primitives);

    /// Adds a node, or finds the equal one. Checks inputs and attributes against `type` (graph/verify).
    NodeId add(Op op, Type type, std::vector<NodeId> inputs, Attributes attributes, Span span = {});
    const Node& operator[](NodeId id) const { return nodes_[index(id)]; }
    const Type& type(NodeId id) const { return nodes_[index(id)].type; }
    size_t size() const { return nodes_.size(); }
    void name_node(NodeId id, const std::string& name); // keeps the first name
    void rename_node(NodeId id, const std::string& name) { nodes_[index(id)].name = name; }
    PrimitiveTable& primitives() const { return *primitives_; }
    std::shared_ptr<PrimitiveTable> shared_primitives() const { return primitives_; }

    uint32_t add_body(Graph body); // finds an equal one
    uint32_t add_body(std::shared_ptr<const Graph> body);
    std::shared_ptr<const Graph> shared_body(uint32_t number) const { return bodies_[number]; }
    const Graph& body(uint32_t number) const { return *bodies_[number]; }
    size_t body_count() const { return bodies_.size(); }

    std::vector<Output> outputs; // named results and assignments, in order
    Span origin;                 // of the nodes that are added from here on

private:
    std::deque<Node> nodes_; // a reference to a node stays valid while nodes are added
    std::unordered_multimap<size_t, NodeId> interned_;
    std::vector<std::shared_ptr<const Graph>> bodies_;
    std::unordered_multimap<size_t, uint32_t> interned_bodies_;
    std::shared_ptr<PrimitiveTable> primitives_;
};

/// The origin of nodes added in its scope.
class OriginScope {
public:
    OriginScope(Graph& graph, Span origin) : graph_(graph), before_(graph.origin) { graph.origin = origin; }
    ~OriginScope() { graph_.origin = before_; }
    OriginScope(const OriginScope&) = delete;
    OriginScope& operator=(const OriginScope&) = delete;

private:
    Graph& graph_;
    Span before_;
};

/// The type of a scan node, which stands for all its parts.
inline Type scan_type() { return {Dtype::boolean, {}}; }
/// Where the turn axis stands in a stacked yield of this shape: after a leading N.
inline int iteration_axis(const Shape& yield) { return !yield.empty() && yield[0] == rows ? 1 : 0; }
/// The type of part `number` of a scan: a carry as it is, a yield with the turn axis.
Type part_type(const Graph&, const Scan&, int number);

/// Same nodes, in the same order, and same outputs (names and spans aside).
bool same_graph(const Graph& a, const Graph& b);

template <class T> const T& attribute(const Node& node) { return std::get<T>(node.attributes); }

} // namespace gradc
