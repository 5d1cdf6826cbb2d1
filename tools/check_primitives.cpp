// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Run by the build: every primitive that dsl/std/primitives.grad declares has an f32 and an f64 form in math.grad, for
// compiled code, and a C function of its name, for the evaluator. Prints the incomplete ones and ends with 1.
#include "compiler/elaborate/library/library.h"
#include "compiler/graph/value.h"
#include "compiler/training/job.h"
#include <fmt/format.h>

using namespace gradc;

int main() {
    int code = 0;
    auto library = load_library();
    const PrimitiveTable& table = *library->primitives;
    for (size_t number = size_t(Primitive::first_declared); number < table.size(); ++number) {
        auto primitive = Primitive(number);
        auto lacks = [&](const char* part) {
            fmt::print(stderr, "dsl/std/primitives.grad: error: `{}` has no {}\n", table.name(primitive), part);
            code = 1;
        };
        if (!library->math->definition(primitive, Dtype::f32)) lacks("f32 form in math.grad");
        if (!library->math->definition(primitive, Dtype::f64)) lacks("f64 form in math.grad");
        if (!has_meaning(table.name(primitive), table.arity(primitive)))
            lacks("C function in compiler/graph/compute_elementwise.cpp");
    }
    return code;
}
