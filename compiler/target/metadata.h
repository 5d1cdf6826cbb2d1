// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of a module's table (runtime/abi.h) beside its programs: the data sets and train blocks of compiler/spec,
// with the numbers of their programs and tensors in the module, and hashes. Programs are indices into
// loop::Module::programs, scalars indices into `tensors`.
#pragma once
#include "compiler/program/program.h"
#include "compiler/spec/training.h"
#include "runtime/abi.h"
#include <string>
#include <vector>

namespace gradc::target {

struct Metadata {
    struct Tensor { // element, shape, strides and place are those of the buffer
        std::string name, saved_as;
        gradc_role role = GRADC_FIELD;
        loop::BufferId buffer = 0;
    };
    struct WholeSplit {
        int32_t first_pass = 0, pass_count = 0, finish = -1;
    };
    struct Block : TrainSettings {
        std::vector<int32_t> flag_scalars; // by flag: its scalar, an index into `tensors`
        int32_t step = 0;
        WholeSplit training, evaluation;
        int32_t predict = -1, generate = -1, diagnose = -1; // programs
    };

    std::string name, compiler, options, source_hash;
    std::array<std::string, loop::isa_count> bits; // bits.h; "": not built
    int64_t parameter_bytes = 0, optimizer_bytes = 0, activation_bytes = 0, scratch_bytes = 0, least_bytes = 0;
    std::vector<Tensor> tensors; // a program's results are added where they are missing
    std::vector<DatasetSpec> datasets;
    std::vector<Block> blocks;
    int32_t initial = -1;
    int32_t derived = -1; // computes again the initial values that depend on other variables; -1: there are none
    WholeSplit statistics;
    int32_t columns = -1;
    bool flush_denormals = true;
};

} // namespace gradc::target
