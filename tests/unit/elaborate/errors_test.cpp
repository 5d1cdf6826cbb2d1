// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cases of tests/errors/types and tests/errors/train, and that they cover every code of names, types and sizes, of
// data sets and train blocks.
#include "compiler/training/job.h"
#include "tests/errors/expectations.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

Options options_of(const std::string& path, const std::string& text) {
    Options options;
    options.data_folders = {path.substr(0, path.rfind('/'))};
    for (const auto& [setting, value] : settings_in(text)) {
        if (setting == "--set") {
            size_t equals = value.find('=');
            REQUIRE(equals != value.npos);
            options.set[value.substr(0, equals)] = value.substr(equals + 1);
        } else {
            REQUIRE(setting == "--max-nodes");
            options.node_limit = std::stol(value);
        }
    }
    return options;
}

void check_cases(const std::string& folder) {
    for (const std::string& path : error_cases(folder)) {
        INFO(path);
        Sources sources;
        FileReader reader;
        std::string reason;
        uint32_t main = sources.add({path, reader.read(path, reason).value()});
        Options options = options_of(path, sources.all[main].text);
        Diagnostics diagnostics;
        diagnostics.limit = 100;
        CHECK(!elaborate(sources, main, reader, options, diagnostics));
        CHECK(disagreement(sources, diagnostics) == "");
    }
}

} // namespace

TEST_CASE("model files with errors of names, types and sizes") { check_cases("types"); }

TEST_CASE("model files with errors in data sets and train blocks") { check_cases("train"); }

TEST_CASE("every code has a case") {
    auto types = expected_codes("types"), train = expected_codes("train");
#define X(code, text)                                                                                                  \
    INFO(text);                                                                                                        \
    CHECK(types.count(text) == 1);
    GRADC_TYPE_CODES(X)
#undef X
#define X(code, text)                                                                                                  \
    INFO(text);                                                                                                        \
    CHECK(train.count(text) == 1);
    GRADC_TRAIN_CODES(X)
#undef X
}
