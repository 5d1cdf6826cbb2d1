// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops of the graph, by kind, and the scalar primitives that a `map` applies elementwise. C++ switches on kinds;
// what a primitive means and its derivative stand in dsl/std/primitives.grad, its approximation in math.grad.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gradc {

enum class Kind : uint8_t { leaf, elementwise, reduce, move, index, contract, loop, effect };

enum class Op : uint8_t {
    // leaf
    constant, // Constant: numbers known when compiling
    input,    // Input: a field of the batch, a scalar of the run, an argument of a loop body
    variable, // Variable: a parameter or state, its value at the start of the step
    iota,     // Axes{axis}: the index along one axis of type.shape, as a number
    random,   // Random: uniform in [0, 1); inputs: seed, step [, row ids]; see random.h for the counter
    // map
    elementwise,     // Map: a scalar primitive, all inputs of the same shape
    cast,            // to type.element
    custom_gradient, // inputs (result, arguments..): is result; its derivative is Shield's clause, never that of result
    // reduce
    sum,    // Axes: summed away
    max_of, // Axes: largest, NaN wins
    // move
    reshape,   // to type.shape; N stays where it is (or stays leading)
    permute,   // Axes: output axis i is input axis axes[i]
    broadcast, // Axes: input axis i becomes output axis axes[i]; other output axes are new or stretched from 1
    slice,     // Slice: start, step (may be negative) per axis; sizes are type.shape
    pad,       // Pad: before per axis, value around; sizes are type.shape
    window,    // Window: axis -> (positions, taps), element stride*p + dilation*k; a view
    fold,      // Window: the adjoint: (positions, taps) summed into one axis
    // index
    gather,  // Gather: inputs table, index
    scatter, // Gather: inputs values, index; sum into zeros of type.shape; the adjoint of gather in its table
    // contract
    contract, // Contract: einsum of two operands
    // loop
    scan, // Scan: inputs initial carries.., captures..; its parts are taken with `part`
    part, // Part: carry i after the last turn, or stacked yield i
    // effect
    assign, // Assign: inputs value; sets a variable at the end of the step
};

Kind kind(Op op);
std::string_view name(Op op);
const Op* find_op(std::string_view name); // nullptr if there is none

/// A scalar function, by number in a PrimitiveTable. The first are the machine's own and have fixed numbers.
enum class Primitive : uint16_t {
    add,
    subtract,
    multiply,
    divide,
    negate,
    maximum,
    minimum, // maximum, minimum: NaN wins
    abs,
    sqrt,
    floor,
    less,
    less_equal,
    equal,  // -> bool; false with NaN
    select, // (bool, a, b)
    logical_and,
    logical_or,
    logical_not,
    remainder,          // a - b*floor(a/b), the sign of b; whole or float
    fused_multiply_add, // a*b + c rounded once
    bits,
    from_bits, // f32 <-> i32, f64 <-> i64, same bits
    bit_and,
    bit_or,
    bit_xor,
    shift_left,
    shift_right,   // of whole numbers; shift_right keeps the sign
    quotient,      // floor(a / b), whole or float: a is b * quotient + remainder
    first_declared // the rest is declared in primitives.grad: exp log sin cos tanh erf pow ..
};

/// Names and arities of the scalar primitives; filled from primitives.grad, shared by all graphs of a compilation.
class PrimitiveTable {
public:
    PrimitiveTable(); // the machine's own
    Primitive declare(const std::string& name, int arity);
    const Primitive* find(std::string_view name) const;
    std::string_view name(Primitive primitive) const;
    int arity(Primitive primitive) const;
    size_t size() const;

    /// What a declared primitive means to the evaluator, where the C library has no function of its name.
    using Meaning = std::function<double(const double* arguments)>;
    void define(Primitive primitive, Meaning meaning);
    const Meaning& meaning(Primitive primitive) const; // empty: not given

private:
    struct Entry {
        std::string name;
        int arity;
        Primitive self;
        Meaning meaning = {};
    };
    std::vector<Entry> entries_;
    std::unordered_map<std::string, Primitive> numbers_;
};

} // namespace gradc
