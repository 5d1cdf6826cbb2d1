// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The walk starts at the kernel's members and goes to inputs, breadth first. It ends at values that another kernel
// stores, unless lowering may look at how they are computed.
#include "compiler/program/fused_key.h"
#include "compiler/plan/members.h"
#include "compiler/program/code.h"
#include "compiler/util/key_bytes.h"
#include <unordered_map>
#include <unordered_set>

namespace gradc {

namespace {

class FusedKeyWriter {
public:
    FusedKeyWriter(const Plan& plan, const ProgramPlan& program, const std::vector<bool>& stored)
        : plan_(plan), program_(program), graph_(program.flat.graph), stored_(stored) {}

    FusedKey run(const FusedKernel& kernel) {
        key_.add({int64_t(kernel.kind), int64_t(kernel.stages.size())});
        key_.add_list(kernel.space);
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members) computed_.insert(member.node);
        for (const Stage& stage : kernel.stages) write(stage);
        for (size_t next = 0; next < nodes_.size(); ++next) write(nodes_[next]);
        for (size_t i = 0; i < result_.buffers.size(); ++i) describe_buffer(i);
        result_.bytes = key_.take();
        return std::move(result_);
    }

private:
    void write(const Stage& stage) {
        key_.add_list(stage.inner);
        key_.add(int64_t(stage.members.size()));
        for (const Member& member : stage.members) {
            key_.add({number_of(member.node), member.copies, int64_t(member.stores.size()), member.from.has_value()});
            for (const Storage& place : member.stores) write(place);
            if (member.from) write(*member.from);
        }
    }
    void write(const Storage& place) {
        key_.add({number_in(result_.buffers, place.buffer), place.panel, place.depth});
        key_.add_list(place.strides);
        key_.add(int64_t(place.iterations.size()));
        for (auto [depth, coefficient] : place.iterations) key_.add({depth, coefficient});
    }
    void write(NodeId id) {
        const Node& node = graph_[id];
        const auto& place = program_.places[index(id)];
        bool inside = !place || computed_.count(id) || looked_into(node);
        key_.add({int64_t(node.type.dtype), stored_[index(id)], place.has_value(), inside});
        key_.add_list(node.type.shape);
        if (place) write(*place);
        if (!inside) return key_.add({node.op == Op::variable, is_leaf(graph_, id)});
        key_.add(int64_t(node.op));
        std::visit([&](const auto& attributes) { write(attributes, place.has_value()); }, node.attributes);
        key_.add(int64_t(node.inputs.size()));
        for (NodeId input : node.inputs) key_.add(number_of(input));
    }
    /// Conditions and indices are followed to their sources even where they are stored (branches.h, plan/view.h).
    static bool looked_into(const Node& node) {
        bool select = node.op == Op::elementwise && attribute<Elementwise>(node).primitive == Primitive::select;
        return select || node.op == Op::broadcast || !floating(node.type.dtype);
    }

    void write(const NoAttributes&, bool) {}
    void write(const Constant& constant, bool lies_in_memory) {
        key_.add(int64_t(constant.values.size()));
        if (lies_in_memory && constant.values.size() > 1) return;
        for (double value : constant.values) key_.add_bits(value);
    }
    void write(const Input& input, bool) {
        key_.add({int64_t(input.source), input.low, input.high});
        if (input.source == Input::Source::iteration) key_.add_list(input.name);
    }
    void write(const VariableName&, bool) {}
    void write(const Random& random, bool) { key_.add(number_in(result_.streams, random.stream)); }
    void write(const Elementwise& elementwise, bool) { key_.add(int64_t(elementwise.primitive)); }
    void write(const CustomGradient& gradient, bool) { key_.add(int64_t(gradient.clause)); }
    void write(const Axes& axes, bool) { key_.add_list(axes.axes); }
    void write(const Slice& slice, bool) {
        key_.add_list(slice.start);
        key_.add_list(slice.step);
    }
    void write(const Pad& pad, bool) {
        key_.add_list(pad.before);
        key_.add_bits(pad.value);
    }
    void write(const Window& window, bool) { key_.add({window.axis, window.stride, window.dilation}); }
    void write(const Gather& gather, bool) { key_.add({gather.axis, gather.batch}); }
    void write(const Contract& contract, bool) {
        for (const auto* labels : {&contract.left, &contract.right, &contract.out}) key_.add_list(*labels);
    }
    void write(const Scan& scan, bool) { key_.add({scan.body, scan.iterations, scan.carries, scan.reverse}); }
    void write(const Part& part, bool) { key_.add(part.number); }
    void write(const Assign&, bool) {}

    void describe_buffer(size_t number) {
        const loop::Buffer& buffer = plan_.buffers[result_.buffers[number]];
        key_.add({int64_t(buffer.dtype), buffer.size, int64_t(buffer.role)});
        for (size_t other = 0; other < number; ++other)
            key_.add(loop::overlap(buffer, plan_.buffers[result_.buffers[other]]));
    }
    int64_t number_of(NodeId id) {
        auto [known, added] = numbers_.emplace(id, nodes_.size());
        if (added) nodes_.push_back(id);
        return int64_t(known->second);
    }
    /// A kernel has few buffers and streams.
    template <class Value> static int64_t number_in(std::vector<Value>& all, Value value) {
        size_t number = 0;
        while (number < all.size() && all[number] != value) ++number;
        if (number == all.size()) all.push_back(value);
        return int64_t(number);
    }

    const Plan& plan_;
    const ProgramPlan& program_;
    const Graph& graph_;
    const std::vector<bool>& stored_;
    KeyBytes key_;
    FusedKey result_;
    std::unordered_set<NodeId> computed_; // by the kernel
    std::unordered_map<NodeId, size_t> numbers_;
    std::vector<NodeId> nodes_; // by number
};

} // namespace

FusedKey fused_key(const FusedKernel& kernel, const Plan& plan, const ProgramPlan& program,
                   const std::vector<bool>& members) {
    return FusedKeyWriter(plan, program, members).run(kernel);
}

} // namespace gradc
