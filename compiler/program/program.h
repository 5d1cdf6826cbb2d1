// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loop IR: a compiled program before it becomes C++ text or LLVM IR. A program is a table of kernels
// over one arena; a kernel is structured code in SSA form: straight statements, counted loops with carried
// values, uniform ifs. Vectors are explicit (lanes > 1); both backends print each statement unchanged.
#pragma once
#include "compiler/plan/buffer.h"
#include <array>
#include <optional>
#include <variant>

namespace gradc::loop {

// ---- values ------------------------------------------------------------------------------------

/// A scalar or vector of the loop IR.
struct ValueType {
    Dtype dtype = Dtype::i64; // boolean: a mask
    int lanes = 1;
    friend bool operator==(const ValueType&, const ValueType&) = default;
};
/// Number of a value in its kernel; no_value: none.
using ValueId = uint32_t;
inline constexpr ValueId no_value = UINT32_MAX;

/// The operations of statements. Vectors operate lane by lane.
enum class Operation : uint8_t {
    // leaves (i64 scalars but for literal and lane_numbers)
    literal,      // Define::number (floats, masks) or ::integer; splat over lanes
    lane_numbers, // 0, 1, 2 .. lanes-1, i32 or i64
    row_count,    // rows of this call
    range_begin,
    range_end, // the part of the kernel's extent that this call works on
    counter,   // the iteration of the enclosing table loop at depth `integer`, outermost 0
    stream,    // i32: a half of Kernel::streams[integer / 2], the lower one if `integer` is even
    // arithmetic; operands of one type
    add,
    subtract,
    multiply,
    divide,
    negate,
    remainder,
    quotient, // integers: remainder and quotient round down (divisor > 0)
    fma,      // a * b + c, rounded once
    sqrt,
    floor,
    abs,
    minimum,
    maximum, // a < b ? a : b, a > b ? a : b: the second operand if either is NaN (x86 minps, maxps)
    less,
    less_equal,
    equal,     // -> mask; ordered
    unordered, // a or b is NaN -> mask
    select,    // mask, a, b
    bit_and,
    bit_or,
    bit_xor,
    bit_not, // integers or masks
    shift_left,
    shift_right,
    shift_right_logical, // integers
    multiply_high,       // i32 as unsigned: high half of the product
    convert,             // number to number: float to integer toward zero; mask to 0 or 1; u8 widens
    reinterpret,         // same bits: f32 <-> i32, f64 <-> i64
    // lanes
    splat,       // scalar -> vector
    extract,     // vector -> scalar; lane `integer`
    insert_lane, // vector, scalar; lane `integer`
    reduce_add,
    reduce_max,
    reduce_min, // vector -> scalar, pairwise: halves joined again and again
    lane_mask,  // i64 count -> mask: lane < count
};

/// offset = constant + sum of coefficient * value; values are i64 scalars.
struct Affine {
    int64_t constant = 0;
    std::vector<std::pair<ValueId, int64_t>> terms;
    friend bool operator==(const Affine&, const Affine&) = default;
};

struct Define { // result = operation(operands)
    ValueId result;
    Operation operation;
    std::vector<ValueId> operands;
    double number = 0;
    int64_t integer = 0;
};
/// Memory of bool buffers is bytes, 0 or 1: a load's result and a stored value have dtype u8 there. Otherwise a load
/// has its buffer's dtype. Integers are never computed in u8; they are converted to i32 first.
/// Lanes element, element + stride, ..; stride 1 is a vector load. With `mask`, lanes that are off are not read
/// and are 0. With `lane_index` (i32 or i64 vector, in elements) each lane reads at element + lane_index.
struct Load {
    ValueId result;
    BufferId buffer;
    Affine element;
    int64_t stride = 1;
    ValueId mask = no_value, lane_index = no_value;
    ValueId wanted = no_value; // without a mask: the lanes that are used; others may be read and may hold anything
};
struct Store { // no lane_index: scatters are scalar loops
    BufferId buffer;
    Affine element;
    ValueId value;
    int64_t stride = 1;
    ValueId mask = no_value;
};
/// A prefetch of the line that contains an element.
struct Prefetch {
    BufferId buffer;
    Affine element;
    bool for_write = false;
};
struct Comment { // a line for people: a formula, a shape; a source line
    std::string text;
};

struct Statement;
/// Statements in order.
using Body = std::vector<Statement>;

/// A value that a loop carries from one iteration to the next.
struct Carried {
    ValueId phi;     // value inside, in each iteration
    ValueId initial; // before the first iteration
    ValueId next;    // after an iteration
    ValueId result;  // after the loop
};
struct Loop {      // for (index = begin; index < end; index += step)
    ValueId index; // i64
    ValueId begin, end;
    int64_t step = 1;
    std::string name; // of the index: n, k, t
    std::vector<Carried> carried;
    Body body;
};
struct If {            // uniform
    ValueId condition; // scalar mask
    Body then, otherwise;
};
/// One statement of a body.
struct Statement {
    std::variant<Define, Load, Store, Prefetch, Comment, Loop, If> node;
};

// ---- kernels and the table ---------------------------------------------------------------------

/// The work of a kernel, in items that may be split over workers: fixed + ceil(rows * per_row / divisor).
struct Extent {
    int64_t fixed = 1;
    int64_t per_row = 0, divisor = 1;
};
inline int64_t items(const Extent& extent, int64_t rows) {
    return extent.fixed + (rows * extent.per_row + extent.divisor - 1) / extent.divisor;
}
/// A value that is a known function of others, for people: a backend may print the call in place of its statements.
struct Call {
    ValueId result;
    std::string function; // "exp", "max"
    std::vector<ValueId> arguments;
};

/// A kernel of the module, for a machine.
struct KernelNumber {
    int program = 0, kernel = 0;
    friend auto operator<=>(const KernelNumber&, const KernelNumber&) = default;
};
/// One kernel for one instruction set.
struct Kernel {
    std::string name;                  // a C identifier: relu_linear_1
    std::vector<std::string> comments; // formulas, shapes, model lines; printed above the function
    Extent extent;
    int64_t grain = 1;              // fewest items worth a worker; 0: never split
    std::vector<ValueType> types;   // by ValueId
    std::vector<std::string> names; // by ValueId, "" where nameless; for the C++ text
    std::vector<Call> calls;        // for the C++ text
    Body body;
    double flops = 0, bytes = 0, nanoseconds = 0; // for the largest batch; the time is an estimate, of one thread
    std::vector<uint64_t> streams;                // of random numbers
    /// The kernel whose function runs for this one as well (merge.h). This one then has no types, names and statements
    /// of its own: `buffers` take the places of those in the other's statements, `streams` those of its streams.
    std::optional<KernelNumber> same_as;
    std::vector<BufferId> buffers;
    bool once = false;            // runs in no program but those that run once in a while
    bool takes_arguments = false; // its function finds buffers and streams in its arguments (code.h)
};

/// The machines that kernels are compiled for. Plans are equal; vector widths and tiles differ.
enum class Isa : uint8_t { baseline, avx2, avx512 };
/// Number of instruction sets.
inline constexpr int isa_count = 3;

/// A training step whose kernels take less time than their calls. It also becomes one function over many steps
/// (gradc_steps in runtime/abi.h) that contains all kernels.
struct MultiStep {
    int64_t rows = 1;              // of each step: the largest batch
    std::vector<BufferId> cleared; // accumulators: zero at the start of an epoch
};

/// A table of steps over the kernels of the module.
struct Program {
    std::string name; // "train.step"
    std::vector<Kernel> kernels;
    std::vector<Step> table;
    std::vector<Result> results; // of a step: the loss is the first
    double flops = 0;
    std::optional<MultiStep> multi_step;
};

/// Everything that is compiled into one trainer: the buffers of one arena, and the programs.
struct Module {
    std::string name;
    std::vector<Buffer> buffers;
    /// By program, by ISA; tables and results are equal. A program lowered for the baseline alone serves all machines.
    std::vector<std::array<std::optional<Program>, isa_count>> programs;
    std::vector<Isa> isas; // machines it is built for
    int64_t arena_bytes = 0;
    int64_t batch = 1; // largest number of rows
};

} // namespace gradc::loop
