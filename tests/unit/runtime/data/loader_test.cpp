// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Splits, the order of rows, windows, and how rows reach the arena.
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include "runtime/data/loader.h"
#include "tests/unit/runtime/fields.h"
#include "tests/unit/runtime/workplace.h"
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <set>

using namespace gradc::runtime;

namespace {

const Places nowhere{{""}};

/// A range of `rows` numbers, each in windows if `window` > 0.
gradc_field& range(Tables& tables, int64_t rows, int64_t window = 0, int64_t stride = 1) {
    std::vector<int64_t> shape;
    if (window > 0) shape.push_back(window);
    gradc_field& field = tables.field("i", "", GRADC_I32, shape);
    field.rows = rows;
    field.window = window;
    field.stride = stride;
    return field;
}

/// A module with fields "i" [4, 2] with padded rows and "#row" [4].
struct OneField {
    static constexpr int64_t shape[] = {4, 2}, strides[] = {3, 1}, rows[] = {4}, one[] = {1};
    gradc_tensor tensors[2] = {{"i", "", GRADC_I32, GRADC_FIELD, 2, 1, shape, strides, 0, 0},
                               {"#row", "", GRADC_I32, GRADC_FIELD, 1, 1, rows, one, 64, 0}};
    gradc_module module{};
    alignas(64) unsigned char arena[128] = {};
    OneField() { module.tensors = tensors, module.tensor_count = 2; }
    int32_t at(int64_t row, int64_t column) const {
        return int32_t(load_element(arena + (row * 3 + column) * 4, GRADC_I32));
    }
    int32_t row(int64_t row) const { return int32_t(load_element(arena + 64 + row * 4, GRADC_I32)); }
};

std::vector<int64_t> order_of(const Dataset& dataset, int32_t order, int64_t seed, int64_t epoch, int64_t cursor = 0,
                              int64_t batch = 3) {
    gradc_module module{};
    unsigned char arena[1];
    Loader loader(module, dataset, 0, order, seed);
    loader.begin(epoch, cursor);
    std::vector<int64_t> rows;
    while (!loader.at_end()) {
        loader.next(batch, arena);
        rows.insert(rows.end(), loader.batch_rows().begin(), loader.batch_rows().end());
    }
    return rows;
}

} // namespace

TEST_CASE("splits divide the rows by a shuffle of the seed") {
    Tables tables;
    range(tables, 1000);
    gradc_dataset table = tables.dataset({{"train", 0.8}, {"valid", 0.15}, {"test", 0.05}});
    Dataset one, same, other;
    Error error;
    REQUIRE(load_dataset(table, nowhere, 1, one, error));
    REQUIRE(load_dataset(table, nowhere, 1, same, error));
    REQUIRE(load_dataset(table, nowhere, 2, other, error));
    CHECK(one.splits[0].rows.size() == 800);
    CHECK(one.splits[1].rows.size() == 150);
    CHECK(one.splits[2].rows.size() == 50);
    CHECK(one.splits[2].rows == same.splits[2].rows);
    CHECK(one.splits[2].rows != other.splits[2].rows);
    std::set<int64_t> all;
    for (const Split& split : one.splits) all.insert(split.rows.begin(), split.rows.end());
    CHECK(all.size() == 1000);
    CHECK(one.splits[0].rows.front() < 20); // not one end of the file
    CHECK(one.splits[2].rows.back() - one.splits[2].rows.front() > 700);
    CHECK(one.training_split() == 0);
    CHECK(one.find_split("test") == 2);
}

TEST_CASE("windows never cross the border of a split") {
    for (bool in_order : {true, false}) { // overlapping windows are cut in order in any case
        Tables tables;
        range(tables, 100, 10);
        gradc_dataset table = tables.dataset({{"train", 0.9}, {"test", 0.1}}, in_order);
        Dataset dataset;
        Error error;
        REQUIRE(load_dataset(table, nowhere, 1, dataset, error));
        CHECK(dataset.rows == 91);
        CHECK(dataset.splits[0].rows.size() == 81);
        CHECK(dataset.splits[0].rows.back() == 80); // entries 80..89
        CHECK(dataset.splits[1].rows == std::vector<int64_t>{90});
        CHECK(load_element(dataset.columns[0].row(90) + 36, GRADC_I32) == 99);
    }
    Tables tables;
    range(tables, 103, 10, 10);
    Dataset dataset;
    Error error;
    gradc_dataset strided = tables.dataset({{"train", 0.55}, {"test", 0.45}}, true);
    REQUIRE(load_dataset(strided, nowhere, 1, dataset, error));
    CHECK(dataset.splits[0].rows == std::vector<int64_t>{0, 1, 2, 3, 4}); // entries 0..49 of 0..56
    CHECK(dataset.splits[1].rows == std::vector<int64_t>{6, 7, 8, 9});
}

TEST_CASE("errors of data sets") {
    auto said = [](const gradc_dataset& table) {
        Dataset dataset;
        Error error;
        CHECK_FALSE(load_dataset(table, nowhere, 1, dataset, error));
        return error.message;
    };
    Tables empty_split;
    range(empty_split, 3);
    CHECK(said(empty_split.dataset({{"train", 0.9}, {"test", 0.1}})) ==
          "data set rows: error: split test has no rows: there are only 3 in all");
    Tables unequal;
    range(unequal, 3);
    unequal.literal(unequal.field("x", "", GRADC_F32, {2}), {1, 2, 3, 4}, 2);
    CHECK(said(unequal.dataset({})) == "x: error: x has 2 rows, but i has 3");
    Tables short_column;
    range(short_column, 5, 9);
    CHECK(said(short_column.dataset({})) == "i: error: has 5 entries, fewer than a window of 9");
    Tables bad_literal;
    bad_literal.literal(bad_literal.field("y", "", GRADC_U8, {}), {1, 256}, 2);
    CHECK(said(bad_literal.dataset({})) == "y: error: row 2 of the model file's is 256, not in 0..255");
    Tables missing;
    missing.file(missing.field("z", "csv", GRADC_F32, {}), {{"", "missing.csv"}});
    CHECK(said(missing.dataset({})) == "missing.csv: error: there is no such file in the current "
                                       "folder; --data-dir DIR names another folder");
}

TEST_CASE("files name splits") {
    workplace::Folder folder;
    Tables tables;
    std::string train = folder.write("train.csv", "x,y\n1,2\n3,4\n5,6\n"),
                test = folder.write("test.csv", "x,y\n7,8\n");
    for (int64_t column : {0, 1}) {
        gradc_field& field = tables.field(column == 0 ? "x" : "y", "csv", GRADC_F32, {});
        tables.columns(field, {column});
        tables.file(field, {{"train", train.c_str()}, {"test", test.c_str()}});
    }
    gradc_dataset table = tables.dataset({});
    table.split_by_file = 1;
    Dataset dataset;
    Error error;
    REQUIRE(load_dataset(table, nowhere, 1, dataset, error));
    REQUIRE(dataset.splits.size() == 2);
    CHECK(dataset.splits[0].rows == std::vector<int64_t>{0, 1, 2});
    CHECK(dataset.splits[1].name == "test");
    CHECK(dataset.splits[1].rows == std::vector<int64_t>{3});
    CHECK(load_element(dataset.columns[1].row(3), GRADC_F32) == 8);
}

TEST_CASE("an epoch's order is a function of seed and epoch") {
    Tables tables;
    range(tables, 50);
    gradc_dataset table = tables.dataset({});
    Dataset dataset;
    Error error;
    REQUIRE(load_dataset(table, nowhere, 1, dataset, error));
    std::vector<int64_t> file = order_of(dataset, GRADC_FILE_ORDER, 1, 3),
                         shuffled = order_of(dataset, GRADC_SHUFFLED, 1, 3);
    CHECK(std::is_sorted(file.begin(), file.end()));
    CHECK(shuffled != file);
    CHECK(shuffled == order_of(dataset, GRADC_SHUFFLED, 1, 3, 0, 7));
    CHECK(shuffled != order_of(dataset, GRADC_SHUFFLED, 1, 4));
    CHECK(shuffled != order_of(dataset, GRADC_SHUFFLED, 2, 3));
    std::vector<int64_t> rest = order_of(dataset, GRADC_SHUFFLED, 1, 3, 20);
    CHECK(rest == std::vector<int64_t>(shuffled.begin() + 20, shuffled.end()));
    std::sort(shuffled.begin(), shuffled.end());
    CHECK(shuffled == file); // without replacement
    std::vector<int64_t> drawn = order_of(dataset, GRADC_RANDOM, 1, 3);
    CHECK(drawn.size() == 50);
    CHECK(std::set<int64_t>(drawn.begin(), drawn.end()).size() < 45); // with replacement
}

TEST_CASE("rows reach padded tensors, the last batch is short") {
    Tables tables;
    gradc_field& field = tables.field("i", "", GRADC_I32, {2});
    tables.literal(field, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5);
    gradc_dataset table = tables.dataset({});
    Dataset dataset;
    Error error;
    REQUIRE(load_dataset(table, nowhere, 1, dataset, error));
    OneField place;
    Loader loader(place.module, dataset, 0, GRADC_FILE_ORDER, 1);
    CHECK(loader.next(4, place.arena) == 4);
    CHECK(place.at(3, 1) == 8);
    CHECK(place.row(3) == 3);
    CHECK(place.at(1, 0) == 3);
    CHECK(place.at(0, 2) == 0); // the gap is left alone
    CHECK(loader.next(4, place.arena) == 1);
    CHECK(place.at(0, 1) == 10);
    CHECK(place.row(0) == 4);
    CHECK(loader.at_end());
}

TEST_CASE("tensors are read and written in the model's own shape") {
    static constexpr int64_t shape[] = {2, 3, 5}, strides[] = {16, 0, 0}, gaps[] = {40, 8, 1}, turned[] = {1, 2, 6};
    struct Case {
        const char* what;
        gradc_tensor tensor;
    };
    for (const Case& each : {Case{"panels of 2", {"a", "", GRADC_F32, GRADC_PARAMETER, 3, 0, shape, strides, 4, 2}},
                             Case{"gaps", {"b", "", GRADC_F32, GRADC_PARAMETER, 3, 0, shape, gaps, 8, 0}},
                             Case{"turned axes", {"c", "", GRADC_F32, GRADC_PARAMETER, 3, 0, shape, turned, 0, 0}}}) {
        INFO(each.what);
        gradc_tensor tensor = each.tensor;
        static constexpr int64_t panels[] = {18, 0, 0}; // ceil(5/2) * 3 * 2
        if (tensor.panel > 0) tensor.strides = panels;
        std::vector<float> numbers, back(30);
        for (int i = 0; i < 30; i++) numbers.push_back(float(i + 1));
        alignas(64) unsigned char arena[512] = {};
        write_tensor(tensor, arena, reinterpret_cast<const unsigned char*>(numbers.data()));
        read_tensor(tensor, arena, reinterpret_cast<unsigned char*>(back.data()));
        CHECK(back == numbers);
        if (tensor.panel > 0) { // [1, 2, 4]: second matrix, third panel, row 2, lane 0
            CHECK(load_element(arena + 4 + (18 + 2 * 6 + 2 * 2) * 4, GRADC_F32) == 30);
            CHECK(load_element(arena + 4 + (18 + 2 * 6 + 2 * 2 + 1) * 4, GRADC_F32) == 0); // padding
        }
        clear_tensor(tensor, arena);
        CHECK(std::all_of(arena, arena + 512, [](unsigned char byte) { return byte == 0; }));
    }
    static constexpr int64_t rows_shape[] = {4, 2}, rows_strides[] = {3, 1};
    gradc_tensor rows{"r", "", GRADC_F32, GRADC_RESULT, 2, 1, rows_shape, rows_strides, 0, 0};
    CHECK(tensor_bytes(rows, 3) == 24);
}

TEST_CASE("a NaN of any sign and payload is read as the one quiet NaN") {
    static constexpr int64_t shape[] = {4}, one[] = {1};
    auto read = [&](auto bits, int32_t dtype) {
        gradc_tensor tensor{"t", "", dtype, GRADC_PARAMETER, 1, 0, shape, one, 0, 0};
        auto back = bits;
        read_tensor(tensor, reinterpret_cast<const unsigned char*>(bits.data()),
                    reinterpret_cast<unsigned char*>(back.data()));
        return back;
    };
    using Floats = std::array<uint32_t, 4>;
    CHECK(read(Floats{0x7F800001, 0xFFC12345, 0xFF800000, 0x80000001}, GRADC_F32) ==
          Floats{0x7FC00000, 0x7FC00000, 0xFF800000, 0x80000001});
    CHECK(read(Floats{0x7F800001, 0xFFC12345, 0, 0}, GRADC_I32) == Floats{0x7F800001, 0xFFC12345, 0, 0});
    using Doubles = std::array<uint64_t, 4>;
    CHECK(read(Doubles{0x7FF0000000000001, 0xFFF8000000000000, 0xFFF0000000000000, 1}, GRADC_F64) ==
          Doubles{0x7FF8000000000000, 0x7FF8000000000000, 0xFFF0000000000000, 1});
    using Halves = std::array<uint16_t, 4>;
    CHECK(read(Halves{0x7F81, 0xFFC1, 0xFF80, 0x8001}, GRADC_BF16) == Halves{0x7FC0, 0x7FC0, 0xFF80, 0x8001});
}
