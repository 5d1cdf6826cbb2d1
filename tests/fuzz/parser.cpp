// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer entry of the parser and the printer.
#include "tests/fuzz/parser_property.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string broken = gradc::broken_parser_property(std::string_view(reinterpret_cast<const char*>(data), size));
    if (broken.empty()) return 0;
    std::fputs(broken.c_str(), stderr);
    std::abort();
}
