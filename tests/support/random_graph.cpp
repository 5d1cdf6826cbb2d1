// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Adds node by node, with random operands among those that fit.
#include "tests/support/random_graph.h"
#include "compiler/graph/build.h"
#include "compiler/graph/ranges.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace gradc {

namespace {

using build::elementwise;

class Generator {
public:
    Generator(uint64_t seed, std::shared_ptr<PrimitiveTable> primitives, const RandomGraphOptions& options)
        : chance_(seed * 2 + 1), options_(options), graph_(std::move(primitives)) {}

    Graph run() {
        leaves();
        for (int i = 0; i < options_.nodes; ++i) step();
        outputs();
        return extract(graph_, graph_.outputs);
    }

    /// The formula of an iteration: squashed mixes of its inputs. Used for loop bodies.
    static NodeId mixed(Generator& g, Graph& body, NodeId a, NodeId b) {
        Primitive how = g.pick(2) ? Primitive::add : Primitive::multiply;
        return g.squashed(body, elementwise(body, how, {a, b}));
    }

private:
    uint64_t pick(uint64_t n) { return chance_() % n; }
    bool rarely(uint64_t n) { return pick(n) == 0; }
    template <class T> const T& one_of(const std::vector<T>& list) { return list[pick(list.size())]; }
    double small_number() { return (double(pick(33)) - 16) / 16; }

    NodeId floating_value() { return one_of(floats_); }
    const Shape& shape(NodeId id) const { return graph_.type(id).shape; }
    bool is_small(const Shape& shape) const {
        return shape.size() <= 4 && count(shape, 3) <= 600 && std::count(shape.begin(), shape.end(), rows) <= 2;
    }

    void keep(NodeId id) {
        if (!is_small(shape(id))) return;
        (floating(graph_.type(id).dtype) ? floats_ : wholes_).push_back(id);
    }

    NodeId squashed(Graph& graph, NodeId x) {
        for (const char* name : {"tanh", "sin"})
            if (auto found = graph.primitives().find(name)) return elementwise(graph, *found, {x});
        NodeId one = build::constant(graph, 1, graph.type(x).dtype);
        NodeId size = elementwise(graph, Primitive::add, {one, elementwise(graph, Primitive::multiply, {x, x})});
        return elementwise(graph, Primitive::divide, {x, size});
    }

    Shape fresh_shape(bool with_rows) {
        Shape result;
        if (with_rows) result.push_back(rows);
        for (uint64_t rank = pick(3) + (with_rows ? 0 : 1); rank > 0; --rank) result.push_back(int64_t(1 + pick(5)));
        return result;
    }

    void leaves() {
        Dtype e = options_.dtype;
        for (int i = 0; i < 3; ++i) keep(build::variable(graph_, "w" + std::to_string(i), {e, fresh_shape(false)}));
        keep(build::scalar_input(graph_, "rate", e));
        keep(build::constant(graph_, small_number(), e));
        Shape table = fresh_shape(false);
        std::vector<double> values;
        for (int64_t i = 0; i < count(table, 1); ++i) values.push_back(small_number());
        keep(build::constant(graph_, values, {e, table}));
        wholes_.push_back(build::iota(graph_, fresh_shape(false), 0, Dtype::i32));
        if (!options_.has_rows) return;
        for (int i = 0; i < 2; ++i)
            keep(graph_.add(Op::input, {e, fresh_shape(true)}, {},
                            Input{Input::Source::field, "x" + std::to_string(i), 0, -1}));
        keep(graph_.add(Op::input, {Dtype::i32, {rows}}, {}, Input{Input::Source::field, "i0", 0, 3}));
        if (options_.random_numbers) keep(draw());
    }

    NodeId draw() {
        NodeId seed = build::scalar_input(graph_, "seed", Dtype::i64);
        NodeId step = build::scalar_input(graph_, "step", Dtype::f64);
        NodeId row = graph_.add(Op::input, {Dtype::i32, {rows}}, {}, Input{Input::Source::field, "#row", 0, -1});
        Shape shape = fresh_shape(true); // drawn before the stream: the order of arguments depends on the compiler
        return graph_.add(Op::random, {options_.dtype, shape}, {seed, step, row}, Random{chance_()});
    }

    void step() {
        uint64_t usual = options_.scans ? 16 : 15;
        uint64_t drawn = pick(usual + (options_.wider ? 6 : 0));
        if (drawn >= usual) return wider_step(drawn - usual);
        switch (drawn) {
        case 0: return unary();
        case 1:
        case 2: return binary();
        case 3: return choice();
        case 4: return integer_arithmetic();
        case 5: return reduction();
        case 6: return permuted();
        case 7: return reshaped();
        case 8: return stretched();
        case 9: return sliced();
        case 10: return padded();
        case 11: return windowed();
        case 12: return looked_up();
        case 13:
        case 14: return contracted();
        default: return scanned();
        }
    }

    void wider_step(uint64_t number) {
        constexpr void (Generator::* steps[])() = {&Generator::triangular,     &Generator::stopped,
                                                   &Generator::truth,          &Generator::divided,
                                                   &Generator::rows_looked_up, &Generator::diagonal};
        (this->*steps[number])();
    }

    NodeId integer_constant(int64_t n) { return build::constant(graph_, double(n), Dtype::i32); }

    /// A reduction up to a bound that another index gives: sum[u < t + 1](x[u]) and the like.
    void triangular() {
        NodeId x = floating_value();
        if (!graph_.type(x).rank()) return;
        int axis = int(pick(uint64_t(graph_.type(x).rank())));
        Shape to = shape(x);
        to.insert(to.begin(), to[size_t(axis)] == rows ? rows : int64_t(2 + pick(4)));
        if (!is_small(to)) return;
        std::vector<int> axes(to.size() - 1);
        std::iota(axes.begin(), axes.end(), 1);
        NodeId t = build::iota(graph_, to, 0, Dtype::i32), u = build::iota(graph_, to, axis + 1, Dtype::i32), bound = t;
        if (!rarely(4))
            bound =
                elementwise(graph_, one_of(std::vector{Primitive::quotient, Primitive::multiply, Primitive::remainder}),
                            {t, integer_constant(2)});
        bound = elementwise(graph_, Primitive::add, {bound, integer_constant(1)});
        bool largest = !options_.smooth && rarely(2);
        NodeId none = build::constant(graph_, largest ? -HUGE_VAL : 0, options_.dtype, to);
        NodeId below = elementwise(graph_, Primitive::less, {u, bound});
        x = build::broadcast(graph_, x, to, axes);
        NodeId kept = elementwise(graph_, Primitive::select, {below, x, none});
        if (largest) return keep(build::max_of(graph_, kept, {axis + 1}));
        keep(squashed(graph_, build::sum(graph_, kept, {axis + 1})));
    }

    void stopped() {
        NodeId x = floating_value();
        if (options_.stops) keep(graph_.add(Op::custom_gradient, graph_.type(x), {x}, CustomGradient{0}));
    }

    /// true and false as integers; compares places, not values, if the graph must be smooth.
    void truth() {
        auto [a, b] = integer_pair();
        if (a == b) b = integer_constant(2);
        if (!options_.smooth && rarely(2)) a = floating_value(), b = build::constant(graph_, 0.1, options_.dtype);
        keep(build::cast(graph_, elementwise(graph_, Primitive::less_equal, {a, b}), Dtype::i32));
    }

    /// `//` and `%` of numbers of both signs by numbers that differ from place to place.
    void divided() {
        auto [a, b] = integer_pair();
        NodeId by = elementwise(graph_, Primitive::remainder, {b, integer_constant(7)});
        by = elementwise(graph_, Primitive::add, {by, integer_constant(1)});
        NodeId of = elementwise(graph_, Primitive::subtract, {a, integer_constant(int64_t(pick(12)))});
        keep(elementwise(graph_, Primitive::quotient, {of, by}));
        keep(elementwise(graph_, Primitive::remainder, {of, by}));
        if (options_.smooth) return;
        NodeId step = build::constant(graph_, 0.375 * double(1 + pick(3)), options_.dtype);
        keep(elementwise(graph_, Primitive::quotient, {floating_value(), step}));
    }

    /// Rows by numbers that every count of rows has.
    void rows_looked_up() {
        NodeId table = floating_value();
        if (!graph_.type(table).has_rows()) return;
        auto axis = std::find(shape(table).begin(), shape(table).end(), rows) - shape(table).begin();
        NodeId count = build::cast(graph_, build::scalar_input(graph_, "rows", Dtype::i64), Dtype::i32);
        NodeId last = elementwise(graph_, Primitive::subtract, {count, integer_constant(1)});
        NodeId place = build::iota(graph_, {rows}, 0, Dtype::i32);
        if (rarely(3)) place = integer_constant(int64_t(pick(4)));
        auto with = [&](Primitive how, NodeId a, NodeId b) { return elementwise(graph_, how, {a, b}); };
        NodeId third = with(Primitive::add, place, integer_constant(3)),
               half = with(Primitive::quotient, place, integer_constant(2)),
               back = with(Primitive::subtract, last, place);
        NodeId at = one_of(std::vector{with(Primitive::maximum, back, integer_constant(0)),
                                       with(Primitive::remainder, third, count), with(Primitive::minimum, third, last),
                                       with(Primitive::minimum, half, last)});
        found_in(table, at, Gather{int(axis), 0});
    }

    /// Of a value that has its first axis twice.
    void diagonal() {
        NodeId table = floating_value();
        for (size_t axis = 1; axis < shape(table).size(); ++axis) {
            if (shape(table)[axis] != shape(table)[0]) continue;
            NodeId at = build::iota(graph_, {shape(table)[0]}, 0, Dtype::i32);
            return found_in(table, at, Gather{int(axis), 1});
        }
    }

    void unary() {
        NodeId x = floating_value();
        std::vector<Primitive> all{Primitive::negate};
        for (const char* name : {"exp", "sin", "cos", "tanh", "erf"})
            if (auto found = graph_.primitives().find(name)) all.push_back(*found);
        if (!options_.smooth) all.insert(all.end(), {Primitive::abs, Primitive::floor});
        NodeId result = elementwise(graph_, one_of(all), {x});
        keep(rarely(3) ? result : squashed(graph_, result));
    }

    /// The two values or one of them and a scalar, so that the shapes fit.
    std::pair<NodeId, NodeId> fitting_pair() {
        NodeId a = floating_value();
        for (int i = 0; i < 8; ++i) {
            NodeId b = floating_value();
            Shape joined;
            if (broadcast_shapes(shape(a), shape(b), joined)) return {a, b};
        }
        return {a, a};
    }

    void binary() {
        auto [a, b] = fitting_pair();
        std::vector<Primitive> all{Primitive::add, Primitive::subtract, Primitive::multiply};
        if (!options_.smooth) all.insert(all.end(), {Primitive::maximum, Primitive::minimum});
        if (rarely(6)) { // the divisor is never near zero
            NodeId two = build::constant(graph_, 2, options_.dtype);
            NodeId safe = elementwise(graph_, Primitive::add, {elementwise(graph_, Primitive::multiply, {b, b}), two});
            return keep(elementwise(graph_, Primitive::divide, {a, safe}));
        }
        if (rarely(6)) return keep(squashed(graph_, elementwise(graph_, Primitive::fused_multiply_add, {a, b, a})));
        Primitive primitive = one_of(all);
        NodeId result = elementwise(graph_, primitive, {a, b});
        bool grows =
            primitive == Primitive::add || primitive == Primitive::subtract || primitive == Primitive::multiply;
        keep(grows ? squashed(graph_, result) : result);
    }

    void choice() {
        auto [a, b] = fitting_pair();
        NodeId condition;
        if (options_.smooth) { // by place, not by value
            NodeId at = integer_value();
            NodeId two = build::constant(graph_, 2, graph_.type(at).dtype);
            condition = elementwise(graph_, Primitive::less, {at, two});
            Shape joined, all;
            if (!broadcast_shapes(shape(a), shape(b), joined) || !broadcast_shapes(joined, shape(at), all)) return;
        } else {
            Primitive how = one_of(std::vector{Primitive::less, Primitive::less_equal, Primitive::equal});
            condition = elementwise(graph_, how, {a, b});
            if (rarely(3)) condition = elementwise(graph_, Primitive::logical_not, {condition});
            if (rarely(4)) keep(build::cast(graph_, condition, options_.dtype));
        }
        keep(elementwise(graph_, Primitive::select, {condition, a, b}));
    }

    NodeId integer_value() { return one_of(wholes_); }
    std::pair<NodeId, NodeId> integer_pair() {
        NodeId a = integer_value(), b = integer_value();
        Shape joined;
        return {a, broadcast_shapes(shape(a), shape(b), joined) ? b : a};
    }

    void integer_arithmetic() {
        auto [a, b] = integer_pair();
        NodeId five = build::constant(graph_, double(2 + pick(5)), Dtype::i32);
        NodeId sum =
            elementwise(graph_, one_of(std::vector{Primitive::add, Primitive::multiply, Primitive::subtract}), {a, b});
        NodeId result = elementwise(graph_, rarely(3) ? Primitive::quotient : Primitive::remainder, {sum, five});
        result = elementwise(graph_, Primitive::remainder, {result, five});
        if (rarely(3)) {
            NodeId number = build::cast(graph_, result, options_.dtype);
            keep(elementwise(graph_, Primitive::multiply, {number, build::constant(graph_, 0.125, options_.dtype)}));
        }
        keep(result);
    }

    void reduction() {
        NodeId x = floating_value();
        std::vector<int> axes;
        for (int i = 0; i < graph_.type(x).rank(); ++i)
            if (pick(2)) axes.push_back(i);
        if (axes.empty()) return;
        if (!options_.smooth && rarely(2)) return keep(build::max_of(graph_, x, axes));
        keep(squashed(graph_, build::sum(graph_, x, axes)));
    }

    void permuted() {
        NodeId x = floating_value();
        std::vector<int> axes(shape(x).size());
        std::iota(axes.begin(), axes.end(), 0);
        for (size_t i = axes.size(); i > 1; --i) std::swap(axes[i - 1], axes[pick(i)]);
        keep(build::permute(graph_, x, axes));
    }

    void reshaped() {
        NodeId x = floating_value();
        Shape to = shape(x);
        for (size_t i = 0; i + 1 < to.size(); ++i)
            if (to[i] != rows && to[i + 1] != rows) { // join two axes
                to[i] *= to[i + 1];
                to.erase(to.begin() + long(i) + 1);
                return keep(build::reshape(graph_, x, to));
            }
        for (size_t i = 0; i < to.size(); ++i)
            if (to[i] != rows && to[i] % 2 == 0) { // or part one
                to[i] /= 2;
                to.insert(to.begin() + long(i), 2);
                return keep(build::reshape(graph_, x, to));
            }
    }

    void stretched() {
        NodeId x = floating_value();
        Shape to = shape(x);
        std::vector<int> axes;
        size_t added = pick(to.size() + 1);
        for (size_t i = 0; i < to.size(); ++i) axes.push_back(int(i + (i >= added)));
        bool by_rows = options_.has_rows && added == 0 && rarely(2) && !graph_.type(x).has_rows();
        to.insert(to.begin() + long(added), by_rows ? rows : int64_t(1 + pick(3)));
        keep(build::broadcast(graph_, x, to, axes));
    }

    void sliced() {
        NodeId x = floating_value();
        Shape to = shape(x);
        std::vector<int64_t> start(to.size(), 0), step(to.size(), 1);
        for (size_t i = 0; i < to.size(); ++i) {
            if (to[i] == rows || rarely(3)) continue;
            int64_t size = to[i], by = int64_t(1 + pick(2));
            start[i] = int64_t(pick(uint64_t(size)));
            bool back = rarely(3);
            int64_t most = back ? start[i] / by + 1 : (size - 1 - start[i]) / by + 1;
            to[i] = int64_t(1 + pick(uint64_t(most)));
            step[i] = back ? -by : by;
        }
        keep(build::slice(graph_, x, start, step, to));
    }

    void padded() {
        NodeId x = floating_value();
        Shape to = shape(x);
        std::vector<int64_t> before(to.size(), 0);
        for (size_t i = 0; i < to.size(); ++i)
            if (to[i] != rows) {
                before[i] = int64_t(pick(3));
                to[i] += before[i] + int64_t(pick(2));
            }
        keep(build::pad(graph_, x, before, to, rarely(3) ? 0.5 : 0));
    }

    void windowed() {
        NodeId x = floating_value();
        for (int axis = 0; axis < graph_.type(x).rank(); ++axis) {
            int64_t size = shape(x)[size_t(axis)];
            if (size == rows || size < 3) continue;
            Window window{axis, int64_t(1 + pick(2)), int64_t(1 + pick(2))};
            int64_t taps = 2, positions = (size - 1 - window.dilation) / window.stride + 1;
            if (positions < 1) continue;
            NodeId parts = build::window(graph_, x, window, positions, taps);
            keep(parts);
            if (rarely(2)) keep(squashed(graph_, build::fold(graph_, parts, window, size)));
            return;
        }
    }

    void looked_up() {
        NodeId table = floating_value(), at = integer_value();
        for (int axis = 0; axis < graph_.type(table).rank(); ++axis) {
            int64_t size = shape(table)[size_t(axis)];
            if (size == rows) continue;
            NodeId limit = build::constant(graph_, double(size), Dtype::i32);
            NodeId index = elementwise(graph_, Primitive::remainder, {at, limit});
            Gather lookup{axis, 0};
            if (axis > 0 && graph_.type(at).rank() > 0 && shape(at)[0] == shape(table)[0]) lookup.batch = 1;
            return found_in(table, index, lookup);
        }
    }

    /// A lookup and, half of the time, its way back.
    void found_in(NodeId table, NodeId at, Gather lookup) {
        NodeId found = build::gather(graph_, table, at, lookup);
        keep(found);
        if (rarely(2) && is_small(shape(found)))
            keep(squashed(graph_, build::scatter(graph_, found, at, lookup, shape(table))));
    }

    /// Labels for two values: axes of equal size are summed, shared or free.
    void contracted() {
        NodeId a = floating_value(), b = floating_value();
        Contract labels;
        for (int i = 0; i < graph_.type(a).rank(); ++i) labels.left.push_back(i);
        std::vector<bool> used(labels.left.size(), false);
        for (size_t i = 0; i < shape(b).size(); ++i) {
            int label = int(10 + i);
            for (size_t k = 0; k < used.size(); ++k)
                if (!used[k] && shape(a)[k] == shape(b)[i] && !rarely(4)) {
                    used[k] = true;
                    label = int(k);
                    break;
                }
            labels.right.push_back(label);
        }
        for (size_t k = 0; k < used.size(); ++k)
            if (!used[k] || rarely(3)) labels.out.push_back(int(k));
        for (int label : labels.right)
            if (label >= 10) labels.out.push_back(label);
        for (size_t i = labels.out.size(); i > 1; --i) std::swap(labels.out[i - 1], labels.out[pick(i)]);
        NodeId result = build::contract(graph_, a, b, labels);
        if (is_small(shape(result))) keep(squashed(graph_, result));
    }

    /// A carry of some shape, mixed in each iteration with a capture and a slice of another by the iteration.
    void scanned() {
        NodeId start = floating_value(), whole_capture = floating_value(), by_iteration = floating_value();
        Graph body(graph_.shared_primitives());
        NodeId h = carry_input(body, 0, graph_.type(start));
        NodeId c = capture_input(body, 0, graph_.type(whole_capture));
        int64_t iterations = int64_t(2 + pick(3));
        Shape joined;
        NodeId mix = broadcast_shapes(shape(start), shape(whole_capture), joined) && joined == shape(start)
                         ? mixed(*this, body, h, c)
                         : squashed(body, h);
        NodeId last = mix;
        for (size_t axis = 0; axis < shape(by_iteration).size(); ++axis) {
            int64_t size = shape(by_iteration)[axis];
            if (size == rows || size < 2) continue;
            iterations = size;
            NodeId table = capture_input(body, 1, graph_.type(by_iteration));
            NodeId slice = build::gather(body, table, iteration_input(body, iterations), Gather{int(axis), 0});
            if (broadcast_shapes(shape(start), body.type(slice).shape, joined) && joined == shape(start))
                mix = mixed(*this, body, mix, slice);
            else last = squashed(body, slice);
            break;
        }
        body.outputs = {{"", mix}, {"", last}};
        bool back = rarely(2);
        for (NodeId part :
             build::scan(graph_, std::move(body), {start}, {whole_capture, by_iteration}, iterations, back))
            keep(part);
    }

    void outputs() {
        NodeId loss = build::constant(graph_, 0, options_.dtype);
        size_t first = floats_.size() > 10 ? floats_.size() - 10 : 0;
        for (size_t i = first; i < floats_.size(); ++i) {
            std::vector<int> all(shape(floats_[i]).size());
            std::iota(all.begin(), all.end(), 0);
            NodeId quarter = build::constant(graph_, 0.25, options_.dtype);
            NodeId weighed = elementwise(graph_, Primitive::multiply, {squashed(graph_, floats_[i]), quarter});
            loss = elementwise(graph_, Primitive::add, {loss, build::sum(graph_, weighed, all)});
        }
        graph_.outputs.push_back({"loss", loss});
        for (size_t i = first; i < floats_.size(); i += 3)
            graph_.outputs.push_back({"value" + std::to_string(i), floats_[i]});
        graph_.outputs.push_back({"whole", wholes_.back()});
        NodeId w = build::variable(graph_, "w0", graph_.type(floats_[0]));
        NodeId half = elementwise(graph_, Primitive::multiply, {w, build::constant(graph_, 0.5, options_.dtype)});
        graph_.outputs.push_back({"assign w0", build::assign(graph_, "w0", half)});
    }

    std::mt19937_64 chance_;
    RandomGraphOptions options_;
    Graph graph_;
    std::vector<NodeId> floats_, wholes_;
};

} // namespace

Graph random_graph(uint64_t seed, std::shared_ptr<PrimitiveTable> primitives, const RandomGraphOptions& options) {
    return Generator(seed, std::move(primitives), options).run();
}

} // namespace gradc
