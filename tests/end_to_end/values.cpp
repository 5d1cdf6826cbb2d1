// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numbers that every example trains to: after a few steps on the baseline instruction set, and on all with fused
// multiply-add, the bytes of all parameters and states in order, and the losses. A renamed, moved or reordered compiler
// must keep them, on every instruction set. With GRADC_ACCEPT=1 the table is written instead: read the diff before
// committing it.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

const fs::path table = fs::path(tree) / "tests/golden/values.txt";

/// 64-bit FNV-1a, in hexadecimal.
std::string hash_of(const std::string& bytes) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
    std::ostringstream text;
    text << std::hex << hash;
    return text.str();
}

/// The bytes after a safetensors file's header: the numbers of all tensors, in order.
std::string numbers_of(const std::string& file) {
    uint64_t length = 0;
    REQUIRE(file.size() > 8);
    std::memcpy(&length, file.data(), 8);
    REQUIRE(8 + length < file.size());
    return file.substr(8 + length);
}

/// Every loss of the report, that of each block, joined by spaces.
std::string losses_of(const std::string& json) {
    const std::string key = "loss\":";
    std::string losses;
    for (size_t at = 0; (at = json.find(key, at)) != json.npos;) {
        at = json.find_first_not_of(' ', at + key.size());
        losses += json.substr(at, json.find_first_of(",}", at) - at) + " ";
    }
    REQUIRE(!losses.empty());
    return losses;
}

/// Examples that are trained, with the folder of their data; those of MNIST only where it is.
std::map<std::string, std::string> trained_examples() {
    std::map<std::string, std::string> result;
    for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(tree) / "examples")) {
        std::ifstream model(entry.path() / "model.grad");
        std::string text{std::istreambuf_iterator<char>(model), {}};
        if (!contains(text, "\ntrain")) continue;
        bool of_digits = contains(text, "\"digits.csv\"");
        result[entry.path().filename()] = of_digits ? tree + "/examples/digits" : entry.path().string();
    }
    return result;
}

/// The instruction sets with fused multiply-add that this machine has: all of them train to the same bits.
std::vector<std::string> fused_isas(const std::string& info) {
    if (contains(info, "here it runs avx512")) return {"avx2", "avx512"};
    if (contains(info, "here it runs avx2")) return {"avx2"};
    return {};
}

/// The example's line with `isa` on so many threads, after its name and "baseline" or "fma".
std::string trained(const Launch& launch, const std::string& data, const std::string& isa, int threads) {
    Outcome trained =
        run("GRADC_DATA=" + quoted(data) + " ./trainer train --steps 25 --quiet --json log.json --isa " + isa +
                " --threads " + std::to_string(threads) + " --overwrite --checkpoint kept.safetensors",
            launch);
    INFO(isa << "\n" << trained.err);
    REQUIRE(trained.code == 0);
    auto read = [&](const char* name) {
        std::ifstream file(fs::path(launch.folder) / name, std::ios::binary);
        return std::string{std::istreambuf_iterator<char>(file), {}};
    };
    std::string numbers = numbers_of(read("kept.safetensors")), losses = losses_of(read("log.json"));
    std::ostringstream line;
    line << numbers.size() << " bytes " << hash_of(numbers) << " losses " << hash_of(losses) << " "
         << losses.substr(0, losses.find(' '));
    return line.str();
}

/// The lines of one example: the baseline's, and that of all instruction sets with fused multiply-add.
std::vector<std::string> lines_of(const std::string& name, const std::string& data) {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 300};
    std::string model = quoted(tree + "/examples/" + name + "/model.grad");
    Outcome built = run("GRADC_DATA=" + quoted(data) + " " + quoted(gradc) + " build " + model + " -o trainer", launch);
    INFO(name << "\n" << built.err);
    REQUIRE(built.code == 0);
    std::vector<std::string> lines{name + " baseline " + trained(launch, data, "baseline", 1)};
    std::vector<std::string> isas = fused_isas(run("./trainer info", launch).out);
    for (size_t i = 0; i < isas.size(); ++i) {
        std::string line = name + " fma " + trained(launch, data, isas[i], 1 + int(i));
        CAPTURE(isas[i]);
        if (i == 0) lines.push_back(line);
        else CHECK(line == lines.back());
    }
    return lines;
}

} // namespace

TEST_CASE("every example trains to the recorded bits", "[values]") {
    std::map<std::string, std::string> expected;
    std::ifstream recorded(table);
    auto key = [](const std::string& line) { return line.substr(0, line.find(' ', line.find(' ') + 1)); };
    for (std::string line; std::getline(recorded, line);) expected[key(line)] = line;
    std::string found;
    for (const auto& [name, data] : trained_examples()) {
        bool of_mnist = name.rfind("mnist_", 0) == 0;
        if (of_mnist) {
            const char* folder = std::getenv("GRADC_DATA");
            if (!folder || !fs::exists(fs::path(folder) / "mnist")) {
                skip("values of " + name + ": there is no folder mnist in GRADC_DATA");
                continue;
            }
        }
        for (const std::string& line : lines_of(name, of_mnist ? std::getenv("GRADC_DATA") : data)) {
            found += line + "\n";
            if (!std::getenv("GRADC_ACCEPT")) CHECK(line == expected[key(line)]);
        }
    }
    if (std::getenv("GRADC_ACCEPT")) std::ofstream(table) << found;
}
