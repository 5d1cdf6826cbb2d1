// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which matrices are stored as panels. A product reads W neighbors of a row at a time, row after row; stored as
// [N/W][K][W] they are contiguous. Matrices that lookups read, or products along rows, keep C order.
#include "compiler/plan/members.h"
#include "compiler/plan/program_plan.h"
#include <algorithm>
#include <set>

namespace gradc {

namespace {

/// Four or three of the widest vectors; for narrow matrices the smallest number of vectors that holds a row.
constexpr int64_t wide = 64, narrower = 48, narrowest = 16;

int64_t padded(int64_t columns, int64_t width) { return (columns + width - 1) / width * width; }

class Panels {
public:
    explicit Panels(Plan& plan) : plan_(plan) {}

    void run() {
        for (const ProgramPlan& program : plan_.programs)
            for (const FusedKernel& kernel : program.kernels)
                if (kernel.kind == FusedKernel::Kind::product) note_operands(program, kernel);
        for (const ProgramPlan& program : plan_.programs)
            for (const FusedKernel& kernel : program.kernels) note_companions(kernel);
        for (const ProgramPlan& program : plan_.programs) {
            std::vector<bool> members = stored_members(program);
            for (const FusedKernel& kernel : program.kernels) note_misfits(program, kernel, members);
        }
        for (loop::BufferId id : misfits_) chosen_.erase(id);
        for (loop::BufferId id : chosen_) resize(plan_.buffers[id]);
        for (ProgramPlan& program : plan_.programs) adapt(program);
    }

private:
    bool eligible(loop::BufferId id) const {
        const loop::Buffer& buffer = plan_.buffers[id];
        bool owned = buffer.role == loop::Buffer::Role::variable || buffer.role == loop::Buffer::Role::activation;
        return owned && floating(buffer.dtype) && buffer.shape.size() == 2 && buffer.shape[0] > 1 &&
               buffer.shape[1] >= 8;
    }

    /// The label of the result's last axis with more than one element.
    int column_label(const Graph& graph, NodeId id) const {
        const auto& out = attribute<Contract>(graph[id]).out;
        for (size_t i = out.size(); i-- > 0;)
            if (int64_t size = graph.type(id).shape[i]; (size == rows ? plan_.batch : size) > 1) return out[i];
        return -1;
    }

    void note_operands(const ProgramPlan& program, const FusedKernel& kernel) {
        const Graph& graph = program.flat.graph;
        NodeId id = kernel.stages[0].members[0].node;
        const Contract& labels = attribute<Contract>(graph[id]);
        int column = column_label(graph, id);
        for (size_t side = 0; side < 2; ++side) {
            const auto& own = side ? labels.right : labels.left;
            NodeId operand = graph[id].inputs[side];
            const auto& place = program.places[index(operand)];
            if (!place || !place->iterations.empty() || !eligible(place->buffer) || own.size() != 2 || own[1] != column)
                continue;
            if (graph.type(operand).shape[0] == rows) continue;
            chosen_.insert(place->buffer);
        }
    }

    /// Values of the same shape that the same kernel writes, such as optimizer state, become panels too.
    void note_companions(const FusedKernel& kernel) {
        std::set<loop::BufferId> written;
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members)
                for (const Storage& place : member.stores)
                    if (eligible(place.buffer) && place.iterations.empty()) written.insert(place.buffer);
        std::set<Shape> shapes;
        for (loop::BufferId id : written)
            if (chosen_.count(id)) shapes.insert(plan_.buffers[id].shape);
        for (loop::BufferId id : written)
            if (shapes.count(plan_.buffers[id].shape) && plan_.buffers[id].role == loop::Buffer::Role::variable)
                chosen_.insert(id);
    }

    void note_misfits(const ProgramPlan& program, const FusedKernel& kernel, const std::vector<bool>& members) {
        const Graph& graph = program.flat.graph;
        Indices indices(plan_.batch);
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members) {
                for (const Storage& place : member.stores)
                    if (place.strides.size() != 2 || graph.type(member.node).shape[0] == rows ||
                        !place.iterations.empty())
                        misfits_.insert(place.buffer);
                if (member.from) continue;
                Candidate c =
                    analyse(program.flat, members, member.node, member.copies, kernel.region, indices, plan_.batch);
                bool product = kernel.kind == FusedKernel::Kind::product && &member == &stage.members[0];
                for (const Read& read : c.reads) note_read(program, c, read, product, indices);
            }
    }

    void note_read(const ProgramPlan& program, const Candidate& reader, const Read& read, bool product,
                   const Indices& indices) {
        const auto& place = program.places[index(read.node)];
        if (!place || !chosen_.count(place->buffer)) return;
        bool plain = read.at.size() == 2 && program.flat.graph.type(read.node).shape[0] != rows;
        for (const Index& index : read.at)
            for (auto [symbol, coefficient] : index.terms)
                plain &= indices[symbol].kind == Symbol::Kind::axis && coefficient == 1;
        if (plain && product) { // by vectors, along the result's columns
            Index column;
            for (const Index& axis : reader.axes)
                if (!axis.is_constant()) column = axis;
            plain = read.at[1] == column;
        }
        if (!plain) misfits_.insert(place->buffer);
    }

    void resize(loop::Buffer& buffer) {
        int64_t columns = buffer.shape[1];
        buffer.panel = padded(columns, narrower) < padded(columns, wide) ? narrower : wide;
        buffer.panel = std::min(buffer.panel, padded(columns, narrowest));
        int64_t panels = (columns + buffer.panel - 1) / buffer.panel;
        buffer.strides = {buffer.panel, 1};
        buffer.size = panels * buffer.shape[0] * buffer.panel * bytes(buffer.dtype);
    }

    void adapt(ProgramPlan& program) {
        auto adapt_place = [&](Storage& place) {
            const loop::Buffer& buffer = plan_.buffers[place.buffer];
            if (!buffer.panel) return;
            place.panel = buffer.panel;
            place.depth = buffer.shape[0];
            place.strides = buffer.strides;
        };
        for (auto& place : program.places)
            if (place) adapt_place(*place);
        for (FusedKernel& kernel : program.kernels)
            for (Stage& stage : kernel.stages)
                for (Member& member : stage.members) {
                    for (Storage& place : member.stores) adapt_place(place);
                    if (member.from) adapt_place(*member.from);
                }
    }

    Plan& plan_;
    std::set<loop::BufferId> chosen_, misfits_;
};

} // namespace

void lay_out_panels(Plan& plan) { Panels(plan).run(); }

} // namespace gradc
