// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A node as a formula in the language's notation. Named values appear by name; others are written out to a small depth.
#include "compiler/graph/formula.h"
#include "compiler/graph/print.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

constexpr int deepest = 4;
enum Rank : int { lowest, comparison, additive, multiplicative, prefix, atom };

struct Text {
    std::string text;
    int rank;
};

class Writer {
public:
    /// `names`: of values that are stored, by node; "" for others.
    explicit Writer(const Graph& graph, const std::vector<std::string>* names = nullptr)
        : graph_(graph), names_(names) {}

    Text node(NodeId id, int depth) const {
        const Node& node = graph_[id];
        switch (node.op) {
        case Op::constant: {
            const auto& values = attribute<Constant>(node).values;
            return {values.size() == 1 ? fmt::format("{}", values[0]) : "table" + print(node.type.shape),
                    values[0] < 0 ? prefix : atom};
        }
        case Op::input:
            return {attribute<Input>(node).source == Input::Source::iteration ? "iteration"
                                                                              : attribute<Input>(node).name,
                    atom};
        case Op::variable: return {attribute<VariableName>(node).path, atom};
        case Op::elementwise: return elementwise(node, depth);
        case Op::custom_gradient: return value(node.inputs[0], depth);
        case Op::broadcast: return value(node.inputs[0], depth);
        case Op::contract: return contract(node, depth);
        case Op::assign: return {attribute<Assign>(node).path + " <- " + value(node.inputs[0], depth).text, lowest};
        default: return call(details(node), node, depth);
        }
    }

private:
    /// A named value is its name; any other is written out.
    Text value(NodeId id, int depth) const {
        for (;; id = graph_[id].inputs[0]) { // broadcasts are not written
            const Node& node = graph_[id];
            if (!node.name.empty() && depth > 0) return {node.name, atom};
            if (names_ && !(*names_)[index(id)].empty()) return {(*names_)[index(id)], atom};
            if (depth >= (names_ ? 2 : 1) * deepest && kind(node.op) != Kind::leaf)
                return {names_ ? ".." : fmt::format("%{}", index(id)), atom};
            if (node.op != Op::broadcast) return this->node(id, depth + 1);
        }
    }

    std::string within(NodeId id, int depth, int rank) const {
        Text inner = value(id, depth + 1);
        return inner.rank < rank ? "(" + inner.text + ")" : inner.text;
    }

    Text call(std::string word, const Node& node, int depth) const {
        std::string text = std::move(word) + "(";
        for (size_t i = 0; i < node.inputs.size(); ++i) text += (i ? ", " : "") + value(node.inputs[i], depth + 1).text;
        return {text + ")", atom};
    }

    std::string details(const Node& node) const {
        std::string word(name(node.op));
        if (const auto* axes = std::get_if<Axes>(&node.attributes))
            return fmt::format("{}[{}]", word, fmt::join(axes->axes, ", "));
        if (const auto* part = std::get_if<Part>(&node.attributes)) return fmt::format("{}[{}]", word, part->number);
        if (node.op == Op::cast) return name(node.type.dtype);
        return word;
    }

    Text binary(const Node& node, int depth, const char* sign, int rank, int right) const {
        return {
            fmt::format("{} {} {}", within(node.inputs[0], depth, rank), sign, within(node.inputs[1], depth, right)),
            rank};
    }

    Text elementwise(const Node& node, int depth) const {
        Primitive primitive = attribute<Elementwise>(node).primitive;
        switch (primitive) {
        case Primitive::add: return binary(node, depth, "+", additive, additive);
        case Primitive::subtract: return binary(node, depth, "-", additive, multiplicative);
        case Primitive::multiply: return binary(node, depth, "*", multiplicative, multiplicative);
        case Primitive::divide: return binary(node, depth, "/", multiplicative, prefix);
        case Primitive::quotient: return binary(node, depth, "//", multiplicative, prefix);
        case Primitive::remainder: return binary(node, depth, "%", multiplicative, prefix);
        case Primitive::less: return binary(node, depth, "<", comparison, additive);
        case Primitive::less_equal: return binary(node, depth, "<=", comparison, additive);
        case Primitive::equal: return binary(node, depth, "==", comparison, additive);
        case Primitive::negate: return {"-" + within(node.inputs[0], depth, prefix), prefix};
        case Primitive::select: return call("where", node, depth);
        case Primitive::maximum: return call("max", node, depth);
        case Primitive::minimum: return call("min", node, depth);
        case Primitive::abs: return call("abs", node, depth);
        case Primitive::sqrt: return call("sqrt", node, depth);
        default: return call(std::string(graph_.primitives().name(primitive)), node, depth);
        }
    }

    /// sum[k](left[i, k] * right[k, j])
    Text contract(const Node& node, int depth) const {
        const auto& [left, right, out] = attribute<Contract>(node);
        auto letters = [](const std::vector<int>& labels) {
            std::string text;
            for (int label : labels)
                text += (text.empty() ? "" : ", ") +
                        (label >= 0 && label < 18 ? std::string(1, char('i' + label)) : fmt::format("a{}", label));
            return text;
        };
        std::vector<int> summed;
        for (int label : left)
            if (std::find(out.begin(), out.end(), label) == out.end()) summed.push_back(label);
        std::string product = fmt::format("{}[{}] * {}[{}]", within(node.inputs[0], depth, atom), letters(left),
                                          within(node.inputs[1], depth, atom), letters(right));
        if (summed.empty()) return {product, multiplicative};
        return {fmt::format("sum[{}]({})", letters(summed), product), atom};
    }

    const Graph& graph_;
    const std::vector<std::string>* names_;
};

} // namespace

std::string formula(const Graph& graph, NodeId id) { return Writer(graph).node(id, 0).text; }

std::string formula(const Graph& graph, NodeId id, const std::vector<std::string>& names) {
    return Writer(graph, &names).node(id, 0).text;
}

} // namespace gradc
