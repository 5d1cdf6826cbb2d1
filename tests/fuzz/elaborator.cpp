// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer's entry to the elaborator: random bytes, changed tokens, random programs.
#include "tests/fuzz/elaborator_property.h"
#include "tests/fuzz/grammar.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
    if (seed % 8 == 0) return LLVMFuzzerMutate(data, size, most);
    std::string text(reinterpret_cast<const char*>(data), size);
    text = seed % 8 == 1 ? gradc::drawn_program(seed) : gradc::mutated_program(text, seed);
    if (text.size() > most) text.resize(most);
    std::memcpy(data, text.data(), text.size());
    return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const auto library = gradc::load_library();
    std::string broken =
        gradc::broken_elaborator_property(std::string_view(reinterpret_cast<const char*>(data), size), library);
    if (broken.empty()) return 0;
    std::fputs(broken.c_str(), stderr);
    std::abort();
}
