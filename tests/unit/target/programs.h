// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loop programs that together use every construct of the loop IR, with inputs and the results of plain computation.
#pragma once
#include "compiler/program/program.h"
#include "compiler/target/metadata.h"
#include <map>
#include <string>
#include <vector>

namespace gradc::loop {

struct Case {
    std::string program;
    std::map<std::string, std::vector<double>> inputs, expected; // by buffer
    double tolerance = 0;                                        // relative to 1 + |expected|
    int64_t row_count = 1;
};

struct TestModule {
    Module module;
    target::Metadata metadata; // every buffer as a tensor
    std::vector<Case> cases;
};

TestModule test_module();

} // namespace gradc::loop
