// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Records and tokens are used where they lie in mapped files: rows, batches and hashes are those of a copy.
#include "runtime/base/dtype.h"
#include "runtime/data/loader.h"
#include "tests/unit/runtime/fields.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <cstring>

using namespace gradc::runtime;

namespace {

std::string shorts(int from, int to) {
    std::string bytes;
    for (int i = from; i < to; i++) bytes += char(i & 255), bytes += char(i >> 8);
    return bytes;
}

/// Row `number`, as integers.
std::vector<int64_t> row_of(const Column& column, int64_t number) {
    std::vector<unsigned char> bytes(size_t(column.row_bytes()));
    column.copy_row(number, bytes.data());
    std::vector<int64_t> numbers;
    int64_t size = element_size(column.field->stored);
    for (int64_t at = 0; at < column.row_bytes(); at += size)
        numbers.push_back(int64_t(load_element(bytes.data() + at, column.field->stored)));
    return numbers;
}

} // namespace

TEST_CASE("tokens of several files stay mapped; windows of one split do not cross into another") {
    workplace::Folder folder;
    folder.write("a", shorts(300, 307)), folder.write("b", shorts(400, 405)), folder.write("c", shorts(500, 504));
    Tables tables;
    gradc_field& field = tables.field("window", "tokens", GRADC_I32, {3});
    field.high = 999, field.window = 3, field.stride = 2;
    tables.file(field, {{"train", "a"}, {"train", "b"}, {"test", "c"}});
    gradc_dataset table = tables.dataset({{"train", 1}, {"test", 1}});
    table.split_by_file = 1;
    Dataset dataset;
    Error error;
    REQUIRE(load_dataset(table, Places{{folder.path()}}, 1, dataset, error));
    const Column& column = dataset.columns[0];
    CHECK(column.mapped.size() == 3);
    CHECK(column.owned.empty());
    REQUIRE(dataset.splits.size() == 2);
    CHECK(dataset.splits[0].rows == std::vector<int64_t>{0, 1, 2, 4}); // row 3 would cross from a into b
    CHECK(dataset.splits[1].rows == std::vector<int64_t>{6});
    CHECK(row_of(column, 2) == std::vector<int64_t>{304, 305, 306});
    CHECK(row_of(column, 4) == std::vector<int64_t>{401, 402, 403});
    CHECK(row_of(column, 6) == std::vector<int64_t>{500, 501, 502});

    const int64_t shape[] = {4, 3}, strides[] = {3, 1};
    gradc_tensor tensor{"window", "", GRADC_I32, GRADC_FIELD, 2, 1, shape, strides, 64, 0};
    gradc_module module{};
    module.tensors = &tensor, module.tensor_count = 1;
    alignas(64) unsigned char arena[256] = {};
    Loader loader(module, dataset, 0, GRADC_FILE_ORDER, 1);
    REQUIRE(loader.next(4, arena) == 4);
    CHECK(load_element(arena + 64 + 4 * 6, GRADC_I32) == 304);
    CHECK(load_element(arena + 64 + 4 * 11, GRADC_I32) == 403);
    gradc_column address{};
    CHECK_FALSE(loader.column_of(tensor, address)); // the rows do not lie as the tensor's
}

TEST_CASE("parts of records stay mapped, and have the hash of a copy") {
    workplace::Folder folder;
    folder.write("a", std::string("\1abc\2def\3ghi", 12));
    auto load = [&](Dataset& dataset, Tables& tables, int32_t stored) {
        gradc_field& label = tables.field("label", "raw", stored, {});
        gradc_field& image = tables.field("image", "raw", GRADC_U8, {3});
        label.high = 9, label.record = 4, label.in_file = GRADC_U8;
        image.high = 255, image.record = 4, image.offset = 1, image.in_file = GRADC_U8;
        tables.file(label, {{"", "a"}}), tables.file(image, {{"", "a"}});
        static gradc_dataset table;
        table = tables.dataset({});
        Error error;
        REQUIRE(load_dataset(table, Places{{folder.path()}}, 1, dataset, error));
    };
    Dataset mapped, converted;
    Tables some, others;
    load(mapped, some, GRADC_U8), load(converted, others, GRADC_I32);
    CHECK(mapped.columns[0].mapped.size() == 1);
    CHECK(converted.columns[0].mapped.empty()); // a byte is no i32
    CHECK(converted.columns[1].owned.empty());
    for (const Dataset* each : {&mapped, &converted}) {
        REQUIRE(each->rows == 3);
        CHECK(row_of(each->columns[0], 2) == std::vector<int64_t>{3});
        CHECK(row_of(each->columns[1], 1) == std::vector<int64_t>{'d', 'e', 'f'});
    }
    uint64_t before = mapped.hash();
    Error error;
    REQUIRE(mapped.columns[1].own("a", error));
    CHECK(mapped.columns[1].mapped.empty());
    CHECK(row_of(mapped.columns[1], 2) == std::vector<int64_t>{'g', 'h', 'i'});
    CHECK(mapped.columns[1].entries == 3);
    CHECK(mapped.hash() == before);
}
