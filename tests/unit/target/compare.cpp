// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes inputs, runs, reads and compares.
#include "tests/unit/target/compare.h"
#include "compiler/program/print.h"
#include <catch2/catch.hpp>
#include <cmath>

namespace gradc::loop {

void compare(target::Engine& engine, const Case& entry, Isa isa) {
    INFO(entry.program << " on " << name(isa));
    for (const auto& [buffer, values] : entry.inputs) engine.write(engine.tensor(buffer), values, entry.row_count);
    for (const auto& [buffer, values] : entry.expected) {
        std::vector<double> zeros(values.size(), 0);
        engine.write(engine.tensor(buffer), zeros, entry.row_count);
    }
    REQUIRE(engine.run(engine.program(entry.program), entry.row_count, isa, true));
    for (const auto& [buffer, values] : entry.expected) {
        std::vector<double> found = engine.read(engine.tensor(buffer), entry.row_count);
        REQUIRE(found.size() == values.size());
        for (size_t i = 0; i < values.size(); ++i) {
            INFO(buffer << " element " << i << ": found " << found[i] << ", expected " << values[i]);
            double error = std::fabs(found[i] - values[i]);
            bool any = std::isnan(values[i]) || std::isinf(values[i]);
            if (!any && !(error <= entry.tolerance * (1 + std::fabs(values[i])))) FAIL_CHECK("differs");
        }
    }
}

} // namespace gradc::loop
