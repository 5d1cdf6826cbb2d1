// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The level of a node is the number of successive reductions over N before its value is known. A value with N at level
// k is computed in pass k; its reduction is known after that pass and has level k + 1. The scalar "rows" is itself such
// a reduction. Values without N after a reduction are kept in f64 and narrowed where rows use them.
#include "compiler/dataset/whole_split.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <set>

namespace gradc {

namespace {

bool row_scalar(const Node& node) {
    auto* input = std::get_if<Input>(&node.attributes);
    return input && input->source == Input::Source::scalar && input->name == "rows";
}

/// Levels and obstacles of the nodes that the formulas reach.
struct Levels {
    const Graph& graph;
    std::vector<int> level;
    std::vector<bool> reduces;
    std::vector<std::string> obstacle; // why a value cannot be split; inherited by its users
    std::vector<NodeId> culprit;

    explicit Levels(const Graph& graph, const std::vector<NodeId>& reached)
        : graph(graph), level(graph.size(), 0), reduces(graph.size(), false), obstacle(graph.size()),
          culprit(graph.size(), NodeId::none) {
        for (NodeId id : reached) visit(id);
    }

    void visit(NodeId id) {
        const Node& node = graph[id];
        size_t i = index(id);
        bool from_rows = false;
        for (NodeId input : node.inputs) {
            level[i] = std::max(level[i], level[index(input)]);
            from_rows = from_rows || graph.type(input).has_rows();
            if (obstacle[i].empty()) obstacle[i] = obstacle[index(input)], culprit[i] = culprit[index(input)];
        }
        reduces[i] = row_scalar(node) || (from_rows && !node.type.has_rows() && node.op != Op::scan);
        if (reduces[i]) ++level[i];
        if (!obstacle[i].empty()) return;
        obstacle[i] = obstacle_of(node, reduces[i]);
        if (!obstacle[i].empty()) culprit[i] = id;
    }

    std::string obstacle_of(const Node& node, bool reduction) const {
        if (node.op == Op::scan && joins_rows(graph.body(attribute<Scan>(node).body)))
            return "rows are combined inside a scan";
        if (auto own = pairing(graph, node); !own.empty()) return own;
        bool known = node.op == Op::sum || node.op == Op::max_of || node.op == Op::contract || node.op == Op::scatter ||
                     node.op == Op::input;
        return reduction && !known ? "rows are combined by " + std::string(name(node.op)) : "";
    }

    /// The reason why a value with rows cannot be computed row by row, or "".
    static std::string pairing(const Graph& graph, const Node& node) {
        const Shape& shape = node.type.shape;
        if (std::count(shape.begin(), shape.end(), rows) > 1) return "rows are paired with rows";
        if (node.op == Op::iota && shape[size_t(attribute<Axes>(node).axes[0])] == rows)
            return "it depends on the position of a row in its batch, which only data define";
        if (node.op == Op::gather) {
            size_t axis = size_t(attribute<Gather>(node).axis);
            if (graph.type(node.inputs[0]).shape[axis] == rows) return "it looks up other rows";
        }
        return {};
    }

    static bool joins_rows(const Graph& body) {
        for (uint32_t i = 0; i < body.size(); ++i) {
            const Node& node = body[NodeId(i)];
            bool from_rows = std::any_of(node.inputs.begin(), node.inputs.end(),
                                         [&](NodeId input) { return body.type(input).has_rows(); });
            bool nested = node.op == Op::scan && joins_rows(body.body(attribute<Scan>(node).body));
            bool reduces = from_rows && !node.type.has_rows() && node.op != Op::scan;
            if (nested || reduces || !pairing(body, node).empty()) return true;
        }
        return false;
    }
};

/// Builds passes and finish for the formulas that can be split.
class Splitter {
public:
    Splitter(const Graph& graph, const Levels& levels, const WholeSplitRequest& request, SplitFormulas& result)
        : graph_(graph), levels_(levels), request_(request), result_(result) {}

    void run(const std::vector<Output>& means, const std::vector<Output>& formulas) {
        std::vector<NodeId> roots;
        for (const Output& output : formulas) roots.push_back(output.node);
        formula_nodes_ = reachable(graph_, roots);
        int passes = means.empty() ? 0 : 1;
        for (const Output& output : formulas) passes = std::max(passes, levels_.level[index(output.node)]);
        for (NodeId id : formula_nodes_)
            if (levels_.reduces[index(id)]) name_accumulator(id);
        for (int k = 0; k < passes; ++k) add_pass(k, k == 0 ? means : std::vector<Output>{});
        add_finish(means, formulas);
    }

private:
    const Graph& graph_;
    const Levels& levels_;
    const WholeSplitRequest& request_;
    SplitFormulas& result_;
    std::vector<NodeId> formula_nodes_;
    std::unordered_map<NodeId, std::string> paths_; // of reductions
    std::set<std::string> declared_;

    /// Copies of nodes in one pass or in finish: as they are, and widened to f64.
    struct Copies {
        Graph target;
        std::vector<NodeId> plain, wide;
    };

    void name_accumulator(NodeId id) {
        const Node& node = graph_[id];
        if (row_scalar(node)) paths_[id] = rows_path(0);
        else paths_[id] = request_.prefix + "." + std::string(name(node.op)) + "_" + std::to_string(paths_.size() + 1);
    }

    std::string rows_path(int pass) const {
        return request_.prefix + (pass == 0 ? ".rows" : ".rows_" + std::to_string(pass + 1));
    }

    NodeId accumulator(Graph& target, const std::string& path, const Shape& shape) {
        Type type{Dtype::f64, shape};
        if (declared_.insert(path).second)
            result_.accumulators.push_back({path, path, Variable::Role::accumulator, type, {}, request_.block});
        return build::variable(target, path, type);
    }

    static Dtype widened(Dtype dtype) { return floating(dtype) ? Dtype::f64 : dtype; }

    bool finished(NodeId id, int pass) const {
        int level = levels_.level[index(id)];
        return level >= 1 && level <= pass && !graph_.type(id).has_rows();
    }

    /// All values that are known in pass `pass`; finish is the pass after the last.
    Copies copies(int pass) {
        Copies c{Graph(graph_.shared_primitives()), std::vector<NodeId>(graph_.size(), NodeId::none), {}};
        c.wide = c.plain;
        for (NodeId id : formula_nodes_) {
            if (levels_.level[index(id)] > pass && !levels_.reduces[index(id)]) continue;
            if (finished(id, pass)) {
                NodeId wide = wide_copy(c, id);
                c.wide[index(id)] = wide;
                c.plain[index(id)] =
                    wide == NodeId::none ? plain_copy(c, id) : build::cast(c.target, wide, graph_.type(id).dtype);
            } else if (levels_.level[index(id)] <= pass ||
                       (levels_.reduces[index(id)] && levels_.level[index(id)] == pass + 1))
                c.plain[index(id)] = plain_copy(c, id);
        }
        return c;
    }

    NodeId plain_copy(Copies& c, NodeId id) {
        std::vector<NodeId> inputs;
        for (NodeId input : graph_[id].inputs) inputs.push_back(c.plain[index(input)]);
        return copy_node(graph_, id, std::move(inputs), c.target);
    }

    /// A finished value in f64; none for loops, whose bodies keep their precision.
    NodeId wide_copy(Copies& c, NodeId id) {
        const Node& node = graph_[id];
        if (levels_.reduces[index(id)]) {
            NodeId sum = accumulator(c.target, paths_.at(id), node.type.shape);
            return build::cast(c.target, sum, widened(node.type.dtype));
        }
        if (node.op == Op::scan || node.op == Op::part) return NodeId::none;
        std::vector<NodeId> inputs;
        for (NodeId input : node.inputs) inputs.push_back(wide_input(c, input));
        Type type{widened(node.type.dtype), node.type.shape};
        if (node.op == Op::custom_gradient) return inputs[0];
        if (node.op == Op::cast) return build::cast(c.target, inputs[0], type.dtype);
        return c.target.add(node.op, type, std::move(inputs), node.attributes, node.span);
    }

    NodeId wide_input(Copies& c, NodeId id) {
        if (c.wide[index(id)] != NodeId::none) return c.wide[index(id)];
        const Node& node = graph_[id];
        Dtype dtype = widened(node.type.dtype);
        if (node.op == Op::constant)
            return c.target.add(Op::constant, {dtype, node.type.shape}, {}, node.attributes, node.span);
        return build::cast(c.target, c.plain[index(id)], dtype);
    }

    bool takes_maximum(int pass) const {
        return std::any_of(formula_nodes_.begin(), formula_nodes_.end(), [&](NodeId id) {
            return levels_.reduces[index(id)] && levels_.level[index(id)] == pass + 1 && graph_[id].op == Op::max_of;
        });
    }

    static void accumulate(Graph& target, const std::string& path, NodeId sum) {
        target.outputs.push_back({path, build::assign(target, path, sum)});
    }

    void add_pass(int pass, const std::vector<Output>& means) {
        Copies c = copies(pass);
        Graph& target = c.target;
        NodeId batch_rows = build::cast(target, build::scalar_input(target, "rows", Dtype::i64), Dtype::f64);
        NodeId seen = NodeId::none;
        if (pass == 0 || takes_maximum(pass)) {
            seen = accumulator(target, rows_path(pass), {});
            accumulate(target, rows_path(pass), build::elementwise(target, Primitive::add, {seen, batch_rows}));
        }
        add_means(target, means, batch_rows);
        for (NodeId id : formula_nodes_) {
            if (!levels_.reduces[index(id)] || levels_.level[index(id)] != pass + 1) continue;
            if (row_scalar(graph_[id])) continue;
            NodeId part = build::cast(target, c.plain[index(id)], Dtype::f64);
            NodeId before = accumulator(target, paths_.at(id), graph_.type(id).shape);
            accumulate(target, paths_.at(id), joined(target, graph_[id].op, before, part, seen));
        }
        result_.split.passes.push_back(extract(target, target.outputs));
    }

    void add_means(Graph& target, const std::vector<Output>& means, NodeId batch_rows) {
        std::vector<NodeId> roots;
        for (const Output& mean : means) roots.push_back(mean.node);
        auto copied = inline_graph(graph_, roots, target, {});
        for (size_t i = 0; i < means.size(); ++i) {
            std::string path = request_.prefix + "." + means[i].name;
            NodeId wide = build::cast(target, copied[i], Dtype::f64);
            NodeId weighed = build::elementwise(target, Primitive::multiply, {wide, batch_rows});
            NodeId before = accumulator(target, path, {});
            accumulate(target, path, build::elementwise(target, Primitive::add, {before, weighed}));
        }
    }

    /// Sums start at zero; a maximum is replaced by that of the first batch, while no rows have been seen.
    static NodeId joined(Graph& target, Op op, NodeId before, NodeId part, NodeId seen) {
        if (op != Op::max_of) return build::elementwise(target, Primitive::add, {before, part});
        NodeId first = build::elementwise(target, Primitive::equal, {seen, build::constant(target, 0, Dtype::f64)});
        first = build::broadcast_to(target, first, target.type(part).shape);
        NodeId larger = build::elementwise(target, Primitive::maximum, {before, part});
        return build::elementwise(target, Primitive::select, {first, part, larger});
    }

    void add_finish(const std::vector<Output>& means, const std::vector<Output>& formulas) {
        Copies c = copies(1 << 30);
        Graph& target = c.target;
        for (const Output& mean : means) {
            NodeId sum = accumulator(target, request_.prefix + "." + mean.name, {});
            NodeId seen = accumulator(target, rows_path(0), {});
            target.outputs.push_back({mean.name, build::elementwise(target, Primitive::divide, {sum, seen})});
        }
        for (const Output& formula : formulas)
            target.outputs.push_back({formula.name, build::cast(target, wide_input(c, formula.node), Dtype::f64)});
        result_.split.finish = extract(target, target.outputs);
    }
};

} // namespace

SplitFormulas split_formulas(const Graph& graph, const WholeSplitRequest& request) {
    std::vector<NodeId> roots;
    for (const Output& formula : request.formulas) roots.push_back(formula.node);
    Levels levels(graph, reachable(graph, roots));
    Graph empty(graph.shared_primitives());
    SplitFormulas result{{{}, empty}, {}, {}};
    std::vector<Output> kept;
    for (const Output& formula : request.formulas) {
        size_t i = index(formula.node);
        if (!levels.obstacle[i].empty())
            result.problems.push_back({formula.name, levels.culprit[i], levels.obstacle[i]});
        else if (graph.type(formula.node).has_rows())
            result.problems.push_back({formula.name, formula.node, "it has a value for each row"});
        else if (!request.single_pass || levels.level[i] <= 1) kept.push_back(formula);
    }
    Splitter(graph, levels, request, result).run(request.batch_means, kept);
    return result;
}

} // namespace gradc
