// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of tests/errors/data, and the message for each.
#include "runtime/data/dataset.h"
#include "tests/unit/runtime/fields.h"
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>

using namespace gradc::runtime;

namespace {

/// The fields that files of that kind are read as.
std::deque<gradc_field*> fields_for(Tables& tables, const std::string& kind) {
    if (kind == ".csv") {
        gradc_field &x = tables.field("x", "csv", GRADC_F32, {2}), &label = tables.field("label", "csv", GRADC_I32, {});
        tables.columns(x, {0, 1}), tables.columns(label, {2});
        label.high = 9;
        return {&x, &label};
    }
    if (kind == ".tsv") {
        gradc_field& label = tables.field("label", "lines", GRADC_I32, {});
        gradc_field& words = tables.field("words", "lines", GRADC_F32, {4});
        label.high = 1, label.strings = GRADC_CLASSES, label.record = 2;
        words.strings = GRADC_WORDS, words.other = 1, words.record = 2, words.offset = 1;
        return {&label, &words};
    }
    if (kind == ".record") {
        gradc_field& label = tables.field("label", "raw", GRADC_U8, {});
        gradc_field& image = tables.field("image", "raw", GRADC_U8, {3});
        label.high = 9, label.record = 4, label.in_file = GRADC_U8;
        image.high = 255, image.record = 4, image.offset = 1, image.in_file = GRADC_U8;
        return {&label, &image};
    }
    if (kind != ".tokens") return {};
    gradc_field& token = tables.field("token", "tokens", GRADC_I32, {});
    token.high = 999;
    return {&token};
}

} // namespace

TEST_CASE("every data file with an error gives the expected message") {
    std::string folder = std::string(GRADC_SOURCE_DIR) + "/tests/errors/data/";
    std::map<std::string, std::string> expected;
    std::ifstream table(folder + "expected.txt");
    for (std::string line; std::getline(table, line);) {
        size_t space = line.find(' ');
        expected[line.substr(0, space)] = line.substr(space + 1);
    }
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::string name = entry.path().filename().string();
        Tables tables;
        auto fields = fields_for(tables, entry.path().extension().string());
        if (fields.empty()) continue;
        files++;
        INFO(name);
        REQUIRE(expected.count(name) == 1);
        for (gradc_field* field : fields) tables.file(*field, {{"", name.c_str()}});
        Dataset dataset;
        Error error;
        gradc_dataset rows = tables.dataset({});
        bool read = load_dataset(rows, Places{{folder}}, 1, dataset, error);
        std::string said = read ? "fine " + std::to_string(dataset.rows) : error.message;
        while (said.find(folder) != std::string::npos) said.erase(said.find(folder), folder.size());
        CHECK(said == expected[name]);
        if (!read) CHECK(error.code == input_error);
    }
    CHECK(files == expected.size());
}
