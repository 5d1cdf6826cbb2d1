// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `gradc grad`: values and gradients of small models, numbers and lists of --value, and printed arrays.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <sstream>

using namespace end_to_end;

namespace {

const char* const arrays = R"(model line() {
    param w: [2, 3] = [[1, 2, 3], [-4, 5, 6]]
    param x: [3] = 1
    param b = 0
    return w @ x + b
}
)";

} // namespace

TEST_CASE("grad prints a vector and names the parameters of its gradients", "[grad]") {
    Scratch scratch;
    scratch.write("m.grad", arrays);
    Outcome plain = call(scratch, "grad m.grad");
    CHECK(plain.code == 0);
    CHECK(plain.out == "line = [6, 7]\n"
                       "The gradients are those of its sum, 13. For those of one number return\n"
                       "`mean(..)` or an element, such as `y[0]`.\n"
                       "d/dw = [2, 3]\n"
                       "  1  1  1\n"
                       "  1  1  1\n"
                       "d/dx = [-3, 7, 9]\n"
                       "d/db = 2\n");
    Outcome set = call(scratch, "grad m.grad --value 'x=[1, 0.5,-2]' --value w=[[0,0,1],[1,10,100]] --value b=1");
    CHECK(set.code == 0);
    CHECK(set.out.rfind("line = [-1, -193]\n", 0) == 0);
    CHECK(contains(set.out, "\n    1  0.5   -2\n    1  0.5   -2\n"));
    CHECK(contains(call(scratch, "grad m.grad --value x=2").out, "line = [12, 14]\n"));
}

TEST_CASE("grad refuses lists that do not fit", "[grad]") {
    Scratch scratch;
    scratch.write("m.grad", arrays);
    const std::pair<const char*, const char*> cases[] = {
        {"x=[1,2]", "`x` is [3], but this is [2]"},
        {"b=[1]", "`b` is a number, but this is [1]"},
        {"w=[[1,2,3],[4,5]]", "neither a number nor"},
        {"x=[1,2,three]", "neither a number nor"},
        {"x=[1,2,3", "neither a number nor"},
        {"x=[[1],2,3]", "neither a number nor"},
        {"x=", "neither a number nor"},
        {"x=[]", "neither a number nor"},
    };
    for (const auto& [at, told] : cases) {
        INFO(at);
        Outcome outcome = call(scratch, "grad m.grad --value '" + std::string(at) + "'");
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.err, told));
        CHECK(outcome.out == "");
    }
}

TEST_CASE("large arrays are shortened to lines of 80 columns", "[grad]") {
    Scratch scratch;
    scratch.write("m.grad", "model wide() {\n    param w: [40, 50] = normal()\n    param v: [300] = normal()\n"
                            "    param t: [2, 3, 4] = 1\n    return sum(w^2) + sum(v^3) + sum(t), 2\n}\n");
    Outcome outcome = call(scratch, "grad m.grad");
    CHECK(outcome.code == 0);
    size_t lines = 0, widest = 0;
    std::istringstream stream(outcome.out);
    for (std::string line; std::getline(stream, line); ++lines) widest = std::max(widest, line.size());
    CHECK(widest <= 80);
    CHECK(widest > 60);
    CHECK(lines == 2 + 11 + 1 + 7);
    CHECK(contains(outcome.out, "It is the first of 2 results.\n"));
    CHECK(contains(outcome.out, "d/dw = [40, 50]\n"));
    CHECK(contains(outcome.out, "] of 300\n"));
    CHECK(contains(outcome.out, "d/dt = [2, 3, 4]\n  1  1  1  1\n"));
}
