// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one graph IR. A node is (op, type, inputs, attributes), immutable and hash-consed: building an equal node twice
// gives the same id, so common subexpressions never exist. Inputs have smaller ids, so the order of ids is a
// topological order. A graph computes the nodes that its outputs reach; passes build new graphs.
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

/// A node of one graph, by its place. `none` stands for an absent node.
enum class NodeId : uint32_t { none = UINT32_MAX };
/// The number in side tables, which are vectors by node.
inline uint32_t index(NodeId id) { return uint32_t(id); }

// ---- attributes: one alternative for each family of ops; axes are numbered from 0 ------------------
struct NoAttributes {
    friend bool operator==(const NoAttributes&, const NoAttributes&) = default;
};
/// Of Op::constant. Integers are exact up to 2^53.
struct Constant {
    std::vector<double> values; // one for all elements, or one for each in C order; compared by bits
    friend bool operator==(const Constant& a, const Constant& b);
};
/// A value from outside of the graph, by source and name:
/// - field: a column of the batch, shape [N, ..]; "#row" (i32[N]) is each row's number in the data set
/// - scalar: "rows" (i64), "step" (f64, 1 in the first), "steps", "epoch" (f64), "seed" (i64), "rate" ..
/// - carry, capture, iteration: arguments of a scan's body; "0", "1" .. in order, and the iteration's number (i32)
struct Input {
    enum class Source : uint8_t { field, scalar, carry, capture, iteration } source = Source::field;
    std::string name;
    int64_t low = 0, high = -1; // of an integer dtype: the values lie in [low, high]; high < low: unknown
    friend bool operator==(const Input&, const Input&) = default;
};
/// Of Op::variable.
struct VariableName {
    std::string path; // of a parameter or state, "mlp.linear_1.weight"; unique in the program
    friend bool operator==(const VariableName&, const VariableName&) = default;
};
/// Of Op::random.
struct Random {
    uint64_t stream = 0; // hash of the path of the call, so that two equal calls draw different numbers
    friend bool operator==(const Random&, const Random&) = default;
};
/// Of Op::elementwise.
struct Elementwise {
    Primitive primitive = Primitive::add;
    friend bool operator==(const Elementwise&, const Elementwise&) = default;
};
/// Of Op::custom_gradient.
struct CustomGradient {
    uint64_t clause = 0; // number of the clause in DerivativeRules (gradient/gradient.h); 0: stop_gradient
    friend bool operator==(const CustomGradient&, const CustomGradient&) = default;
};
/// Of iota, sum, max_of, permute and broadcast.
struct Axes {
    std::vector<int> axes; // see op.h for their meaning
    friend bool operator==(const Axes&, const Axes&) = default;
};
/// Of Op::slice: element i along an axis is element start + i*step of the input.
struct Slice {
    std::vector<int64_t> start, step; // of each axis, in elements; an axis N has start 0 and step 1
    friend bool operator==(const Slice&, const Slice&) = default;
};
/// Of Op::pad.
struct Pad {
    std::vector<int64_t> before; // elements added before, on each axis; the number after follows from the shapes
    double value = 0;            // of the added elements; compared by bits
    friend bool operator==(const Pad& a, const Pad& b);
};
/// Positions and taps are the sizes of axes `axis` and `axis` + 1: of the result (window) or of the input (fold).
struct Window {
    int axis = 0;
    int64_t stride = 1, dilation = 1; // elements from position to position, from tap to tap
    friend bool operator==(const Window&, const Window&) = default;
};
/// gather(table, i): the first `batch` axes of table and i are the same; axis `axis` (>= batch) of the table is
/// replaced by the other axes of i. Shapes: table [B.., P.., S, Q..], i [B.., R..] -> [B.., P.., R.., Q..].
/// scatter(values, i) is the adjoint: values have the shape of gather's result and are added into the table's shape. An
/// index outside of [0, S) is undefined behaviour: the elaborator has proved that there is none.
struct Gather {
    int axis = 0, batch = 0;
    friend bool operator==(const Gather&, const Gather&) = default;
};
/// Labels name the axes of left, right and the result. In both operands and in `out`: a batch axis; in both and not in
/// `out`: summed; in one operand: free. A label of `out` is in left or right; a label of one operand alone is in `out`.
struct Contract {
    std::vector<int> left, right, out;
    friend bool operator==(const Contract&, const Contract&) = default;
};
/// A loop at run time. Each iteration evaluates the body, a graph of its own: it reads its carries, captures and
/// iteration number, and nothing else; its outputs are the new carries, then the yields. A yield is stacked along an
/// iteration axis: the first, or the second if the yield's first axis is N (`iteration_axis`). The place along it is
/// the iteration's number, also in reverse. The scan node is no value and has the type `scan_type`; its parts are
/// values.
struct Scan {
    uint32_t body = 0; // see Graph::body
    int64_t iterations = 0;
    int carries = 0;      // the first inputs of the node and the first outputs of the body
    bool reverse = false; // iteration numbers run from iterations - 1 to 0, not from 0 up
    friend bool operator==(const Scan&, const Scan&) = default;
};
/// Of Op::part.
struct Part {
    int number = 0; // of the body's output: carries first, then yields
    friend bool operator==(const Part&, const Part&) = default;
};
/// Of Op::assign.
struct Assign {
    std::string path; // of the variable
    friend bool operator==(const Assign&, const Assign&) = default;
};

using Attributes = std::variant<NoAttributes, Constant, Input, VariableName, Random, Elementwise, CustomGradient, Axes,
                                Slice, Pad, Window, Gather, Contract, Scan, Part, Assign>;

/// One operation with its result. Nodes are never changed after `Graph::add`, except for their names.
struct Node {
    Op op;
    Type type;
    std::vector<NodeId> inputs;
    Attributes attributes;
    // For diagnostics and printed text, not part of the node's identity: the first to build the node sets them.
    Span span;        // the expression, which may lie in the library
    Span origin;      // the expression in the user's file from which the library was called
    std::string name; // from the model: "h", "mlp.linear_1.weight"; may be empty
};

/// A result that the graph computes; an assignment is an output too.
struct Output {
    std::string name; // "loss"; may be empty in a loop body
    NodeId node;
};

/// Nodes, loop bodies and outputs. Copies are independent, except that they share bodies and the table of primitives.
class Graph {
public:
    explicit Graph(std::shared_ptr<PrimitiveTable> primitives);

    /// Adds a node, or finds the equal one. Throws InternalError where `verify_node` finds a violation. A constant
    /// whose values have equal bits is stored as one value.
    NodeId add(Op op, Type type, std::vector<NodeId> inputs, Attributes attributes, Span span = {});
    /// Valid as long as the graph, also while nodes are added.
    const Node& operator[](NodeId id) const { return nodes_[index(id)]; }
    const Type& type(NodeId id) const { return nodes_[index(id)].type; }
    /// Number of nodes, dead ones included; ids are 0 .. size() - 1.
    size_t size() const { return nodes_.size(); }
    /// Names a node that has no name yet.
    void name_node(NodeId id, const std::string& name);
    /// Names a node anew.
    void rename_node(NodeId id, const std::string& name) { nodes_[index(id)].name = name; }
    /// The table of primitives, which all graphs of a compilation own together.
    PrimitiveTable& primitives() const { return *primitives_; }
    std::shared_ptr<PrimitiveTable> shared_primitives() const { return primitives_; }

    /// Adds a loop body, or finds an equal one; its number is for Scan::body.
    uint32_t add_body(Graph body);
    uint32_t add_body(std::shared_ptr<const Graph> body);
    /// A loop body by its number; bodies are never changed.
    std::shared_ptr<const Graph> shared_body(uint32_t number) const { return bodies_[number]; }
    const Graph& body(uint32_t number) const { return *bodies_[number]; }
    size_t body_count() const { return bodies_.size(); }

    std::vector<Output> outputs; // named results and assignments, in order
    Span origin;                 // given to the nodes that are added from here on

private:
    std::deque<Node> nodes_; // a deque: references to nodes stay valid while nodes are added
    std::unordered_multimap<size_t, NodeId> interned_;
    std::vector<std::shared_ptr<const Graph>> bodies_;
    std::unordered_multimap<size_t, uint32_t> interned_bodies_;
    std::shared_ptr<PrimitiveTable> primitives_;
};

/// Sets Graph::origin as long as it lives. The graph must outlive it.
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

/// The type of a scan node. It has no value, so the type carries no meaning.
inline Type scan_type() { return {Dtype::boolean, {}}; }
/// The iteration axis of a stacked yield; `yield` is its shape in one iteration.
inline int iteration_axis(const Shape& yield) { return !yield.empty() && yield[0] == rows ? 1 : 0; }
/// The type of part `number` of a scan: a carry's own, or a yield's with the iteration axis.
Type part_type(const Graph&, const Scan&, int number);

/// Same nodes in the same order, same bodies and same outputs. Names and spans do not count.
bool same_graph(const Graph& a, const Graph& b);

/// The attributes of a node whose op has attributes T; else it throws.
template <class T> const T& attribute(const Node& node) { return std::get<T>(node.attributes); }

} // namespace gradc
