// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums values into the rows of a table: zeros first, then value after value, so that the order of addition is fixed.
#include "compiler/program/loops.h"
#include "compiler/program/nest.h"
#include "compiler/util/check.h"

namespace gradc {

using loop::Operation;
using loop::ValueId;

void lower_scatter(const KernelTask& task) {
    const Graph& graph = task.around.program.flat.graph;
    const Member& member = task.plan.stages.at(0).members.at(0);
    const Node& node = graph[member.node];
    const Gather& a = attribute<Gather>(node);
    const Shape& table = node.type.shape;
    const Shape& shape = graph.type(node.inputs[0]).shape;
    int64_t batch = task.around.plan.batch;
    Indices indices(batch);
    Emitter emit(task.kernel, written_buffers(task.plan));
    Values values(emit, task.around, indices, task.lanes);
    task.kernel.grain = 0;
    Dtype dtype = node.type.dtype;
    check(!member.stores.empty(), "lower", "a scatter goes nowhere");
    auto clear = [&](const Position& at, const Carries&) -> Carries {
        for (const Storage& place : member.stores)
            values.write(place, at, emit.number(0, {register_element(dtype), 1}), dtype);
        return {};
    };
    run_shape(values, indices, table, vector_axis(table, batch), batch, {}, clear);
    size_t axis = size_t(a.axis), first = size_t(a.batch);
    size_t looked = graph.type(node.inputs[1]).shape.size() - first; // axes of the values that correspond to `axis`
    int vector = vector_axis(shape, batch);
    if (vector < int(axis + looked)) vector = -1; // lanes would meet in one row
    run_shape(values, indices, shape, vector, batch, {}, [&](const Position& at, const Carries&) -> Carries {
        Position index_at(at.begin(), at.begin() + long(first));
        index_at.insert(index_at.end(), at.begin() + long(axis), at.begin() + long(axis + looked));
        Position to(at.begin(), at.begin() + long(axis));
        to.push_back(index_of(graph, node.inputs[1], index_at, table[axis], indices));
        to.insert(to.end(), at.begin() + long(axis + looked), at.end());
        ValueId value = values.value(node.inputs[0], at);
        for (const Storage& place : member.stores) {
            ValueId sum = emit.apply(Operation::add, {values.read(place, to, dtype), value});
            values.write(place, to, sum, dtype);
        }
        return {};
    });
    emit.finish();
}

} // namespace gradc
