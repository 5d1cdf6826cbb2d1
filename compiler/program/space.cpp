// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the loops over a kernel's space run, decided from where its members read and write.
#include "compiler/plan/members.h"
#include "compiler/program/loops.h"
#include "compiler/program/nest.h"
#include <algorithm>

namespace gradc {

namespace {

class Arrangement {
public:
    Arrangement(const KernelTask& task, bool flat)
        : task_(task), graph_(task.around.program.flat.graph), space_(task.plan.space), batch_(task.around.plan.batch) {
        for (size_t i = 0; i < space_.size(); ++i) loops_.axes.push_back({i, 1, space_[i], 1});
        if (flat) join_axes();
        for (size_t i = 0; i < loops_.axes.size(); ++i) loops_.order.push_back(i);
        for (size_t i = loops_.axes.size(); i-- > 0;) {
            if (elements(loops_.axes[i]) == 1) continue;
            if (flat && loops_.vector < 0) loops_.vector = int(i);
            loops_.part = int(i);
        }
        if (loops_.vector > 0) bring_out_vectors();
    }

    SpaceLoops loops_;

private:
    int64_t elements(const SpaceAxis& axis) const { return axis.size == rows ? batch_ * axis.times : axis.size; }

    void join_axes() {
        while (loops_.axes.size() >= 2) {
            SpaceLoops joined = loops_;
            SpaceAxis last = joined.axes.back();
            joined.axes.pop_back();
            SpaceAxis& axis = joined.axes.back();
            int64_t size = elements(last);
            // By the widest vectors, so that all machines loop alike and round alike.
            const Machine& machine = task_.around.machine;
            int lanes = lanes_of(task_.plan, graph_, machine) * 64 / machine.vector_bytes;
            if (last.size == rows || (size % lanes == 0 && size >= 8 * lanes)) return;
            if (axis.size == rows) axis.times *= size;
            else axis.size *= size;
            axis.count += last.count;
            if (!stays_plain(joined)) return;
            loops_ = joined;
        }
    }

    /// No position needs a quotient that the loops as they are do not need.
    bool stays_plain(const SpaceLoops& joined) { return count_divisions(joined) <= count_divisions(loops_); }
    int count_divisions(const SpaceLoops& loops) {
        int result = 0;
        for_each_access(loops, [&](const Index& where, const Position&, const Indices& indices) {
            for (auto [symbol, coefficient] : where.terms) {
                auto kind = indices[symbol].kind;
                result += kind == Symbol::Kind::quotient || kind == Symbol::Kind::remainder;
            }
        });
        return result;
    }

    /// visit(linear index, indices of the loops, ..) for all reads and writes.
    template <class Visit> void for_each_access(const SpaceLoops& loops, Visit visit) {
        Indices indices(batch_);
        Position counters;
        for (const SpaceAxis& axis : loops.axes) counters.push_back(indices.axis(elements(axis)));
        Position at = space_position(loops, counters, space_, indices);
        for (const Stage& stage : task_.plan.stages)
            for (const Member& member : stage.members) {
                for (const Storage& place : member.stores) visit(linear_index(place, at, indices), counters, indices);
                if (member.from) {
                    visit(linear_index(*member.from, at, indices), counters, indices);
                    continue;
                }
                bool reduces = !member.copies && is_reduction(graph_, member.node);
                Position reduced = reduces ? fresh_axes(reduced_sizes(graph_, member.node), indices) : Position{};
                for (const Read& read :
                     reads_of(graph_, task_.around.members, member.node, member.copies, at, reduced, indices))
                    if (const auto& place = task_.around.program.places[index(read.node)])
                        visit(linear_index(*place, read.at, indices), counters, indices);
            }
    }

    /// From one element to the next along a counter; within a panel, where the counter is cut into such.
    static int64_t stride(const Index& where, const Index& counter, const Indices& indices) {
        int64_t result = 0;
        for (auto [id, coefficient] : where.terms) {
            if (counter.is_constant()) break;
            const Symbol& symbol = indices[id];
            if (id == counter.terms[0].first || (symbol.kind == Symbol::Kind::remainder && symbol.of == counter))
                result = coefficient;
        }
        return result;
    }

    void bring_out_vectors() {
        size_t vector = size_t(loops_.vector), inner = loops_.axes.size();
        for_each_access(loops_, [&](const Index& where, const Position& counters, const Indices& indices) {
            int64_t own = stride(where, counters[vector], indices);
            if (own == 0 || own == 1) return;
            for (size_t i = 0; i < vector; ++i)
                if (stride(where, counters[i], indices) == 1) inner = i;
        });
        if (inner >= vector) return;
        loops_.order.erase(std::find(loops_.order.begin(), loops_.order.end(), inner));
        loops_.order.push_back(inner);
    }

    const KernelTask& task_;
    const Graph& graph_;
    const Shape& space_;
    int64_t batch_;
};

} // namespace

SpaceLoops arrange_space(const KernelTask& task, bool flat) { return Arrangement(task, flat).loops_; }

Position space_position(const SpaceLoops& loops, const Position& counters, const Shape& space, Indices& indices) {
    Position result(space.size());
    for (size_t a = 0; a < loops.axes.size(); ++a) {
        const SpaceAxis& axis = loops.axes[a];
        Index rest = counters[a];
        for (size_t i = axis.first + axis.count; i-- > axis.first + 1;) {
            result[i] = indices.remainder(rest, space[i]);
            rest = indices.quotient(rest, space[i]);
        }
        result[axis.first] = rest;
    }
    return result;
}

} // namespace gradc
