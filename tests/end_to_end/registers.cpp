// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C++ text keeps a tile's accumulators, an array in it, in registers: the innermost loops of a product neither load
// from the stack nor store to it, whichever compiler builds the text.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <sstream>

using namespace end_to_end;

namespace {

struct Instruction {
    uint64_t address = 0, target = 0; // of a jump
    std::string text;
};

/// Instructions of the function whose demangled name has this part.
std::vector<Instruction> function_of(const std::string& disassembly, const std::string& name) {
    std::vector<Instruction> result;
    std::istringstream lines(disassembly);
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with(">:")) inside = line.find(name) != std::string::npos;
        size_t colon = line.find(':');
        if (!inside || line.empty() || line[0] != ' ' || colon == std::string::npos) continue;
        Instruction one{std::stoull(line, nullptr, 16), 0, line.substr(colon + 1)};
        size_t begin = one.text.find_first_not_of(" \t");
        one.text = begin == std::string::npos ? "" : one.text.substr(begin);
        if (one.text[0] == 'j') one.target = std::stoull(one.text.substr(one.text.find_first_of(" \t")), nullptr, 16);
        result.push_back(one);
    }
    return result;
}

/// Of loops without loops inside: fused multiply-adds, and uses of the stack.
struct InnerLoop {
    int multiply_adds = 0, stack = 0;
};

std::vector<InnerLoop> inner_loops(const std::vector<Instruction>& code) {
    std::vector<InnerLoop> result;
    for (size_t end = 0; end < code.size(); ++end) {
        uint64_t target = code[end].target;
        if (target == 0 || target > code[end].address || target < code[0].address) continue;
        InnerLoop loop;
        bool innermost = true;
        for (size_t i = end + 1; i-- > 0 && code[i].address >= target;) {
            bool back = i < end && code[i].target && code[i].target <= code[i].address && code[i].target >= target;
            innermost = innermost && !back;
            loop.multiply_adds += code[i].text.find("vfmadd") == 0;
            loop.stack += code[i].text.find("(%rsp") != std::string::npos;
        }
        if (innermost) result.push_back(loop);
    }
    return result;
}

bool found(const std::string& program) { return run("command -v " + program + " > /dev/null").code == 0; }

} // namespace

TEST_CASE("accumulators of the C++ text stay in registers", "[registers]") {
    if (!found("objdump")) return skip("objdump");
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 300};
    std::string model = quoted(tree + "/examples/digits/model.grad");
    REQUIRE(run(quoted(gradc) + " inspect " + model + " --emit=cpp --isa avx2 -o digits.cpp", launch).code == 0);
    int compilers = 0;
    for (const std::string compiler : {"g++", "clang++-19"}) {
        if (!found(compiler)) {
            skip(compiler);
            continue;
        }
        INFO(compiler);
        ++compilers;
        REQUIRE(run(std::string(compiler) + " -O2 -c digits.cpp -o digits.o", launch).code == 0);
        Outcome listing = run("objdump -d -C --no-show-raw-insn digits.o", launch);
        REQUIRE(listing.code == 0);
        std::vector<Instruction> code = function_of(listing.out, "avx2::train_step::forward_linear_1(");
        REQUIRE(code.size() > 100);
        int tiles = 0;
        for (const InnerLoop& loop : inner_loops(code)) {
            if (loop.multiply_adds < 2) continue;
            CHECK(loop.stack == 0);
            tiles += loop.multiply_adds == 12;
        }
        CHECK(tiles >= 1);
    }
    CHECK(compilers >= 0);
}
