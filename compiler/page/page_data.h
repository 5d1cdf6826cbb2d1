// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The data of the page of `gradc inspect --html` for one compiled program, with links between its parts: values (boxes
// of the graph, each with a formula), kernels, buffers of the arena, lines of the model file. Offsets and sizes are in
// bytes.
#pragma once
#include "compiler/explain/notation.h"
#include "compiler/page/layers.h"
#include "compiler/plan/plan.h"
#include "compiler/program/program.h"
#include "dsl/source.h"
#include <set>
#include <string>

namespace gradc {

/// A node of the compiled graph; other members are numbers of its kernels, buffers and lines (from 1).
struct PageValue {
    NodeId node;
    std::string name;    // what formulas call it
    std::string formula; // "" of a leaf
    std::string type;
    std::string role; // "data", "parameter", "optimizer", "state", "value", "gradient", "update"
    Lane lane = Lane::forward;
    std::vector<size_t> inputs; // values, smaller
    std::set<size_t> kernels, buffers;
    std::set<uint32_t> lines;
};

/// A kernel with its C++ text.
struct PageKernel {
    std::string name, text;
    std::set<size_t> values, buffers;
    std::set<uint32_t> lines;
    int first_step = -1, last_step = -1; // of the program's table, kernels counted
};

/// A buffer of the arena: `size` bytes at `offset`.
struct PageBuffer {
    std::string name, role,
        type; // role: "data", "parameter", "optimizer", "state", "activation", "result", "constant"
    int64_t offset = 0, size = 0;
    int first_step = 0, last_step = 0; // when it holds a value; the whole step for buffers that persist
    std::set<size_t> values, kernels;
    std::set<uint32_t> lines;
};

struct PageProgram {
    std::string name;
    std::vector<PageValue> values;
    std::vector<PageKernel> kernels; // in order of the table
    std::vector<PageBuffer> buffers; // those that the program uses
    int steps = 0;
};

/// The role of each variable by path: "parameter", "optimizer", "state".
using VariableRoles = std::map<std::string, std::string>;

/// The page data of program number `program`. `texts`: the C++ of its kernels. `main`: the source of the model file.
PageProgram page_program(const Plan&, size_t program, std::vector<std::string> texts, const Symbols&,
                         const VariableRoles&, const Sources&, uint32_t main);

} // namespace gradc
