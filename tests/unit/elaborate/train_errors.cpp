// The cases of tests/errors/train, and that they cover every code of data sets and train blocks.
#include "compiler/elaborate/elaborate.h"
#include "tests/errors/expectations.h"
#include <catch2/catch.hpp>

using namespace gradc;

TEST_CASE("model files with errors in data sets and train blocks") {
    for (const std::string& path : error_cases("train")) {
        INFO(path);
        Sources sources;
        FileReader reader;
        std::string reason;
        uint32_t main = sources.add({path, reader.read(path, reason).value()});
        Options options;
        options.data_folders = {path.substr(0, path.rfind('/'))};
        Diagnostics diagnostics;
        diagnostics.limit = 100;
        CHECK(!elaborate(sources, main, reader, options, diagnostics));
        CHECK(disagreement(sources, diagnostics) == "");
    }
}

TEST_CASE("every code of data sets and train blocks has a case") {
    auto expected = expected_codes("train");
#define X(code, text)                                                                              \
    INFO(text);                                                                                    \
    CHECK(expected.count(text) == 1);
    GRADC_TRAIN_CODES(X)
#undef X
}
