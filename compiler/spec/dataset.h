// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A data set as plain data: the origin of its fields and the splits of its rows. compiler/dataset fills it; the
// trainer's table is written from it.
#pragma once
#include "compiler/graph/type.h"
#include "dsl/source.h"
#include <string>
#include <vector>

namespace gradc {

/// The strings that a field's numbers stand for: gradc_strings of runtime/abi.h.
enum class Strings : uint8_t { none, classes, words };

/// The origin of a field's rows: files, a list of values, or the numbers of the rows.
struct Reader {
    struct File {
        std::string split; // "": all
        std::string path;  // as written
    };
    std::string name;             // in the table of runtime/data/reader.cpp; "": no files
    std::vector<File> files;      // one, or one for each split
    std::vector<int64_t> columns; // of a table, from 0
    std::vector<std::string> column_names;
    std::vector<double> values; // without files: the rows; empty: row i is i
    int64_t rows = 0;           // without files
    std::string alphabet;       // of text: UTF-8, in order of code
    int64_t window = 0;         // windows(reader, length: window): a row is a run of entries; 0: one entry
    int64_t stride = 1;
    Strings strings = Strings::none;
    bool other = false;             // code 0 stands for all strings outside of the dictionary
    int64_t record = 0, offset = 0; // a part of each row, as in gradc_field of runtime/abi.h
    int64_t elements = 0;           // numbers of the part
    Dtype in_file = Dtype::f32;     // their dtype
    Span span;

    bool is_literal() const { return name.empty() && !values.empty(); }
    bool is_row_number() const { return name.empty() && values.empty(); }
};
struct Field { // of a dataset, read by the trainer; formulas are part of the graphs
    std::string name;
    Dtype stored = Dtype::f32;  // u8 f32 f64 i32
    Shape shape;                // of one row
    int64_t low = 0, high = -1; // integers: the allowed range
    Reader reader;
    Span span;
};
/// A split by a share of the rows.
struct SplitRange {
    std::string name;
    double fraction = 1;
};
/// One `dataset` block: readers, splits, and formulas of its fields.
struct DatasetSpec {
    std::string name;
    std::vector<Field> fields;      // fields that are read
    std::vector<SplitRange> splits; // empty: all rows are "train"; readers may name splits by files instead
    bool in_order = false;
    bool split_by_file = false;
    Span span;
};

} // namespace gradc
