// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The examples of the semantic half of the language reference elaborate, evaluate and differentiate.
#include "tests/support/model_text.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("the examples of the language reference elaborate") {
    FileReader reader;
    std::string reason;
    std::string text = reader.read(GRADC_SOURCE_DIR "/dsl/README.md", reason).value();
    const std::string fence = "```grad\n";
    size_t count = 0;
    for (size_t begin = text.find(fence, text.find("## Semantics")); begin != text.npos;
         begin = text.find(fence, begin + 1), ++count) {
        size_t first = begin + fence.size();
        ModelText program(text.substr(first, text.find("```", first) - first));
        INFO(program.sources.all[0].text << program.errors());
        CHECK(program.job);
        if (program.job && program.sources.all[0].text.find("clipped") == std::string::npos)
            CHECK(gradient_error(program, "m") < 1e-6); // a straight-through derivative differs on purpose
    }
    CHECK(count >= 4);
}
