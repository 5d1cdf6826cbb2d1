// The cases of tests/errors/types, and that they cover every code of names, types and sizes.
#include "compiler/elaborate/elaborate.h"
#include "tests/errors/expectations.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("model files with errors of names, types and sizes") {
    for (const std::string& path : error_cases("types")) {
        INFO(path);
        Sources sources;
        FileReader reader;
        std::string reason;
        uint32_t main = sources.add({path, reader.read(path, reason).value()});
        Diagnostics diagnostics;
        diagnostics.limit = 100;
        CHECK(!elaborate(sources, main, reader, {}, diagnostics));
        CHECK(disagreement(sources, diagnostics) == "");
    }
}

TEST_CASE("every code of names, types and sizes has a case") {
    auto expected = expected_codes("types");
    // These need a --set or a limit: see limits.cpp.
    for (const char* code : {"unknown-constant", "bad-constant", "call-depth"})
        expected.insert(code);
#define X(code, text) CHECK((expected.count(text) || !text[0]));
    GRADC_TYPE_CODES(X)
#undef X
}
