// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One recursive writer by precedence. Contractions of matrices and vectors become products, with transposes if needed;
// others are written with indices. Broadcasts are not shown, as on paper.
#include "compiler/explain/notation.h"
#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace gradc {
namespace {

constexpr int deepest = 200,
              most_phrases = 20'000; // of one formula: no one reads a longer one, ".." stands for the rest

enum Binding : int { loosest, comparing, adding, multiplying, negative, matrices, tight };

struct Phrase {
    std::string text;
    int binding = tight;
};

bool contains(const std::vector<int>& labels, int label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
}

class TextbookWriter {
public:
    TextbookWriter(const Graph& graph, const Symbols& symbols) : graph_(graph), symbols_(symbols) {}

    Phrase written(NodeId id) const {
        const Node& node = graph_[id];
        switch (node.op) {
        case Op::constant: return constant(node);
        case Op::input: return input(node);
        case Op::variable: return {symbol(attribute<VariableName>(node).path)};
        case Op::iota: return {fmt::format("index({})", size(node.type.shape[size_t(axis(node))]))};
        case Op::random: return {"random"};
        case Op::elementwise: return elementwise(node);
        case Op::cast:
        case Op::custom_gradient:
        case Op::broadcast:
        case Op::reshape: return value(node.inputs[0]);
        case Op::sum: return {reduction("sum", node)};
        case Op::max_of: return {reduction("max", node)};
        case Op::permute: return permute(node);
        case Op::slice: return slice(node);
        case Op::pad: return {"pad(" + value(node.inputs[0]).text + ")"};
        case Op::window:
        case Op::fold: return {std::string(name(node.op)) + "(" + value(node.inputs[0]).text + ")"};
        case Op::gather: return {within(node.inputs[0], tight) + "[" + value(node.inputs[1]).text + "]"};
        case Op::scatter: return {"scatter(" + value(node.inputs[0]).text + ", " + value(node.inputs[1]).text + ")"};
        case Op::contract: return contract(node);
        case Op::scan: return {loop(node)};
        case Op::part: return {loop(graph_[node.inputs[0]]) + fmt::format("[{}]", attribute<Part>(node).number)};
        case Op::assign: return value(node.inputs[0]);
        }
        return {};
    }

    Phrase value(NodeId id) const {
        const Node& node = graph_[id];
        if (depth_ >= deepest || phrases_ >= most_phrases) return {".."};
        Level level(*this);
        if (node.op == Op::variable) return written(id);
        if (!node.name.empty()) return {node.name, node.name.find('/') == std::string::npos ? tight : matrices};
        return written(id);
    }

private:
    struct Level { // of the formula: one deeper while it lives
        explicit Level(const TextbookWriter& writer) : writer(writer) { ++writer.depth_, ++writer.phrases_; }
        ~Level() { --writer.depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
        const TextbookWriter& writer;
    };

    std::string symbol(const std::string& path) const {
        auto found = symbols_.find(path);
        return found == symbols_.end() ? path : found->second;
    }

    static std::string size(int64_t size) { return size == rows ? "N" : std::to_string(size); }
    static int axis(const Node& node) { return attribute<Axes>(node).axes[0]; }

    static Phrase constant(const Node& node) {
        const auto& values = attribute<Constant>(node).values;
        if (values.size() > 1) return {"table"};
        return {fmt::format("{:.10g}", values[0] == 0 ? 0 : values[0]), values[0] < 0 ? negative : tight};
    }

    static Phrase input(const Node& node) {
        const Input& input = attribute<Input>(node);
        if (input.source == Input::Source::iteration) return {"t"};
        return {input.source == Input::Source::scalar && input.name == "rows" ? "N" : input.name};
    }

    std::string within(NodeId id, int least) const {
        Phrase inner = value(id);
        return inner.binding < least ? "(" + inner.text + ")" : inner.text;
    }

    Phrase binary(const Node& node, const char* sign, int binding, int right) const {
        return {within(node.inputs[0], binding) + sign + within(node.inputs[1], right), binding};
    }

    Phrase call(const std::string& word, const Node& node) const {
        std::string text = word + "(";
        for (size_t i = 0; i < node.inputs.size(); ++i) text += (i ? ", " : "") + value(node.inputs[i]).text;
        return {text + ")"};
    }

    /// The value of a node that is one constant everywhere; nothing for other nodes.
    std::optional<double> number(NodeId id) const {
        while (graph_[id].op == Op::broadcast) id = graph_[id].inputs[0];
        if (graph_[id].op != Op::constant) return {};
        const auto& values = attribute<Constant>(graph_[id]).values;
        return values.size() == 1 ? std::optional(values[0]) : std::nullopt;
    }

    /// If one side is 0, the other one times the condition or its complement.
    Phrase choice(const Node& node) const {
        for (size_t side : {1u, 2u})
            if (number(node.inputs[3 - side]) == 0.0) {
                std::string mask = side == 1 ? condition(node.inputs[0]) : "1 - " + condition(node.inputs[0]);
                if (side == 2) mask = "(" + mask + ")";
                return {within(node.inputs[side], multiplying) + " * " + mask, multiplying};
            }
        return call("where", node);
    }

    std::string condition(NodeId id) const {
        Phrase inner = value(id);
        return graph_[id].name.empty() || graph_[id].op == Op::input ? "[" + inner.text + "]" : inner.text;
    }

    Phrase less(const Node& node, bool equal) const { // 0 < z reads better as z > 0
        bool turned = number(node.inputs[0]).has_value();
        const char* sign = turned ? (equal ? " >= " : " > ") : (equal ? " <= " : " < ");
        return {within(node.inputs[turned], adding) + sign + within(node.inputs[!turned], adding), comparing};
    }

    Phrase elementwise(const Node& node) const {
        Primitive primitive = attribute<Elementwise>(node).primitive;
        switch (primitive) {
        case Primitive::add:
            if (node.inputs[0] == node.inputs[1]) return {"2 * " + within(node.inputs[0], multiplying), multiplying};
            return binary(node, " + ", adding, adding);
        case Primitive::subtract: return binary(node, " - ", adding, multiplying);
        case Primitive::multiply:
            if (node.inputs[0] == node.inputs[1]) return {within(node.inputs[0], tight) + "^2", matrices};
            return binary(node, " * ", multiplying, multiplying);
        case Primitive::divide: return binary(node, " / ", multiplying, negative);
        case Primitive::less: return less(node, false);
        case Primitive::less_equal: return less(node, true);
        case Primitive::equal: return binary(node, " == ", comparing, adding);
        case Primitive::negate: return {"-" + within(node.inputs[0], negative), negative};
        case Primitive::select: return choice(node);
        case Primitive::maximum: return call("max", node);
        case Primitive::minimum: return call("min", node);
        case Primitive::abs: return call("abs", node);
        case Primitive::sqrt: return call("sqrt", node);
        default: return call(std::string(graph_.primitives().name(primitive)), node);
        }
    }

    std::string reduction(const char* word, const Node& node) const {
        std::string sizes;
        for (int axis : attribute<Axes>(node).axes)
            sizes += (sizes.empty() ? "" : ", ") + size(graph_.type(node.inputs[0]).shape[size_t(axis)]);
        return fmt::format("{}[{}]({})", word, sizes, value(node.inputs[0]).text);
    }

    Phrase permute(const Node& node) const {
        if (node.type.rank() == 2) return {within(node.inputs[0], tight) + "'", matrices};
        return {fmt::format("turned({})", value(node.inputs[0]).text)};
    }

    Phrase slice(const Node& node) const {
        const Slice& slice = attribute<Slice>(node);
        const Shape& from = graph_.type(node.inputs[0]).shape;
        std::string text;
        for (size_t i = 0; i < from.size(); ++i) {
            int64_t start = slice.start[i], taken = node.type.shape[i];
            std::string part = taken == from[i] && slice.step[i] == 1 ? ":"
                               : taken == 1                           ? std::to_string(start)
                               : slice.step[i] == 1                   ? fmt::format("{}..{}", start, start + taken)
                                                    : fmt::format("{}.. step {}", start, slice.step[i]);
            text += (i ? ", " : "") + part;
        }
        return {within(node.inputs[0], tight) + "[" + text + "]"};
    }

    std::string loop(const Node& scan) const {
        const Scan& about = attribute<Scan>(scan);
        std::string text = about.reverse ? "loop_back(" : "loop(";
        for (size_t i = 0; i < scan.inputs.size(); ++i) {
            if (graph_[scan.inputs[i]].op == Op::constant) continue; // carries that start at a constant
            text += (text.back() == '(' ? "" : ", ") + value(scan.inputs[i]).text;
        }
        return text + ")";
    }

    struct Side {
        NodeId node;
        const std::vector<int>* labels;
    };

    /// One operand of a matrix product: `first` is the label that must be on the left.
    std::string matrix(const Side& side, int first) const {
        if (side.labels->size() < 2) return within(side.node, matrices);
        if ((*side.labels)[0] == first) return within(side.node, matrices);
        return within(side.node, tight) + "'";
    }

    Phrase contract(const Node& node) const {
        const auto& [left, right, out] = attribute<Contract>(node);
        Side a{node.inputs[0], &left}, b{node.inputs[1], &right};
        std::vector<int> summed;
        for (int label : left)
            if (!contains(out, label)) summed.push_back(label);
        bool batched = std::any_of(left.begin(), left.end(),
                                   [&](int label) { return contains(right, label) && contains(out, label); });
        if (batched || summed.size() > 1 || left.size() > 2 || right.size() > 2) return indexed(node, summed);
        if (!out.empty() && contains(right, out[0])) std::swap(a, b);
        if (summed.empty()) { // an outer product, if there are two axes
            if (left.size() == 1 && right.size() == 1)
                return {within(a.node, tight) + " " + within(b.node, tight) + "'", matrices};
            return {within(a.node, multiplying) + " * " + within(b.node, multiplying), multiplying};
        }
        if (out.empty()) return {within(a.node, tight) + "' " + within(b.node, matrices), matrices};
        return {matrix(a, out[0]) + " " + matrix(b, summed[0]), matrices};
    }

    /// sum[k](a[i, k] b[k, j]), with letters from i on.
    Phrase indexed(const Node& node, const std::vector<int>& summed) const {
        const auto& [left, right, out] = attribute<Contract>(node);
        std::vector<int> order = out;
        for (int label : left)
            if (!contains(order, label)) order.push_back(label);
        for (int label : right)
            if (!contains(order, label)) order.push_back(label);
        auto letters = [&](const std::vector<int>& labels) {
            std::string text;
            for (int label : labels) {
                auto place = std::find(order.begin(), order.end(), label) - order.begin();
                text += (text.empty() ? "" : ", ") +
                        (place < 18 ? std::string(1, char('i' + place)) : fmt::format("a{}", place));
            }
            return text;
        };
        std::string product = fmt::format("{}[{}] {}[{}]", within(node.inputs[0], tight), letters(left),
                                          within(node.inputs[1], tight), letters(right));
        if (summed.empty()) return {product, matrices};
        return {fmt::format("sum[{}]({})", letters(summed), product)};
    }

    const Graph& graph_;
    const Symbols& symbols_;
    mutable int depth_ = 0, phrases_ = 0;
};

} // namespace

std::string textbook_formula(const Graph& graph, NodeId id, const Symbols& symbols) {
    return TextbookWriter(graph, symbols).written(id).text;
}

std::string textbook_name(const Graph& graph, NodeId id, const Symbols& symbols) {
    return TextbookWriter(graph, symbols).value(id).text;
}

std::string dimensions(const Shape& shape) {
    std::string text;
    for (int64_t size : shape) text += (text.empty() ? "" : " x ") + (size == rows ? "N" : std::to_string(size));
    return text.empty() ? "1" : text;
}

} // namespace gradc
