// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constructors of nodes that infer the type of the result, so that callers give only what is free. An operation that
// changes nothing adds no node and returns its input. Shapes must fit: callers report users' errors before, and here a
// misfit throws InternalError. Names of parameters: `shape` is the shape of the result, `axes` count from 0.
#pragma once
#include "compiler/graph/graph.h"

namespace gradc::build {

/// `value` everywhere.
NodeId constant(Graph&, double value, Dtype dtype = Dtype::f32, Shape shape = {}, Span = {});
/// One value, or one for each element in C order.
NodeId constant(Graph&, std::vector<double> values, Type type, Span = {});
/// A scalar of the run: "rows", "step", "rate"; see Input.
NodeId scalar_input(Graph&, const std::string& name, Dtype dtype, Span = {});
/// The value of a parameter or state at the start of the step.
NodeId variable(Graph&, const std::string& path, Type type, Span = {});
/// Each element is its index along `axis`.
NodeId iota(Graph&, Shape shape, int axis, Dtype dtype = Dtype::i32, Span = {});

/// Broadcasts the inputs to a common shape by numpy's rule. Their dtypes must agree, but for the condition of select.
NodeId elementwise(Graph&, Primitive, std::vector<NodeId> inputs, Span = {});
/// From floating to integer it cuts toward zero.
NodeId cast(Graph&, NodeId, Dtype, Span = {});
/// Sum over `axes`, which are removed; they may be in any order.
NodeId sum(Graph&, NodeId, std::vector<int> axes, Span = {});
/// Maximum over `axes`, which are removed; NaN if an element is NaN.
NodeId max_of(Graph&, NodeId, std::vector<int> axes, Span = {});
/// Same elements in C order. Reshapes of reshapes are one node.
NodeId reshape(Graph&, NodeId, Shape, Span = {});
/// Axis i of the result is axis axes[i] of the input. Permutes of permutes are one node.
NodeId permute(Graph&, NodeId, std::vector<int> axes, Span = {});
/// Axis i of the input becomes axis axes[i]; the other axes are new. Adds a permute if `axes` do not ascend.
NodeId broadcast(Graph&, NodeId, Shape, std::vector<int> axes, Span = {});
/// By numpy's rule: the last axes align.
NodeId broadcast_to(Graph&, NodeId, const Shape&, Span = {});
/// The adjoint of broadcast_to: sums x over the axes that broadcast_to would add or stretch.
NodeId sum_to(Graph&, NodeId, const Shape&, Span = {});
/// Element i along an axis is element start + i*step of the input.
NodeId slice(Graph&, NodeId, std::vector<int64_t> start, std::vector<int64_t> step, Shape, Span = {});
/// `before` elements of `value` on each axis, then the input, then `value` up to `shape`.
NodeId pad(Graph&, NodeId, std::vector<int64_t> before, Shape, double value, Span = {});
/// Axis `Window::axis` becomes (positions, taps).
NodeId window(Graph&, NodeId, Window, int64_t positions, int64_t taps, Span = {});
/// The adjoint of window: (positions, taps) are summed into one axis of `size` elements.
NodeId fold(Graph&, NodeId, Window, int64_t size, Span = {});
/// See Gather for the shapes. `index` is of an integer dtype.
NodeId gather(Graph&, NodeId table, NodeId index, Gather, Span = {});
/// Adds `values` into zeros of shape `table`; elements with equal indices are added up.
NodeId scatter(Graph&, NodeId values, NodeId index, Gather, Shape table, Span = {});
/// The result has the axes of Contract::out, with the sizes of the operands.
NodeId contract(Graph&, NodeId left, NodeId right, Contract, Span = {});
/// Parts side by side along `axis`, which is not N. A sum of pads; of integers a select by iota, since a sum may wrap.
NodeId concat(Graph&, std::vector<NodeId> parts, int axis, Span = {});
/// Sets variable `path` at the end of the step; the node has the value that is assigned.
NodeId assign(Graph&, const std::string& path, NodeId value, Span = {});
/// Takes `body` over. Returns the parts of all carries and yields, in the order of the body's outputs. The scan also
/// yields its carries before each iteration, for `saved_carry`.
std::vector<NodeId> scan(Graph&, Graph body, std::vector<NodeId> carries, std::vector<NodeId> captures,
                         int64_t iterations, bool reverse, Span = {});

} // namespace gradc::build
