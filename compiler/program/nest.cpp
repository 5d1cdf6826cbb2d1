// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Space loops outside, stages one after another inside. Without inner loops the space's last axis runs by vectors, else
// each stage's last axis; sums over a stage are vectors until its end.
#include "compiler/program/nest.h"
#include "compiler/plan/members.h"
#include "compiler/program/branches.h"
#include "compiler/program/loops.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <limits>

namespace gradc {

using loop::no_value;
using loop::Operation;
using loop::ValueId;
using loop::ValueType;

std::set<loop::BufferId> written_buffers(const FusedKernel& plan) {
    std::set<loop::BufferId> result;
    for (const Stage& stage : plan.stages)
        for (const Member& member : stage.members)
            for (const Storage& place : member.stores) result.insert(place.buffer);
    return result;
}

const FusedKernel& whole_of(const FusedKernel& kernel, const ProgramPlan& program) {
    return kernel.repeats ? program.kernels[*kernel.repeats] : kernel;
}

int lanes_of(const FusedKernel& plan, const Graph& graph, const Machine& machine) {
    int64_t widest = 0;
    for (const Stage& stage : plan.stages)
        for (const Member& member : stage.members) {
            const Type& type = graph.type(member.node);
            if (floating(type.dtype) && (!type.shape.empty() || widest == 0))
                widest = std::max(widest, bytes(type.dtype));
        }
    return machine.vector_bytes / int(widest ? widest : 4);
}

void Made::make(const Member& member, const Position& at) {
    bool needed = !values_.any_settled();
    for (const Storage& place : member.stores) needed = needed || !values_.stays(member, place);
    if (!needed) return;
    Dtype dtype = task_.around.program.flat.graph.type(member.node).dtype;
    made(member, at,
         member.from     ? values_.read(*member.from, at, dtype)
         : member.copies ? values_.value(member.node, at)
                         : values_.compute(member.node, at));
}

void Made::made(const Member& member, const Position& at, ValueId value) {
    if (!member.copies) values_.remember(member.node, at, value);
    all_.push_back({&member, at, value});
}

void Made::store() {
    const Graph& graph = task_.around.program.flat.graph;
    for (const One& one : all_)
        for (const Storage& place : one.member->stores)
            if (!values_.stays(*one.member, place))
                values_.write(place, one.at, one.value, graph.type(one.member->node).dtype);
    all_.clear();
}

namespace {

constexpr size_t most_cuts = 8; // each is one more copy of the loop's code

/// The member is a reduction over its stage's inner loops.
bool ends_in_sum(const Member& member, const FusedKernel& plan, const Graph& graph) {
    return !member.copies && graph.type(member.node).shape.size() == plan.space.size() &&
           is_reduction(graph, member.node);
}

class Nest {
public:
    explicit Nest(const KernelTask& task)
        : task_(task), graph_(task.around.program.flat.graph), batch_(task.around.plan.batch), indices_(batch_),
          emit_(task.kernel, written_buffers(task.plan)), values_(emit_, task.around, indices_, task.lanes) {
        for (const Stage& stage : task.plan.stages) flat_ &= stage.inner.empty();
    }

    void run() {
        loops_ = arrange_space(task_, flat_);
        indices_at_.resize(loops_.axes.size());
        set_extent();
        if (flat_ && task_.plan.stages.size() == 1 && !task_.plan.space.empty())
            Branches(values_, task_.plan, task_.around.program).run([&] { at_axis(0); });
        else at_axis(0);
        emit_.finish();
    }

private:
    void set_extent() {
        loop::Kernel& kernel = task_.kernel;
        if (loops_.part < 0) {
            kernel.grain = 0;
            return;
        }
        const SpaceAxis& axis = loops_.axes[size_t(loops_.part)];
        block_ = loops_.part == loops_.vector ? 64 : 1;
        kernel.extent = extent_of(axis.size, block_, axis.times);
    }

    void at_axis(size_t depth) {
        if (depth == loops_.order.size())
            return stages(space_position(loops_, indices_at_, task_.plan.space, indices_));
        size_t number = loops_.order[depth];
        const SpaceAxis& own = loops_.axes[number];
        std::string name = own.size == rows ? "n" : std::string(1, char("ijklpqrs"[number % 8]));
        Axis axis{own.size, own.times, int(number) == loops_.vector, name};
        if (int(number) == loops_.part) take_part(values_, axis, block_);
        run_axis(values_, indices_, axis, batch_, {}, [&](const Index& index, const Carries&) -> Carries {
            indices_at_[number] = index;
            at_axis(depth + 1);
            return {};
        });
    }

    void stages(const Position& point) {
        for (const Stage& stage : task_.plan.stages)
            if (stage.inner.empty()) {
                Made all(values_, task_);
                for (const Member& member : stage.members) all.make(member, point);
                all.store();
            } else {
                inner_stage(stage, point);
            }
    }

    bool sums_up(const Member& member) const { return ends_in_sum(member, task_.plan, graph_); }

    void inner_stage(const Stage& stage, const Position& point) {
        int vector = vector_axis(stage.inner, batch_);
        Carries sums;
        std::vector<const Member*> summed;
        for (const Member& member : stage.members)
            if (sums_up(member)) {
                Reduction all = reduction_at(member.node, point, fresh_axes(stage.inner, indices_));
                sums.push_back(values_.start(all, graph_.type(member.node).dtype, vector < 0 ? 1 : values_.lanes()));
                summed.push_back(&member);
            }
        auto body = [&](const Position& inner, const Carries& carried) {
            return iteration(stage, point, inner, carried);
        };
        sums = run_shape(values_, indices_, stage.inner, vector, batch_, sums, body, cuts(stage, point, vector));
        for (size_t i = 0; i < summed.size(); ++i) finish(*summed[i], point, sums[i]);
    }

    /// Where the vector axis of a stage enters or leaves what its members read: parts that are put side by side. In
    /// the loops between them each part is read or not read, without masks.
    std::set<int64_t> cuts(const Stage& stage, const Position& point, int vector) {
        std::set<int64_t> result;
        if (vector < 0 || stage.inner[size_t(vector)] == rows) return result;
        const int64_t size = stage.inner[size_t(vector)], lanes = values_.lanes();
        Position at = point, inner = fresh_axes(stage.inner, indices_);
        at.insert(at.end(), inner.begin(), inner.end());
        auto note = [&](int64_t cut) {
            if (cut > 0 && cut % lanes == 0 && size - cut >= lanes) result.insert(cut);
        };
        for (const Member& member : stage.members) {
            if (member.from || (!member.copies && is_reduction(graph_, member.node))) continue;
            for (const Read& read :
                 reads_of(graph_, task_.around.members, member.node, member.copies, at, {}, indices_))
                for (const Index& index : read.at) {
                    if (index.terms.size() != 1) continue;
                    const Symbol& symbol = indices_[index.terms[0].first];
                    if (symbol.kind != Symbol::Kind::clamped) continue; // no guard
                    Index distance = indices_.sum(symbol.of, indices_.scaled(inner[size_t(vector)], -1));
                    if (!distance.is_constant()) continue;
                    note(-distance.constant);
                    note(symbol.size - distance.constant);
                }
        }
        if (result.size() > most_cuts) result.clear();
        return result;
    }

    Reduction reduction_at(NodeId node, const Position& point, const Position& inner) {
        return reduction(graph_, node, point, inner, indices_);
    }

    Carries iteration(const Stage& stage, const Position& point, const Position& inner, const Carries& carried) {
        Carries next;
        Made all(values_, task_);
        for (const Member& member : stage.members) {
            if (!sums_up(member)) {
                Position at = point;
                at.insert(at.end(), inner.begin(), inner.end());
                all.make(member, at);
                continue;
            }
            ValueId before = carried[next.size()];
            ValueId sum = values_.accumulated(reduction_at(member.node, point, inner), before);
            if (values_.mask() != no_value) sum = emit_.apply(Operation::select, {values_.mask(), sum, before});
            next.push_back(sum);
        }
        all.store();
        return next;
    }

    void finish(const Member& member, const Position& point, ValueId sum) {
        Dtype dtype = graph_.type(member.node).dtype;
        if (emit_.type(sum).lanes > 1) sum = across_lanes(graph_[member.node].op == Op::max_of, sum);
        values_.remember(member.node, point, sum);
        for (const Storage& place : member.stores) values_.write(place, point, sum, dtype);
    }

    ValueId across_lanes(bool largest, ValueId sum) {
        ValueType type = emit_.type(sum), one{type.dtype, 1};
        if (!largest) return emit_.define(Operation::reduce_add, one, {sum});
        if (type.dtype == Dtype::boolean) {
            ValueId number = emit_.convert(sum, Dtype::i32);
            return cast(emit_, emit_.define(Operation::reduce_max, {Dtype::i32, 1}, {number}), Dtype::i32,
                        Dtype::boolean);
        }
        ValueId result = emit_.define(Operation::reduce_max, one, {sum});
        if (!floating(type.dtype)) return result;
        ValueId lost = emit_.convert(emit_.compare(Operation::unordered, sum, sum), type.dtype);
        ValueId any = emit_.define(Operation::reduce_max, one, {lost});
        ValueId nan = emit_.number(std::numeric_limits<double>::quiet_NaN(), one);
        return emit_.apply(Operation::select, {emit_.compare(Operation::less, emit_.number(0, one), any), nan, result});
    }

    const KernelTask& task_;
    const Graph& graph_;
    int64_t batch_;
    Indices indices_;
    Emitter emit_;
    Values values_;
    bool flat_ = true;
    SpaceLoops loops_;
    Position indices_at_; // by axis of loops_
    int64_t block_ = 1;
};

} // namespace

/// Most elements that a loop by vectors runs over.
static int64_t longest_run(const KernelTask& task) {
    int64_t batch = task.around.plan.batch, longest = 1;
    auto note = [&](const Shape& shape, int axis) {
        if (axis >= 0) longest = std::max(longest, shape[size_t(axis)] == rows ? batch : shape[size_t(axis)]);
    };
    bool flat = true;
    for (const Stage& stage : task.plan.stages) {
        note(stage.inner, vector_axis(stage.inner, batch));
        flat &= stage.inner.empty();
    }
    SpaceLoops loops = flat ? arrange_space(task, true) : SpaceLoops{};
    if (loops.vector < 0) return longest;
    const SpaceAxis& axis = loops.axes[size_t(loops.vector)];
    return std::max(longest, (axis.size == rows ? batch : axis.size) * axis.times);
}

static bool sums_along_vectors(const KernelTask& task) {
    const Graph& graph = task.around.program.flat.graph;
    for (const Stage& stage : task.plan.stages) {
        if (vector_axis(stage.inner, task.around.plan.batch) < 0) continue;
        for (const Member& member : stage.members)
            if (ends_in_sum(member, task.plan, graph)) return true;
    }
    return false;
}

/// Sums along vectors use 64 bytes of lanes on every machine, so that they have the same order, and the
/// same bits, on all that have fused multiply-add. Otherwise vectors are no wider than the loops are long: lanes that
/// are never on cost as much as others. A sum no longer than its lanes has the same order with fewer of them.
void lower_nest(const KernelTask& task) {
    KernelTask fitting = task;
    const FusedKernel& whole = whole_of(task.plan, task.around.program);
    int64_t longest = longest_run(
        {whole.kind == task.plan.kind ? whole : task.plan, task.around, task.kernel, task.lanes, task.locals});
    int vector_bytes = task.around.machine.vector_bytes, least = task.lanes * 16 / vector_bytes;
    if (task.around.machine.fused && sums_along_vectors(task)) fitting.lanes = task.lanes * 64 / vector_bytes;
    while (fitting.lanes > least && fitting.lanes / 2 >= longest) fitting.lanes /= 2;
    Nest(fitting).run();
}

} // namespace gradc
