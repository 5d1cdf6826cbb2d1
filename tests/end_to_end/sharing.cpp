// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Equal layers are compiled once, however many there are and however they are written; an edited model is compiled
// where it changed; functions keep their names if asked.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cstring>
#include <elf.h>

using namespace end_to_end;

namespace {

const char* const residual = R"(const blocks = 4, width = 32
dataset rows {
    row: int < 64 = range(64)
    x: f32[width] = uniform(-1, 1, shape: [width])
    y = sum(x)
}
model net(x: f32[N, width]) -> f32[N] {
    h = x
    repeat i < blocks { h = h + relu(layer_norm(linear(h, width))) }
    return linear(h, 1)[:, 0]
}
train {
    data rows
    batch 32
    epochs 2
    loss mse(net(x), y)
    optimizer adam(learning_rate: 1e-3)
}
)";

/// The numbers before "of" and "functions compiled" in what `build --time` prints.
struct Functions {
    int compiled = -1, all = -1;
};
Functions functions_of(const std::string& out) {
    Functions found;
    size_t line = out.find(" functions compiled");
    REQUIRE(line != out.npos);
    line = out.rfind('\n', line) + 1;
    REQUIRE(std::sscanf(out.c_str() + line, "%d of %d", &found.compiled, &found.all) == 2);
    return found;
}

Functions built(const Scratch& scratch, const std::string& model, const std::string& options = "--no-cache") {
    Outcome outcome =
        run("XDG_CACHE_HOME=$PWD/cache " + quoted(gradc) + " build " + model + " --time -o trainer " + options,
            {.folder = scratch.path().string(), .limit = 300});
    REQUIRE(outcome.code == 0);
    return functions_of(outcome.out);
}

/// Functions of the training step for AVX2.
int step_functions(const Scratch& scratch, const std::string& model, const std::string& options = "") {
    REQUIRE(call(scratch, "build " + model + " --isa avx2 --emit=llvm -o m.ll " + options).code == 0);
    std::string text = scratch.read("m.ll");
    int count = 0;
    for (size_t at = 0; (at = text.find("define hidden void @train_step__", at)) != text.npos; ++at) ++count;
    return count;
}

/// Bytes of a relocatable object that are loaded: machine code, and everything else.
struct Sizes {
    double code = 0, rest = 0;
};
Sizes sizes_of(const std::string& object) {
    Elf64_Ehdr file;
    REQUIRE(object.size() > sizeof file);
    std::memcpy(&file, object.data(), sizeof file);
    Sizes sizes;
    for (size_t i = 0; i < file.e_shnum; ++i) {
        Elf64_Shdr section;
        std::memcpy(&section, object.data() + file.e_shoff + i * sizeof section, sizeof section);
        bool loaded = (section.sh_flags & SHF_ALLOC) != 0, code = (section.sh_flags & SHF_EXECINSTR) != 0;
        if (loaded) (code ? sizes.code : sizes.rest) += double(section.sh_size);
    }
    return sizes;
}

Sizes sizes(const Scratch& scratch, const std::string& model, const std::string& options) {
    REQUIRE(call(scratch, "build " + model + " --isa avx2 --emit=object -o m.o " + options).code == 0);
    return sizes_of(scratch.read("m.o"));
}

} // namespace

TEST_CASE("a deeper network has the same functions", "[sharing]") {
    Scratch scratch;
    scratch.write("m.grad", residual);
    int four = step_functions(scratch, "m.grad");
    CHECK(four > 5);
    CHECK(step_functions(scratch, "m.grad", "--set blocks=8") == four);
    CHECK(step_functions(scratch, "m.grad", "--set blocks=8 --no-share") > four + 8);
    CHECK(sizes(scratch, "m.grad", "--set blocks=32").code <= 1.05 * sizes(scratch, "m.grad", "--set blocks=16").code);
}

TEST_CASE("a GPT of 32 blocks has the code of one of 4, and little else", "[sharing]") {
    Scratch scratch;
    std::string model = quoted(tree + "/tests/performance/models/gpt/model.grad");
    Sizes few = sizes(scratch, model, "--set blocks=4"), many = sizes(scratch, model, "--set blocks=32");
    INFO(few.code << " and " << many.code << " bytes of code, " << few.rest << " and " << many.rest << " of the rest");
    CHECK(few.code > 10'000);
    CHECK(many.code <= 1.05 * few.code);
    CHECK(many.rest - few.rest <= 16.0 * 1024 * (32 - 4));
}

TEST_CASE("layers written one after another share functions as those of repeat do", "[sharing]") {
    Scratch scratch;
    std::string layer = "h = h + relu(layer_norm(linear(h, width)))\n    ";
    scratch.write("m.grad", residual);
    scratch.write("written.grad", replaced(residual, "repeat i < blocks { h = h + relu(layer_norm(linear(h, width))) }",
                                           layer + layer + layer + layer));
    CHECK(step_functions(scratch, "written.grad") == step_functions(scratch, "m.grad"));
}

TEST_CASE("shared functions compute the same bits", "[sharing]") {
    Scratch scratch;
    scratch.write("m.grad", residual);
    std::string hash;
    for (const char* options : {"--no-share", ""}) {
        built(scratch, "m.grad", std::string("--isa avx2 --no-cache ") + options);
        REQUIRE(run("./trainer train --isa avx2 --seed 2 --json log.json", {.folder = scratch.path().string()}).code ==
                0);
        std::string found = json_value(scratch.read("log.json"), "weights_hash");
        CHECK(found != "");
        CHECK((hash.empty() || hash == found));
        hash = found;
    }
}

TEST_CASE("an edited model is compiled where it changed, to the same bytes", "[sharing]") {
    Scratch scratch;
    std::string many = replaced(residual, "width = 32", "width = 96"),
                edited = replaced(many, "return linear(h, 1)", "return linear(tanh(h), 1)");
    scratch.write("m.grad", many);
    Functions first = built(scratch, "m.grad", "");
    CHECK(first.compiled == first.all);
    scratch.write("m.grad", edited);
    Functions second = built(scratch, "m.grad", "");
    CHECK(second.compiled > 0);
    CHECK(second.compiled <= second.all * 2 / 3);
    std::string bytes = scratch.read("trainer");
    Functions alone = built(scratch, "m.grad");
    CHECK(alone.compiled == alone.all);
    CHECK(scratch.read("trainer") == bytes);
}

TEST_CASE("functions keep their names if asked", "[sharing]") {
    Scratch scratch;
    scratch.write("m.grad", residual);
    built(scratch, "m.grad");
    CHECK_FALSE(contains(scratch.read("trainer"), "train_step__"));
    built(scratch, "m.grad", "--no-cache --symbols");
    CHECK(contains(scratch.read("trainer"), "train_step__"));
}
