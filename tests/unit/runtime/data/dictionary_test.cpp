// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dictionaries: codes and spellings, the commonest strings of some rows, and their way through a checkpoint.
#include "runtime/base/dtype.h"
#include "runtime/data/dataset.h"
#include "tests/unit/runtime/fields.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>

using namespace gradc::runtime;

namespace {

using Strings = std::vector<std::string>;

struct Words {
    Tables tables;
    gradc_field *label, *words;
    gradc_dataset table{};
    Words(int64_t classes, int64_t size) {
        label = &tables.field("label", "lines", GRADC_I32, {});
        words = &tables.field("words", "lines", GRADC_F32, {size});
        label->high = classes - 1, label->strings = GRADC_CLASSES, label->record = 2;
        words->strings = GRADC_WORDS, words->other = 1, words->record = 2, words->offset = 1;
        tables.file(*label, {{"", "f"}}), tables.file(*words, {{"", "f"}});
        table = tables.dataset({{"train", 0.5}, {"test", 0.5}}, true);
    }
};

std::vector<double> counts(const Column& column, int64_t row) {
    std::vector<double> numbers;
    for (int64_t i = 0; i < column.entry_elements; i++)
        numbers.push_back(load_element(column.row(row) + 4 * i, GRADC_F32));
    return numbers;
}

} // namespace

TEST_CASE("a dictionary gives each string a code") {
    Dictionary letters = Dictionary::of_characters("\nab\xC3\xA9", false);
    CHECK(letters.size() == 4);
    CHECK(letters.code("a") == 1);
    CHECK(letters.code("\xC3\xA9") == 3);
    CHECK(letters.code("c") == -1);
    CHECK(letters.code("\xC3\xA8") == -1);
    CHECK(letters.spelling(0) == "\n");
    Dictionary words({"and", "the"}, "other");
    CHECK(words.size() == 3);
    CHECK(words.code("the") == 2);
    CHECK(words.code("an") == 0);
    CHECK(words.code("x") == 0);
    CHECK(words.spelling(0) == "other");
    CHECK(words.spelling(1) == "and");
}

TEST_CASE("the commonest strings are chosen by their counts, then in order") {
    ReadStrings strings;
    for (const char* row : {"b a b", "c a d", "d d d d", "e"}) {
        for (size_t at = 0; row[at]; at++)
            if (row[at] != ' ') strings.add(std::string_view(row + at, 1), "f", 1);
        strings.end_row();
    }
    CHECK(strings.commonest({0, 1}, 9) == Strings{"a", "b", "c", "d"});
    CHECK(strings.commonest({0, 1}, 3) == Strings{"a", "b", "c"});
    CHECK(strings.commonest({0, 1, 2}, 1) == Strings{"d"});
    CHECK(strings.commonest({0, 1, 2, 3}, 4) == Strings{"a", "b", "c", "d"});
    CHECK(strings.commonest({0, 1}, 0).empty());
    CHECK(strings.codes_in(Dictionary({"a", "d"}, "other")) == std::vector<int64_t>{0, 1, 0, 2, 0});
}

TEST_CASE("lines become labels and counts of words, by the training rows") {
    workplace::Folder folder;
    folder.write(
        "f", "B\tThe \xC3\x84pfel, the end\nA\tend; don't!\nB\tthe moon\nA\tmoon\xE2\x80\x94\xD0\x96\xD0\xB6 END\tend");
    Words rows(2, 5);
    Dataset dataset;
    Error error;
    REQUIRE(load_dataset(rows.table, Places{{folder.path()}}, 1, dataset, error));
    REQUIRE(dataset.dictionaries.size() == 2);
    CHECK(find_dictionary(dataset.dictionaries, "label")->strings() == Strings{"A", "B"});
    // end and the twice, don, t and \u00e4pfel once: in order of bytes.
    CHECK(find_dictionary(dataset.dictionaries, "words")->strings() == Strings{"don", "end", "t", "the"});
    CHECK(load_element(dataset.columns[0].row(0), GRADC_I32) == 1);
    CHECK(counts(dataset.columns[1], 0) == std::vector<double>{1, 0, 1, 0, 2});
    CHECK(counts(dataset.columns[1], 1) == std::vector<double>{0, 1, 1, 1, 0});
    CHECK(counts(dataset.columns[1], 3) == std::vector<double>{2, 0, 2, 0, 0});

    Metadata metadata;
    put_dictionaries(dataset.dictionaries, metadata);
    CHECK(metadata_value(metadata, "dictionary.label") == R"(["A", "B"])");
    Dictionaries taken;
    REQUIRE(take_dictionaries(rows.table, metadata, "c", taken, error));
    CHECK(find_dictionary(taken, "words")->size() == 5);
    CHECK(find_dictionary(taken, "words")->code("the") == 4);
    Words small(2, 4);
    Dictionaries none;
    CHECK_FALSE(take_dictionaries(small.table, metadata, "c", none, error));
    CHECK(error.message == "c: error: the dictionary of words has 5 entries, but this trainer was built for 4");
    for (const char* damaged : {"[1]", "{}", R"(["b", "a"])", R"(["a", "a"])", "["}) {
        Error told;
        CHECK_FALSE(take_dictionaries(rows.table, {{"dictionary.label", damaged}}, "c", none, told));
        CHECK(told.message == "c: error: the dictionary of label is damaged");
    }
}

TEST_CASE("rows of another file have the codes of the given dictionaries") {
    workplace::Folder folder;
    std::string path = folder.write("g.txt", "moon the unknown\nB\tthe the\n");
    Words rows(2, 5);
    rows.table.fields++, rows.table.field_count = 1; // a prediction needs no label
    Dataset dataset, lacking;
    Error error;
    dataset.dictionaries.push_back({"words", Dictionary({"moon", "the"}, "other")});
    REQUIRE(load_rows(rows.table, path, dataset, error));
    CHECK(counts(dataset.columns[0], 0) == std::vector<double>{1, 1, 1, 0, 0});
    CHECK(counts(dataset.columns[0], 1) == std::vector<double>{0, 0, 2, 0, 0});
    CHECK_FALSE(load_rows(rows.table, path, lacking, error));
    CHECK(error.message == "the checkpoint has no dictionary of words, which is needed to read " + path);
}
