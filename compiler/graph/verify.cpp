// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One check for each op. A violation is an internal error, so its text names the op, the types and the rule. Products
// of sizes are checked for overflow, since the text of a graph may come from outside.
#include "compiler/graph/verify.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

/// Products of the sizes before, between and after the axes N; empty if one passes 2^63.
std::vector<int64_t> segments(const Shape& shape) {
    std::vector<int64_t> result{1};
    for (int64_t size : shape) {
        if (size == rows) result.push_back(1);
        else if (__builtin_mul_overflow(result.back(), size, &result.back())) return {};
    }
    return result;
}

bool ascending(const std::vector<int>& axes, int rank) {
    for (size_t i = 0; i < axes.size(); ++i)
        if (axes[i] < 0 || axes[i] >= rank || (i && axes[i] <= axes[i - 1])) return false;
    return true;
}

bool distinct(std::vector<int> labels) {
    std::sort(labels.begin(), labels.end());
    return std::adjacent_find(labels.begin(), labels.end()) == labels.end();
}

bool holds(const std::vector<int>& labels, int label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
}

struct Checker {
    const Graph& graph;
    Op op;
    const Type& type;
    const std::vector<NodeId>& inputs;
    const Attributes& attributes;

    template <class T> const T& of() const { return std::get<T>(attributes); }
    const Type& in(size_t i) const { return graph.type(inputs[i]); }
    std::string error(const std::string& what) const {
        std::string text = fmt::format("{} {}: {}; inputs", name(op), print(type), what);
        for (NodeId id : inputs)
            if (index(id) < graph.size()) text += " " + print(graph.type(id));
        return text;
    }
    std::string unless(bool good, const char* what) const { return good ? "" : error(what); }

    std::string all() const {
        for (NodeId id : inputs)
            if (index(id) >= graph.size()) return error("an input is not in the graph");
        for (int64_t size : type.shape)
            if (size != rows && size < 1) return error("a size is below 1");
        if (count(type.shape, 1) < 0) return error("the size passes 2^63");
        if (!has_attributes()) return error("attributes of another op");
        if (!fits_arity()) return error("wrong number of inputs");
        for (NodeId id : inputs)
            if (graph[id].op == Op::scan && op != Op::part) return error("a scan is no value");
        return of_kind();
    }

    std::string of_kind() const {
        switch (kind(op)) {
        case Kind::leaf: return leaf();
        case Kind::elementwise:
            return op == Op::elementwise ? elementwise() : op == Op::cast ? cast() : custom_gradient();
        case Kind::reduce: return reduce();
        case Kind::move: return move();
        case Kind::index: return index_op();
        case Kind::contract: return contract();
        case Kind::loop: return op == Op::scan ? scan() : part();
        case Kind::effect: return unless(type == in(0), "type is not the value's");
        }
        return {};
    }

    bool has_attributes() const {
        switch (op) {
        case Op::constant: return std::holds_alternative<Constant>(attributes);
        case Op::input: return std::holds_alternative<Input>(attributes);
        case Op::variable: return std::holds_alternative<VariableName>(attributes);
        case Op::random: return std::holds_alternative<Random>(attributes);
        case Op::elementwise: return std::holds_alternative<Elementwise>(attributes);
        case Op::custom_gradient: return std::holds_alternative<CustomGradient>(attributes);
        case Op::iota:
        case Op::sum:
        case Op::max_of:
        case Op::permute:
        case Op::broadcast: return std::holds_alternative<Axes>(attributes);
        case Op::slice: return std::holds_alternative<Slice>(attributes);
        case Op::pad: return std::holds_alternative<Pad>(attributes);
        case Op::window:
        case Op::fold: return std::holds_alternative<Window>(attributes);
        case Op::gather:
        case Op::scatter: return std::holds_alternative<Gather>(attributes);
        case Op::contract: return std::holds_alternative<Contract>(attributes);
        case Op::scan: return std::holds_alternative<Scan>(attributes);
        case Op::part: return std::holds_alternative<Part>(attributes);
        case Op::assign: return std::holds_alternative<Assign>(attributes);
        case Op::cast:
        case Op::reshape: return std::holds_alternative<NoAttributes>(attributes);
        }
        return false;
    }

    bool fits_arity() const {
        size_t n = inputs.size();
        switch (op) {
        case Op::random: return n == 2 || n == 3;
        case Op::elementwise: {
            Primitive p = of<Elementwise>().primitive;
            return size_t(p) < graph.primitives().size() && n == size_t(graph.primitives().arity(p));
        }
        case Op::custom_gradient: return n >= 1;
        case Op::gather:
        case Op::scatter:
        case Op::contract: return n == 2;
        case Op::scan: return n >= size_t(std::max(0, of<Scan>().carries));
        default: return n == (kind(op) == Kind::leaf ? 0u : 1u);
        }
    }

    std::string leaf() const {
        switch (op) {
        case Op::constant: {
            size_t n = of<Constant>().values.size();
            bool good = n == 1 || (!type.has_rows() && int64_t(n) == count(type.shape, 1));
            if (!good) return error("a constant has one value or one for each element");
            if (floating(type.dtype)) return {};
            for (double value : of<Constant>().values)
                if (!(std::fabs(value) <= 0x1p63 && value == std::trunc(value)))
                    return error("a whole constant is a whole number");
            return {};
        }
        case Op::iota:
            return unless(of<Axes>().axes.size() == 1 && ascending(of<Axes>().axes, type.rank()),
                          "iota runs along one axis");
        case Op::random: return random();
        case Op::variable: return unless(!type.has_rows(), "a variable has no rows");
        default: return {};
        }
    }

    std::string random() const {
        if (!floating(type.dtype)) return error("random numbers are floating");
        if (in(0).rank() || !integer(in(0).dtype)) return error("the seed is a whole scalar");
        if (in(1).rank()) return error("the step is a scalar");
        bool by_row = !type.shape.empty() && type.shape[0] == rows;
        if (inputs.size() != (by_row ? 3u : 2u)) return error("row numbers need a leading N");
        if (by_row && (in(2).shape != Shape{rows} || !integer(in(2).dtype)))
            return error("row numbers are integers of shape [N]");
        return {};
    }

    std::string elementwise() const {
        for (size_t i = 0; i < inputs.size(); ++i)
            if (in(i).shape != type.shape) return error("the inputs of an elementwise op have one shape");
        if (elementwise_dtypes(of<Elementwise>().primitive)) return {};
        std::string_view word = graph.primitives().name(of<Elementwise>().primitive);
        return error(fmt::format("dtypes do not fit {}", word));
    }

    bool elementwise_dtypes(Primitive primitive) const {
        size_t first = primitive == Primitive::select ? 1 : 0;
        for (size_t i = first + 1; i < inputs.size(); ++i)
            if (in(i).dtype != in(first).dtype) return false;
        Dtype e = in(first).dtype, out = type.dtype;
        switch (primitive) {
        case Primitive::select: return in(0).dtype == Dtype::boolean && out == e;
        case Primitive::less:
        case Primitive::less_equal:
        case Primitive::equal: return out == Dtype::boolean;
        case Primitive::logical_and:
        case Primitive::logical_or:
        case Primitive::logical_not: return e == Dtype::boolean && out == e;
        case Primitive::bits: return (e == Dtype::f32 && out == Dtype::i32) || (e == Dtype::f64 && out == Dtype::i64);
        case Primitive::from_bits:
            return (e == Dtype::i32 && out == Dtype::f32) || (e == Dtype::i64 && out == Dtype::f64);
        case Primitive::bit_and:
        case Primitive::bit_or:
        case Primitive::bit_xor:
        case Primitive::shift_left:
        case Primitive::shift_right: return integer(e) && e != Dtype::boolean && out == e;
        case Primitive::divide:
        case Primitive::sqrt:
        case Primitive::floor:
        case Primitive::fused_multiply_add: return floating(e) && out == e;
        case Primitive::maximum:
        case Primitive::minimum: return out == e;
        default: return e != Dtype::boolean && out == e;
        }
    }

    std::string cast() const { return unless(type.shape == in(0).shape, "a cast keeps the shape"); }
    std::string custom_gradient() const { return unless(type == in(0), "a custom_gradient is its first input"); }

    std::string reduce() const {
        const auto& axes = of<Axes>().axes;
        if (!ascending(axes, in(0).rank())) return error("axes are not ascending axes of the input");
        if (type.dtype != in(0).dtype) return error("a reduction keeps the dtype");
        if (op == Op::sum && type.dtype == Dtype::boolean) return error("no sum of bool");
        Shape left;
        for (int i = 0; i < in(0).rank(); ++i)
            if (!holds(axes, i)) left.push_back(in(0).shape[size_t(i)]);
        return unless(left == type.shape, "shape is not what the axes leave");
    }

    std::string move() const {
        if (type.dtype != in(0).dtype) return error("a move keeps the dtype");
        switch (op) {
        case Op::reshape: return unless(reshapes(in(0).shape, type.shape), "sizes do not match");
        case Op::permute: return permute();
        case Op::broadcast: return broadcast();
        case Op::slice: return slice();
        case Op::pad: return pad();
        case Op::window: return windowed(in(0), type);
        default:
            if (type.dtype == Dtype::boolean) return error("no sum of bool");
            return windowed(type, in(0));
        }
    }

    std::string permute() const {
        const auto& axes = of<Axes>().axes;
        if (axes.size() != type.shape.size() || type.rank() != in(0).rank() || !distinct(axes))
            return error("axes are not a permutation");
        for (size_t i = 0; i < axes.size(); ++i)
            if (axes[i] < 0 || axes[i] >= type.rank() || type.shape[i] != in(0).shape[size_t(axes[i])])
                return error("axes do not permute these shapes");
        return {};
    }

    std::string broadcast() const {
        const auto& axes = of<Axes>().axes;
        if (int(axes.size()) != in(0).rank() || !ascending(axes, type.rank()))
            return error("axes are not ascending axes of the result");
        for (size_t i = 0; i < axes.size(); ++i) {
            int64_t size = in(0).shape[i];
            if (size != type.shape[size_t(axes[i])] && size != 1) return error("only an axis of size 1 is broadcast");
        }
        return {};
    }

    std::string slice() const {
        const auto& [start, step] = of<Slice>();
        size_t rank = in(0).shape.size();
        if (start.size() != rank || step.size() != rank || type.shape.size() != rank)
            return error("one start and step for each axis");
        for (size_t i = 0; i < rank; ++i) {
            int64_t size = in(0).shape[i], taken = type.shape[i];
            if (size == rows || taken == rows) {
                if (size != taken || start[i] != 0 || step[i] != 1) return error("N is not sliced");
                continue;
            }
            int64_t last = 0;
            if (__builtin_mul_overflow(taken - 1, step[i], &last) || __builtin_add_overflow(last, start[i], &last) ||
                start[i] < 0 || start[i] >= size || last < 0 || last >= size || step[i] == 0)
                return error("the slice is out of range");
        }
        return {};
    }

    std::string pad() const {
        const auto& before = of<Pad>().before;
        size_t rank = in(0).shape.size();
        if (before.size() != rank || type.shape.size() != rank) return error("one amount of padding for each axis");
        for (size_t i = 0; i < rank; ++i) {
            int64_t size = in(0).shape[i], padded = type.shape[i];
            if (size == rows || padded == rows) {
                if (size != padded || before[i] != 0) return error("N is not padded");
            } else if (before[i] < 0 || padded - before[i] < size)
                return error("the input does not fit into the padded shape");
        }
        return {};
    }

    /// `plain` has one axis in place of (positions, taps) of `parted`.
    std::string windowed(const Type& plain, const Type& parted) const {
        const auto& [axis, stride, dilation] = of<Window>();
        if (axis < 0 || axis >= plain.rank() || parted.rank() != plain.rank() + 1) return error("no such axis");
        size_t a = size_t(axis);
        int64_t size = plain.shape[a], positions = parted.shape[a], taps = parted.shape[a + 1];
        if (size == rows || positions == rows || taps == rows) return error("no windows over N");
        if (stride < 1 || dilation < 1) return error("stride and dilation start at 1");
        int64_t p = 0, t = 0, last = 0;
        if (__builtin_mul_overflow(positions - 1, stride, &p) || __builtin_mul_overflow(taps - 1, dilation, &t) ||
            __builtin_add_overflow(p, t, &last) || last >= size)
            return error("a window is out of range");
        Shape rest = parted.shape;
        rest.erase(rest.begin() + axis + 1);
        rest[a] = size;
        return unless(rest == plain.shape, "the other axes differ");
    }

    std::string index_op() const {
        const Gather& a = of<Gather>();
        const Type& table = op == Op::gather ? in(0) : type;
        const Type& values = op == Op::gather ? type : in(0);
        const Type& at = in(1);
        if (!integer(at.dtype) || at.dtype == Dtype::boolean) return error("an index is an integer");
        if (table.dtype != values.dtype) return error("table and values have different dtypes");
        if (op == Op::scatter && type.dtype == Dtype::boolean) return error("no sum of bool");
        if (a.batch < 0 || a.axis < a.batch || a.axis >= table.rank() || at.rank() < a.batch)
            return error("no such axis");
        if (!std::equal(at.shape.begin(), at.shape.begin() + a.batch, table.shape.begin()))
            return error("batch axes differ");
        Shape expected(table.shape.begin(), table.shape.begin() + a.axis);
        expected.insert(expected.end(), at.shape.begin() + a.batch, at.shape.end());
        expected.insert(expected.end(), table.shape.begin() + a.axis + 1, table.shape.end());
        return unless(values.shape == expected, "shapes of table, index and values do not fit");
    }

    std::string contract() const {
        const auto& [left, right, out] = of<Contract>();
        if (in(0).dtype != type.dtype || in(1).dtype != type.dtype)
            return error("both operands and the result have one dtype");
        if (type.dtype == Dtype::boolean) return error("no sum of bool");
        if (left.size() != in(0).shape.size() || right.size() != in(1).shape.size() || out.size() != type.shape.size())
            return error("one label for each axis");
        if (!distinct(left) || !distinct(right) || !distinct(out)) return error("a label twice");
        auto size_in = [](const std::vector<int>& labels, const Shape& shape, int label) -> int64_t {
            auto at = std::find(labels.begin(), labels.end(), label);
            return at == labels.end() ? 0 : shape[size_t(at - labels.begin())];
        };
        for (const auto* side : {&left, &right, &out})
            for (int label : *side) {
                int64_t l = size_in(left, in(0).shape, label), r = size_in(right, in(1).shape, label),
                        o = size_in(out, type.shape, label);
                if ((l != 0) + (r != 0) + (o != 0) < 2) return error("a label stands alone");
                if ((l && r && l != r) || (l && o && l != o) || (r && o && r != o))
                    return error("sizes of a label differ");
            }
        return {};
    }

    std::string scan() const {
        const Scan& a = of<Scan>();
        if (type != scan_type()) return error("not the type of scans");
        if (a.body >= graph.body_count()) return error("no such body");
        if (a.iterations < 1 || a.carries < 0) return error("a scan has at least 1 iteration");
        const Graph& body = graph.body(a.body);
        if (size_t(a.carries) > body.outputs.size() || body.outputs.empty())
            return error("the body has too few outputs");
        for (size_t i = 0; i < size_t(a.carries); ++i)
            if (body.type(body.outputs[i].node) != in(i)) return error("a carry changes its type");
        for (uint32_t i = 0; i < body.size(); ++i)
            if (body[NodeId(i)].op == Op::input && !body_input(body[NodeId(i)]))
                return error("the body's inputs are not those of the scan");
            else if (body[NodeId(i)].op == Op::variable || body[NodeId(i)].op == Op::assign)
                return error("variables and effects stand outside of a body");
        return {};
    }

    bool body_input(const Node& node) const {
        const Input& input = attribute<Input>(node);
        size_t carries = size_t(of<Scan>().carries);
        if (input.source == Input::Source::iteration) return node.type == Type{Dtype::i32, {}};
        size_t number = 0;
        for (char c : input.name) {
            if (c < '0' || c > '9' || number > inputs.size()) return false;
            number = number * 10 + size_t(c - '0');
        }
        if (input.source == Input::Source::carry) return number < carries && node.type == in(number);
        if (input.source != Input::Source::capture) return false;
        number += carries;
        return number < inputs.size() && node.type == in(number);
    }

    std::string part() const {
        const Node& loop = graph[inputs[0]];
        if (loop.op != Op::scan) return error("not the part of a scan");
        const Scan& a = attribute<Scan>(loop);
        int number = of<Part>().number;
        if (number < 0 || size_t(number) >= graph.body(a.body).outputs.size()) return error("no such part");
        return unless(type == part_type(graph, a, number), "type is not the part's");
    }
};

std::string verify_inside(const Graph& graph, bool in_body) {
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        std::string error;
        for (NodeId input : node.inputs)
            if (index(input) >= i) error = "an input does not stand before it";
        if (error.empty()) error = verify_node(graph, node.op, node.type, node.inputs, node.attributes);
        if (!in_body && node.op == Op::input && attribute<Input>(node).source >= Input::Source::carry)
            error = "an input of a loop body outside of one";
        if (!error.empty()) return fmt::format("%{}: {}", i, error);
    }
    for (const Output& output : graph.outputs)
        if (index(output.node) >= graph.size()) return "output " + output.name + " is not in the graph";
    for (uint32_t i = 0; i < graph.body_count(); ++i) {
        std::string error = verify_inside(graph.body(i), true);
        if (!error.empty()) return fmt::format("body {}: {}", i, error);
    }
    return {};
}

} // namespace

bool reshapes(const Shape& from, const Shape& to) {
    auto a = segments(from), b = segments(to);
    return !a.empty() && a == b;
}

std::string verify_node(const Graph& graph, Op op, const Type& type, const std::vector<NodeId>& inputs,
                        const Attributes& attributes) {
    return Checker{graph, op, type, inputs, attributes}.all();
}

std::string verify(const Graph& graph) { return verify_inside(graph, false); }

} // namespace gradc
