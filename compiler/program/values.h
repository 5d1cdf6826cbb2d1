// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The value of a node at a position, as statements: loads of stored values, arithmetic for all that is only a
// formula, views followed down to their source. Positions are symbolic; loops bind symbols to counters. The vector axis
// is a symbol whose lanes count up from its counter: what does not depend on it stays scalar.
#pragma once
#include "compiler/graph/math_library.h"
#include "compiler/plan/plan.h"
#include "compiler/plan/view.h"
#include "compiler/program/emitter.h"
#include "compiler/program/machine.h"
#include "compiler/program/product/cost.h"

namespace gradc {

/// The dtype of elements in registers: u8 becomes i32, bools are masks.
Dtype register_element(Dtype dtype);

/// The surroundings of a kernel that its lowering reads. All references outlive the lowering.
struct Surroundings {
    const Plan& plan;
    const ProgramPlan& program;
    const MathLibrary* math;          // may be absent if no declared primitive occurs
    const std::vector<bool>& members; // by node: see stored_members
    Machine machine;
    std::optional<ProductTile> tile = {}; // for every product that it fits
};

/// Emits the values that one kernel computes, each once per position and mask.
class Values {
public:
    Values(Emitter& emitter, const Surroundings& around, Indices& indices, int lanes)
        : emit(emitter), around_(around), graph_(around.program.flat.graph), indices_(indices), lanes_(lanes) {}

    /// `aligned`: the counter is a multiple of the lanes.
    void bind(const Index& axis, loop::ValueId counter, bool vector, bool aligned = false);
    bool varies(const Index& index); // over the lanes
    bool varies(const Position& at);

    /// The value from a register or from memory, or computed if it is in neither.
    loop::ValueId value(NodeId node, const Position& at);
    /// Computed, even if it is also in memory.
    loop::ValueId compute(NodeId node, const Position& at);
    loop::ValueId of_view(const View& view);
    loop::ValueId read(const Storage& place, const Position& at, Dtype dtype);
    void write(const Storage& place, const Position& at, loop::ValueId value, Dtype dtype);
    /// Prefetches the cache lines that a vector will be stored to.
    void prefetch(const Storage& place, const Position& at);
    /// Prefetches the cache line of the view's first lane, if its address needs no lookup.
    void prefetch(const View& view);
    /// Makes `value` the value of the node at `at` from here on.
    void remember(NodeId node, const Position& at, loop::ValueId value);

    /// sum + product of the factors; for a maximum, the larger of `sum` and the factor.
    loop::ValueId accumulated(const Reduction& reduction, loop::ValueId sum);
    /// sum + a * b; scalars are splat over the lanes.
    loop::ValueId with_product(loop::ValueId sum, loop::ValueId a, loop::ValueId b);
    loop::ValueId start(const Reduction& reduction, Dtype dtype, int lanes);

    /// Makes `condition`, a scalar of the run, `outcome` from here on. Returns the known values for `unsettle`.
    using Known = std::map<std::tuple<NodeId, Position, loop::ValueId>, loop::ValueId>;
    Known settle(NodeId condition, bool outcome);
    void unsettle(NodeId condition, Known before);
    bool any_settled() const { return !settled_.empty(); }
    /// The node, or the side of it that the settled conditions select.
    NodeId settled(NodeId node) const;
    /// True for a variable whose old value is at `place`.
    bool lies_at(NodeId node, const Storage& place) const;
    /// True if under the settled conditions the member is the value already at `place`.
    bool stays(const Member& member, const Storage& place) const;

    int lanes() const { return lanes_; }
    loop::ValueId mask() const { return mask_; }
    /// Turns off the lanes from `count` (i64) on; `unlimited` turns all on.
    void limit(loop::ValueId count);
    void unlimited() { mask_ = limit_ = loop::no_value; }

    loop::ValueId scalar(const Index& index); // i64; must not vary

    Emitter& emit;

private:
    struct Linear { // scalar + lane * lane_stride + vector (i32)
        loop::Affine scalar;
        int64_t lane_stride = 0;
        loop::ValueId vector = loop::no_value;
    };
    struct Bound {
        loop::ValueId counter = loop::no_value;
        bool vector = false, aligned = false;
    };
    Linear linear(const Index& index);
    bool is_scalar(const Index& index); // more exact than `varies`: it emits the index
    void add_symbol(Linear& sum, SymbolId symbol, int64_t coefficient);
    void add_divided(Linear& sum, const Symbol& symbol, int64_t coefficient);
    void add_vector(Linear& sum, loop::ValueId vector, int64_t coefficient);
    bool lanes_stay_together(const Index& of, int64_t divisor);
    loop::ValueId sum_of(const loop::Affine& affine);
    loop::ValueId vector_of(const Linear& linear);
    loop::ValueId guarded(const Guard& guard);
    Linear address(const Storage& place, const Position& at);
    loop::ValueId nested(NodeId node, const Position& at);
    loop::ValueId nested_loops(const Reduction&, const Position& reduced, loop::ValueId sum);
    loop::ValueId random(NodeId node, const Position& at);
    loop::ValueId iota(NodeId node, const Position& at);
    loop::ValueId constant(NodeId node);

    const Surroundings& around_;
    const Graph& graph_;
    Indices& indices_;
    int lanes_;
    loop::ValueId mask_ = loop::no_value;
    loop::ValueId limit_ = loop::no_value; // the mask without guards
    bool only_limit_ = true;               // the mask is only the limit: disabled lanes may read behind a row
    std::map<SymbolId, Bound> bound_;
    Known known_;
    std::map<NodeId, bool> settled_; // conditions
};

/// A primitive on values in registers. Declared primitives are expanded by their definition.
loop::ValueId apply_primitive(Emitter&, const Surroundings&, Primitive, Dtype dtype,
                              const std::vector<loop::ValueId>& operands);
/// Larger of the two, NaN if either is.
loop::ValueId largest(Emitter&, loop::ValueId a, loop::ValueId b);
/// A conversion between dtypes, rounded as in C.
loop::ValueId cast(Emitter&, loop::ValueId, Dtype from, Dtype to);

} // namespace gradc
