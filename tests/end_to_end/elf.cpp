// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trainers and gradc in memory, by their ELF headers: any address, relocated data read-only after the start, no memory
// both writable and executable. The runtime checks its buffers.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cstring>
#include <elf.h>

using namespace end_to_end;

namespace {

struct Headers {
    bool position_independent = false, interpreter = false, relro = false;
    bool executable_stack = true, write_and_execute = false;
    bool bind_now = false, text_relocations = false, packed_relocations = false;
};

template <class Record> Record record(const std::string& bytes, size_t at) {
    Record result;
    REQUIRE(at + sizeof result <= bytes.size());
    std::memcpy(&result, bytes.data() + at, sizeof result);
    return result;
}

void read_dynamic(const std::string& bytes, const Elf64_Phdr& segment, Headers& headers) {
    for (size_t at = 0; at < segment.p_filesz; at += sizeof(Elf64_Dyn)) {
        auto entry = record<Elf64_Dyn>(bytes, segment.p_offset + at);
        headers.text_relocations |= entry.d_tag == DT_TEXTREL;
        headers.packed_relocations |= entry.d_tag == 36; // DT_RELR, younger than some elf.h
        headers.bind_now |= entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_NOW) != 0;
    }
}

Headers headers_of(const std::string& bytes) {
    REQUIRE(bytes.compare(0, SELFMAG, ELFMAG) == 0);
    auto file = record<Elf64_Ehdr>(bytes, 0);
    Headers headers;
    headers.position_independent = file.e_type == ET_DYN;
    for (size_t i = 0; i < file.e_phnum; ++i) {
        auto segment = record<Elf64_Phdr>(bytes, file.e_phoff + i * sizeof(Elf64_Phdr));
        bool writes = (segment.p_flags & PF_W) != 0, executes = (segment.p_flags & PF_X) != 0;
        headers.interpreter |= segment.p_type == PT_INTERP;
        headers.relro |= segment.p_type == PT_GNU_RELRO && segment.p_memsz > 0;
        headers.write_and_execute |= segment.p_type == PT_LOAD && writes && executes;
        if (segment.p_type == PT_GNU_STACK) headers.executable_stack = executes;
        if (segment.p_type == PT_DYNAMIC) read_dynamic(bytes, segment, headers);
    }
    return headers;
}

void check_hardened(const Headers& headers) {
    CHECK(headers.position_independent);
    CHECK(headers.relro);
    CHECK(headers.bind_now);
    CHECK_FALSE(headers.executable_stack);
    CHECK_FALSE(headers.write_and_execute);
    CHECK_FALSE(headers.text_relocations);
}

} // namespace

TEST_CASE("a trainer is a static PIE with packed relocations", "[elf]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    REQUIRE(call(scratch, "build m.grad -o trainer").code == 0);
    Headers headers = headers_of(scratch.read("trainer"));
    check_hardened(headers);
    CHECK_FALSE(headers.interpreter);
    CHECK(headers.packed_relocations);
}

TEST_CASE("gradc is a PIE with immediate binding", "[elf]") {
    Scratch scratch;
    std::filesystem::create_symlink(gradc, scratch.path() / "gradc");
    check_hardened(headers_of(scratch.read("gradc")));
}

TEST_CASE("the runtime has stack protectors and checked buffers", "[elf]") {
    if (run("command -v nm").code != 0) return skip("what the runtime calls: no nm");
    Outcome symbols = run("nm -u " + quoted(std::string(GRADC_BUILD_DIR) + "/libgradc_runtime.a"));
    REQUIRE(symbols.code == 0);
    CHECK(contains(symbols.out, " __stack_chk_fail\n"));
    CHECK(contains(symbols.out, "_chk\n")); // __snprintf_chk
}
