// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A trainer linked from an object and the prelinked runtime: it runs, alone, and the same object
// gives the same bytes.
#include "compiler/target/compile.h"
#include "compiler/util/files.h"
#include "tests/unit/target/programs.h"
#include <catch2/catch.hpp>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace gradc;
namespace fs = std::filesystem;

namespace {

struct Folder {
    fs::path path = fs::temp_directory_path() / "gradc_link_test";
    Folder() {
        fs::remove_all(path);
        fs::create_directories(path);
    }
    ~Folder() { fs::remove_all(path); }
};

std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

int program_headers(const std::string& bytes, uint32_t type) {
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    int found = 0;
    for (int i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr entry;
        std::memcpy(&entry, bytes.data() + header.e_phoff + i * sizeof entry, sizeof entry);
        found += entry.p_type == type;
    }
    return found;
}

} // namespace

TEST_CASE("a linked trainer is static, runs and is the same each time") {
    Folder folder;
    loop::TestModule test = loop::test_module();
    std::string object = target::object(test.module, test.metadata);
    std::string error = "none yet", bytes = target::link_trainer(object, error, {.runtime = GRADC_RUNTIME});
    REQUIRE(error == "");
    CHECK(bytes == target::link_trainer(object, error, {.runtime = GRADC_RUNTIME}));
    fs::path first = folder.path / "first";
    REQUIRE(write_file(first.string(), bytes, true) == "");
    CHECK(program_headers(bytes, PT_INTERP) == 0); // asks for no loader
    CHECK(program_headers(bytes, PT_LOAD) > 0);
    std::string command = "cd / && env -i " + first.string() + " info > " + (folder.path / "said").string();
    CHECK(std::system(command.c_str()) == 0);
    CHECK(content(folder.path / "said").find("tests") != std::string::npos); // the module's name
}

TEST_CASE("a link that fails says why and gives nothing") {
    std::string error;
    CHECK(target::link_trainer("no object", error, {.runtime = GRADC_RUNTIME}) == "");
    CHECK(error != "");
    loop::TestModule test = loop::test_module();
    std::string object = target::object(test.module, test.metadata);
    CHECK(target::link_trainer(object, error, {.runtime = "/nowhere/runtime.o"}) == "");
    CHECK(error != "");
    Folder folder;
    CHECK(target::link_shared(object, (folder.path / "none" / "library").string()) != "");
    CHECK(target::link_shared("no object", (folder.path / "library").string()) != "");
    CHECK(fs::is_empty(folder.path));
}
