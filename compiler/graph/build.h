// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Typed construction: each function infers its result's type from its inputs, so that callers name only what is
// free. Shapes must already fit (callers report users' errors before; here a misfit is an internal error).
#pragma once
#include "compiler/graph/graph.h"

namespace gradc::build {

NodeId constant(Graph&, double value, Dtype dtype = Dtype::f32, Shape shape = {}, Span = {});
NodeId constant(Graph&, std::vector<double> values, Type type, Span = {});
NodeId scalar_input(Graph&, const std::string& name, Dtype dtype, Span = {}); // "rows", "step", "rate"
NodeId variable(Graph&, const std::string& path, Type type, Span = {});
NodeId iota(Graph&, Shape shape, int axis, Dtype dtype = Dtype::i32, Span = {});

/// Inputs are broadcast to a common shape by numpy's rule first; their elements must agree (select: all but the first).
NodeId elementwise(Graph&, Primitive, std::vector<NodeId> inputs, Span = {});
NodeId cast(Graph&, NodeId, Dtype, Span = {});
NodeId sum(Graph&, NodeId, std::vector<int> axes, Span = {});
NodeId max_of(Graph&, NodeId, std::vector<int> axes, Span = {});
NodeId reshape(Graph&, NodeId, Shape, Span = {});
NodeId permute(Graph&, NodeId, std::vector<int> axes, Span = {});
NodeId broadcast(Graph&, NodeId, Shape, std::vector<int> axes, Span = {});
NodeId broadcast_to(Graph&, NodeId, const Shape&, Span = {}); // numpy's rule, last axes align
/// Sums x down to `shape`: the adjoint of broadcast_to.
NodeId sum_to(Graph&, NodeId, const Shape&, Span = {});
NodeId slice(Graph&, NodeId, std::vector<int64_t> start, std::vector<int64_t> step, Shape, Span = {});
NodeId pad(Graph&, NodeId, std::vector<int64_t> before, Shape, double value, Span = {});
NodeId window(Graph&, NodeId, Window, int64_t positions, int64_t taps, Span = {});
NodeId fold(Graph&, NodeId, Window, int64_t size, Span = {});
NodeId gather(Graph&, NodeId table, NodeId index, Gather, Span = {});
NodeId scatter(Graph&, NodeId values, NodeId index, Gather, Shape table, Span = {});
NodeId contract(Graph&, NodeId left, NodeId right, Contract, Span = {});
NodeId concat(Graph&, std::vector<NodeId> parts, int axis, Span = {}); // sum of pads, or select on iota for non-floats
NodeId assign(Graph&, const std::string& path, NodeId value, Span = {});
/// All carries and yields of a scan, in order of its body's outputs.
std::vector<NodeId> scan(Graph&, Graph body, std::vector<NodeId> carries, std::vector<NodeId> captures,
                         int64_t iterations, bool reverse, Span = {});

} // namespace gradc::build
