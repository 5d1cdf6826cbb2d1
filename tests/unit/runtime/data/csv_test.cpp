// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CSV files. Invalid ones: error_files_test.cpp.
#include "runtime/base/dtype.h"
#include "runtime/data/csv.h"
#include "tests/support/sanitized.h"
#include "tests/unit/runtime/fields.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace gradc::runtime;

namespace {

struct TwoFields {
    Tables tables;
    Column x{tables.field("x", "csv", GRADC_F32, {2})};
    Column label{tables.field("label", "csv", GRADC_I32, {})};
    std::vector<CsvTarget> targets{{&x, {{0, 1}, {}}}, {&label, {{2}, {}}}};
    TwoFields() { const_cast<gradc_field*>(label.field)->high = 9; }
};

double value(const Column& column, int64_t index) {
    return load_element(column.data() + index * element_size(column.field->stored), column.field->stored);
}

} // namespace

TEST_CASE("cells are stored in their places") {
    workplace::Folder folder;
    std::string path = folder.write("q.csv", "label,\"b, c\",a\r\n3,\"5\",-1.5\r\n\r\n4,6,2e0");
    Tables tables;
    Column x{tables.field("x", "csv", GRADC_F64, {2})}, label{tables.field("label", "csv", GRADC_U8, {})};
    std::vector<CsvTarget> targets{{&x, {{}, {"a", "b, c"}}}, {&label, {{0}, {}}}};
    Error error;
    REQUIRE(read_csv(path, targets, error));
    REQUIRE(x.entries == 2);
    CHECK(value(x, 0) == -1.5);
    CHECK(value(x, 1) == 5);
    CHECK(value(x, 2) == 2);
    CHECK(value(x, 3) == 6);
    CHECK(value(label, 1) == 4);
}

TEST_CASE("the error for an unknown column lists the columns of the header") {
    workplace::Folder folder;
    std::string path = folder.write("n.csv", "a,b\n1,2\n");
    Tables tables;
    Column x{tables.field("x", "csv", GRADC_F32, {})};
    std::vector<CsvTarget> targets{{&x, {{}, {"c"}}}};
    Error error;
    CHECK_FALSE(read_csv(path, targets, error));
    CHECK(error.message == path + ":1:1: error: no column is called `c`; the header has a, b");
}

TEST_CASE("a name of two columns is an error if it is used") {
    workplace::Folder folder;
    std::string path = folder.write("n.csv", "a,b,c,b\n1,2,3,4\n");
    Tables tables;
    Column x{tables.field("x", "csv", GRADC_F32, {})};
    std::vector<CsvTarget> twice{{&x, {{}, {"b"}}}}, once{{&x, {{}, {"c"}}}}, numbered{{&x, {{3}, {}}}};
    Error error, none;
    CHECK_FALSE(read_csv(path, twice, error));
    CHECK(error.message == path + ":1:4: error: columns 1 and 3 (from 0) are both called `b`; select one by its "
                                  "number, or rename the other");
    CHECK(read_csv(path, once, none));
    CHECK(value(x, 0) == 3);
}

TEST_CASE("a file that is not regular is refused without waiting") {
    workplace::Folder folder;
    REQUIRE(mkfifo(folder.path("pipe").c_str(), 0600) == 0);
    REQUIRE(mkdir(folder.path("folder").c_str(), 0700) == 0);
    auto said = [](const std::string& path) {
        TwoFields fields;
        Error error;
        CHECK_FALSE(read_csv(path, fields.targets, error));
        CHECK(error.code == input_error);
        return error.message;
    };
    CHECK(said(folder.path("pipe")) == folder.path("pipe") + ": error: it is not a regular file");
    CHECK(said(folder.path("folder")) == folder.path("folder") + ": error: it is a folder");
    CHECK(said("/dev/zero") == "/dev/zero: error: it is not a regular file");
    CHECK(said(folder.path("a\x1b[2J\nb")) ==
          folder.path("a\\x1b[2J\\nb") + ": error: cannot read it: No such file or directory");
}

TEST_CASE("data that do not fit in memory are refused by name") {
    if (ADDRESS_SANITIZED) return;
    workplace::Folder folder;
    std::string rows = "a,b,label\n";
    for (int row = 0; row < 200000; row++) rows += "1,2,3\n";
    std::string path = folder.write("m.csv", rows);
    TwoFields fields;
    Error error;
    rlimit before, tight;
    getrlimit(RLIMIT_AS, &before);
    std::ifstream pages("/proc/self/statm");
    rlim_t mapped = 0;
    pages >> mapped;
    tight = {mapped * 4096 + (3 << 20), before.rlim_max};
    setrlimit(RLIMIT_AS, &tight);
    bool read = read_csv(path, fields.targets, error);
    setrlimit(RLIMIT_AS, &before);
    CHECK_FALSE(read);
    CHECK(error.message.starts_with(path + ": error: does not fit in memory: it needs "));
    CHECK(error.code == input_error);
}

TEST_CASE("many rows are read") {
    workplace::Folder folder;
    std::string csv = "a,b,label\n";
    for (int row = 0; row < 50000; row++)
        csv += std::to_string(row) + "," + std::to_string(row * 0.5) + "," + std::to_string(row % 10) + "\n";
    TwoFields fields;
    Error error;
    REQUIRE(read_csv(folder.write("m.csv", csv), fields.targets, error));
    CHECK(fields.x.entries == 50000);
    CHECK(value(fields.x, 2 * 49999) == 49999);
    CHECK(value(fields.x, 2 * 49999 + 1) == 24999.5);
    CHECK(value(fields.label, 49999) == 9);
}
