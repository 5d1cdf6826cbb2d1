// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc_module_table as data: arrays of C initializers, each defined before it is named. Both backends print it, so
// that the layout of abi.h is written down once.
#pragma once
#include "compiler/target/metadata.h"
#include <optional>
#include <string>
#include <vector>

namespace gradc::target {

struct TableFunction {
    int program = 0, kernel = 0;
    loop::Isa isa = loop::Isa::baseline;
    bool built = false; // else NULL
    bool steps = false; // the program's function over many steps, not one of its kernels
};
struct TableValue {
    enum class Kind : uint8_t { i32, i64, f64, text, array, function, members } kind = Kind::i32;
    int64_t integer = 0; // i32, i64; array: number of the array whose first element is meant, -1: NULL
    double number = 0;
    std::optional<loop::BufferId> buffer = {}; // i32: an argument of a kernel, this buffer's offset
    std::string text = {};
    TableFunction function = {};
    std::vector<TableValue> members = {}; // of a struct, or of the one array inside a struct: gradc_kernel::functions
};

struct Table {
    struct Array {
        std::string type; // C's: "gradc_tensor", "int64_t"; "unsigned char" has bytes in place of elements
        std::string name; // unique: "shape_3"
        std::vector<TableValue> elements;
        std::string bytes;
        std::string comment; // what the numbers are
    };
    std::vector<Array> arrays;
    TableValue module; // gradc_module
};

/// `sharing`: kernels with equal code have one function and arguments; else each has a function of its own. Throws
/// InternalError if the metadata names buffers or programs that the module lacks.
Table make_table(const loop::Module& module, const Metadata& metadata, bool sharing);

/// The name of a kernel's function: train_step__relu_linear_1__avx2.
std::string symbol(const loop::Program& program, const loop::Kernel& kernel, loop::Isa isa);
/// The name of a program's function over many steps: train_step__steps__avx2.
std::string steps_symbol(const loop::Program& program, loop::Isa isa);
std::string symbol(const loop::Module& module, const TableFunction& function);

} // namespace gradc::target
