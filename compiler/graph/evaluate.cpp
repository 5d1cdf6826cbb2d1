// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluates the nodes that the outputs reach, in the order of ids. A value is freed after its last reader. A scan
// evaluates its body once for each iteration and keeps only the yields that are read.
#include "compiler/graph/evaluate.h"
#include "compiler/graph/random.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/value.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <map>
#include <set>

namespace gradc {

namespace {

/// Values of a loop body's inputs in one iteration; empty outside of loops.
struct Iteration {
    std::vector<Value> carries, captures;
    int64_t number = 0;
};

Value one_value(Dtype dtype, double number, const Shape& shape) {
    Value value = make_value(dtype, {});
    if (floating(dtype)) value.reals->at(0) = number;
    else value.wholes->at(0) = integer_number(number);
    value.shape = shape;
    value.strides.assign(shape.size(), 0);
    return value;
}

Value integer_value(Dtype dtype, int64_t number) {
    Value value = make_value(dtype, {});
    value.wholes->at(0) = number;
    return value;
}

class Evaluation {
public:
    Evaluation(const Graph& graph, const Environment& environment, std::vector<NodeId> roots)
        : graph_(graph), environment_(environment), roots_(std::move(roots)), order_(reachable(graph, roots_)) {
        for (NodeId root : roots_) ++readers_[root];
        for (NodeId id : order_) {
            for (NodeId input : graph[id].inputs) ++readers_[input];
            if (graph[id].op == Op::part) read_parts_[graph[id].inputs[0]].insert(number(id));
        }
    }

    std::vector<Value> run(const Iteration& iteration) {
        auto left = readers_;
        for (NodeId id : order_) {
            const Node& node = graph_[id];
            if (node.op == Op::scan) run_scan(id);
            else values_[id] = rounded(node, compute(node, iteration));
            if (environment_.observe && !iteration_known_ && node.op != Op::scan)
                environment_.observe(id, to_tensor(values_[id]));
            for (NodeId input : node.inputs)
                if (--left[input] == 0) values_.erase(input), parts_.erase(input);
        }
        std::vector<Value> results;
        for (NodeId root : roots_) results.push_back(values_.at(root));
        values_.clear();
        parts_.clear();
        return results;
    }

    void inside_loop() { iteration_known_ = true; }

private:
    int number(NodeId part) const { return attribute<Part>(graph_[part]).number; }

    Shape resolved(Shape shape) const {
        for (int64_t& size : shape)
            if (size == rows) size = environment_.rows;
        return shape;
    }

    Value compute(const Node& node, const Iteration& iteration) {
        Type type{node.type.dtype, resolved(node.type.shape)};
        auto in = [&](size_t i) -> const Value& { return values_.at(node.inputs[i]); };
        switch (node.op) {
        case Op::elementwise: {
            std::vector<Value> inputs;
            for (NodeId id : node.inputs) inputs.push_back(values_.at(id));
            return compute_elementwise(graph_.primitives(), node, type, inputs);
        }
        case Op::cast: return compute_cast(type, in(0));
        case Op::custom_gradient: return attribute<CustomGradient>(node).clause == 0 ? held(in(0)) : in(0);
        case Op::assign: return in(0);
        case Op::sum:
        case Op::max_of: return compute_reduce(node, type, in(0));
        case Op::gather: return compute_gather(attribute<Gather>(node), type, in(0), in(1));
        case Op::scatter: return compute_scatter(attribute<Gather>(node), type, in(0), in(1));
        case Op::contract: return compute_contract(attribute<Contract>(node), type, in(0), in(1));
        case Op::part: return parts_.at(node.inputs[0]).at(attribute<Part>(node).number);
        default: return kind(node.op) == Kind::move ? compute_move(node, type, in(0)) : leaf(node, type, iteration);
        }
    }

    /// The value of a `stop_gradient` node. Its place in HeldValues is its number in the order of evaluation, which is
    /// the same in every evaluation.
    Value held(const Value& value) const {
        HeldValues* held = environment_.held;
        if (!held) return value;
        if (held->known) return from_tensor(held->values.at(held->next++), value.dtype);
        held->values.push_back(to_tensor(value));
        return value;
    }

    Value leaf(const Node& node, const Type& type, const Iteration& iteration) {
        switch (node.op) {
        case Op::constant: {
            const auto& values = attribute<Constant>(node).values;
            if (values.size() == 1) return one_value(type.dtype, values[0], type.shape);
            return from_tensor({type.shape, values}, type.dtype);
        }
        case Op::variable: return given(environment_.variables, attribute<VariableName>(node).path, type);
        case Op::iota: {
            size_t axis = size_t(attribute<Axes>(node).axes[0]);
            Value line = make_value(type.dtype, {type.shape[axis]});
            for (int64_t i = 0; i < type.shape[axis]; ++i)
                floating(type.dtype) ? line.reals->at(size_t(i)) = double(i) : double(line.wholes->at(size_t(i)) = i);
            line.shape = type.shape;
            line.strides.assign(type.shape.size(), 0);
            line.strides[axis] = 1;
            return line;
        }
        case Op::random: return random(node, type);
        default: return input(attribute<Input>(node), type, iteration);
        }
    }

    Value given(const std::unordered_map<std::string, Tensor>& from, const std::string& name, const Type& type) const {
        auto found = from.find(name);
        check(found != from.end(), "evaluate", "no value is given for " + name);
        check(found->second.shape == type.shape, "evaluate",
              name + " is " + print(found->second.shape) + ", not " + print(type.shape));
        return from_tensor(found->second, type.dtype);
    }

    Value input(const Input& input, const Type& type, const Iteration& iteration) const {
        switch (input.source) {
        case Input::Source::field:
            if (input.name == "#row" && !environment_.fields.count(input.name)) {
                Value numbers = make_value(type.dtype, type.shape);
                for (size_t i = 0; i < numbers.wholes->size(); ++i) (*numbers.wholes)[i] = int64_t(i);
                return numbers;
            }
            return given(environment_.fields, input.name, type);
        case Input::Source::scalar: {
            if (input.name == "rows") return one_value(type.dtype, double(environment_.rows), {});
            auto found = environment_.scalars.find(input.name);
            check(found != environment_.scalars.end(), "evaluate", "no value is given for " + input.name);
            return one_value(type.dtype, found->second, {});
        }
        case Input::Source::carry: return iteration.carries.at(std::stoul(input.name));
        case Input::Source::capture: return iteration.captures.at(std::stoul(input.name));
        case Input::Source::iteration: return integer_value(type.dtype, iteration.number);
        }
        throw InternalError("evaluate", "an input of no known source");
    }

    Value random(const Node& node, const Type& type) const {
        Value result = make_value(type.dtype, type.shape);
        const Value &seed = values_.at(node.inputs[0]), &at = values_.at(node.inputs[1]);
        int64_t step = floating(at.dtype) ? integer_number(at.data<double>()[0]) : at.data<int64_t>()[0];
        bool by_row = node.inputs.size() == 3;
        int64_t places = by_row ? result.size() / type.shape[0] : result.size();
        for (int64_t i = 0; i < result.size(); ++i) {
            uint32_t row = 0;
            if (by_row) {
                const Value& numbers = values_.at(node.inputs[2]);
                row = uint32_t(numbers.data<int64_t>()[i / places * numbers.strides[0]]);
            }
            (*result.reals)[size_t(i)] =
                uniform_number(uint64_t(seed.data<int64_t>()[0]), attribute<Random>(node).stream, uint64_t(step), row,
                               uint32_t(i % places), type.dtype);
        }
        return result;
    }

    Value rounded(const Node& node, Value value) const {
        bool view = node.op == Op::part || (kind(node.op) == Kind::move && node.op != Op::fold);
        if (!environment_.round_f32 || value.dtype != Dtype::f32 || view) return value;
        Value result = make_value(value.dtype, value.shape);
        Value plain = densified(value);
        for (int64_t i = 0; i < result.size(); ++i) result.data<double>()[i] = double(float(plain.data<double>()[i]));
        return result;
    }

    void run_scan(NodeId id) {
        const Node& node = graph_[id];
        const Scan& scan = attribute<Scan>(node);
        const Graph& body = graph_.body(scan.body);
        std::vector<NodeId> roots;
        std::vector<int> yields;
        for (int i = 0; i < scan.carries; ++i) roots.push_back(body.outputs[size_t(i)].node);
        for (int part : read_parts_[id])
            if (part >= scan.carries) roots.push_back(body.outputs[size_t(part)].node), yields.push_back(part);
        Iteration iteration;
        for (size_t i = 0; i < node.inputs.size(); ++i)
            (i < size_t(scan.carries) ? iteration.carries : iteration.captures).push_back(values_.at(node.inputs[i]));
        std::map<int, Value> parts;
        for (int part : yields) {
            Type type = part_type(graph_, scan, part);
            parts[part] = make_value(type.dtype, resolved(type.shape));
        }
        Evaluation inside(body, environment_, roots);
        inside.inside_loop();
        for (int64_t i = 0; i < scan.iterations; ++i) {
            iteration.number = scan.reverse ? scan.iterations - 1 - i : i;
            auto results = inside.run(iteration);
            for (size_t k = 0; k < yields.size(); ++k) {
                int axis = iteration_axis(body.type(body.outputs[size_t(yields[k])].node).shape);
                store_iteration(parts[yields[k]], axis, iteration.number, results[size_t(scan.carries) + k]);
            }
            results.resize(size_t(scan.carries));
            iteration.carries = std::move(results);
        }
        for (int i = 0; i < scan.carries; ++i) parts[i] = iteration.carries[size_t(i)];
        parts_[id] = std::move(parts);
    }

    static void store_iteration(Value& stacked, int axis, int64_t iteration, const Value& value) {
        auto strides = stacked.strides;
        int64_t offset = iteration * strides[size_t(axis)];
        strides.erase(strides.begin() + axis);
        by_dtype(value.dtype, [&](auto number) {
            using T = decltype(number);
            T* out = stacked.data<T>() + offset;
            const T* in = value.data<T>();
            walk<2>(value.shape, {&strides, &value.strides})([&](int64_t n, auto at, auto step) {
                for (int64_t i = 0; i < n; ++i) out[at[0] + i * step[0]] = in[at[1] + i * step[1]];
            });
        });
    }

    const Graph& graph_;
    const Environment& environment_;
    std::vector<NodeId> roots_, order_;
    std::unordered_map<NodeId, int> readers_;
    std::unordered_map<NodeId, std::set<int>> read_parts_;
    std::unordered_map<NodeId, Value> values_;
    std::unordered_map<NodeId, std::map<int, Value>> parts_;
    bool iteration_known_ = false;
};

} // namespace

std::vector<Tensor> evaluate(const Graph& graph, const Environment& environment) {
    std::vector<NodeId> roots;
    for (const Output& output : graph.outputs) roots.push_back(output.node);
    if (environment.held) environment.held->next = 0;
    std::vector<Tensor> results;
    for (const Value& value : Evaluation(graph, environment, roots).run({})) results.push_back(to_tensor(value));
    if (environment.held) environment.held->known = true;
    return results;
}

double uniform_number(uint64_t seed, uint64_t stream, uint64_t step, uint32_t row, uint32_t place, Dtype dtype) {
    auto words = random_words(seed, stream, step, row, place);
    return dtype == Dtype::f64 ? uniform_f64(words) : double(uniform_f32(words));
}

} // namespace gradc
