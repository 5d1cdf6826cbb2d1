// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops of the graph, by kind, and the scalar primitives that the op `elementwise` applies. C++ switches on kinds.
// dsl/std/primitives.grad gives the meaning and the derivative of each primitive, math.grad its approximation.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gradc {

/// Groups of ops that the compiler treats alike.
enum class Kind : uint8_t { leaf, elementwise, reduce, move, index, contract, loop, effect };

/// Each op with its attributes (graph.h), then its inputs and result. `type` is the result's.
enum class Op : uint8_t {
    // leaf
    constant, // Constant: numbers that are known when compiling
    input,    // Input: a field of the batch, a scalar of the run, an argument of a loop body
    variable, // Variable: a parameter or state, its value at the start of the step
    iota,     // Axes{axis}: each element is its index along one axis of type.shape
    random,   // Random: uniform in [0, 1); inputs seed, step [, row numbers]; random.h has the counter
    // elementwise
    elementwise,     // Elementwise: a scalar primitive; all inputs have the shape of the result
    cast,            // to type.dtype, same shape
    custom_gradient, // CustomGradient: inputs result, arguments..; the value is `result`, the derivative a clause's
    // reduce
    sum,    // Axes: the axes that are summed and removed
    max_of, // Axes: the axes that are removed; the largest element, NaN if there is one
    // move
    reshape,   // to type.shape, in C order; N keeps its place (verify.h: `reshapes`)
    permute,   // Axes: axis i of the result is axis axes[i] of the input
    broadcast, // Axes, ascending: axis i of the input is axis axes[i] of the result; other axes are new, 1 stretches
    slice,     // Slice: start and step (may be negative) of each axis; the sizes are type.shape
    pad,       // Pad: places before the input on each axis, and the value around it; the sizes are type.shape
    window,    // Window: one axis becomes (positions, taps); (p, k) is element stride*p + dilation*k; a view
    fold,      // Window: the adjoint of window: (positions, taps) are summed into one axis
    // index
    gather,  // Gather: inputs table, index; rows of the table by number
    scatter, // Gather: inputs values, index; values are added into zeros of type.shape; the adjoint of gather
    // contract
    contract, // Contract: inputs left, right; einsum of two operands
    // loop
    scan, // Scan: inputs initial carries.., captures..; no value of its own, `part` takes its results
    part, // Part: input scan; a carry after the last iteration, or a yield stacked by iteration
    // effect
    assign, // Assign: input value; sets a variable at the end of the step
};

/// The group of an op.
Kind kind(Op op);
/// The enumerator's own name, as in the text of graphs.
std::string_view name(Op op);
/// The op of this name, in static memory; nullptr if there is none.
const Op* find_op(std::string_view name);

/// A scalar function, by its number in a PrimitiveTable. Those named here are instructions of the machine, with the
/// same number in every table. Operands and result have one dtype where the comment does not say otherwise.
enum class Primitive : uint16_t {
    add,
    subtract,
    multiply,
    divide,
    negate,
    maximum,
    minimum, // maximum, minimum: NaN if an operand is NaN
    abs,
    sqrt,
    floor,
    less,
    less_equal,
    equal,  // less, less_equal, equal: -> bool, false if an operand is NaN
    select, // (bool, a, b): a where true, else b
    logical_and,
    logical_or,
    logical_not,
    remainder,          // a - b*floor(a/b), the sign of b; integer or floating
    fused_multiply_add, // a*b + c, rounded once
    bits,
    from_bits, // bits: f32 -> i32, f64 -> i64, same bits; from_bits: back
    bit_and,
    bit_or,
    bit_xor,
    shift_left,
    shift_right,   // of integers; shift_right keeps the sign
    quotient,      // floor(a / b), integer or floating: a is b * quotient + remainder
    first_declared // from here on: declared in primitives.grad: exp log sin cos tanh erf pow ..
};

/// Names and arities of the scalar primitives. Filled from primitives.grad; all graphs of a compilation share one table
/// and own it together.
class PrimitiveTable {
public:
    /// A table of the machine's primitives.
    PrimitiveTable();
    /// Adds a primitive, or finds the one of this name. An internal error if that one has another arity.
    Primitive declare(const std::string& name, int arity);
    /// Nullptr if there is none. Valid as long as the table.
    const Primitive* find(std::string_view name) const;
    std::string_view name(Primitive primitive) const;
    /// Number of operands.
    int arity(Primitive primitive) const;
    /// Number of primitives; their numbers are 0 .. size() - 1.
    size_t size() const;

    /// Computes a declared primitive of `arity` arguments in double, for the evaluator.

private:
    struct Entry {
        std::string name;
        int arity;
        Primitive self;
    };
    std::vector<Entry> entries_;
    std::unordered_map<std::string, Primitive> numbers_;
};

} // namespace gradc
