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
        Options options;
        for (const auto& [setting, value] : settings_in(sources.all[main].text)) {
            if (setting == "--set") {
                size_t equals = value.find('=');
                REQUIRE(equals != value.npos);
                options.set[value.substr(0, equals)] = value.substr(equals + 1);
            } else {
                REQUIRE(setting == "--limit");
                options.node_limit = std::stol(value);
            }
        }
        Diagnostics diagnostics;
        diagnostics.limit = 100;
        CHECK(!elaborate(sources, main, reader, options, diagnostics));
        CHECK(disagreement(sources, diagnostics) == "");
    }
}

TEST_CASE("every code of names, types and sizes has a case") {
    auto expected = expected_codes("types");
#define X(code, text)                                                                              \
    INFO(text);                                                                                    \
    CHECK(expected.count(text) == 1);
    GRADC_TYPE_CODES(X)
#undef X
}
