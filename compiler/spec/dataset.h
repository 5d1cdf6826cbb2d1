// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A data set as plain data: where the columns of its fields come from and how its rows are split. Filled by
// compiler/dataset; the trainer's table is written from it.
#pragma once
#include "compiler/graph/type.h"
#include "dsl/source.h"
#include <string>
#include <vector>

namespace gradc {

/// Where a field's column comes from. `files` holds one path a split if they are named (idx), else
/// one.
struct Reader {
    enum class Kind : uint8_t { none, csv, idx, literal, range, characters, npy } kind = Kind::none;
    struct File {
        std::string split; // "" for all
        std::string path;  // as written
    };
    std::vector<File> files;
    std::vector<int64_t> columns;          // csv: from 0, when numbered
    std::vector<std::string> column_names; // csv: when named
    std::vector<double> values;            // literal: all rows
    int64_t rows = 0;                      // literal, range
    std::string alphabet;                  // characters: UTF-8, in order of code
    int64_t window = 0,
            stride = 1; // windows(reader, length: window): rows are runs of the column; 0: none
    Span span;
};
struct Field { // of a dataset, read by the trainer; formulas are part of the graphs
    std::string name;
    Dtype stored = Dtype::f32;  // u8 f32 f64 i32
    Shape shape;                // of one row
    int64_t low = 0, high = -1; // whole numbers: allowed range
    Reader reader;
    Span span;
};
struct SplitRange {
    std::string name;
    double fraction = 1;
};
struct DatasetSpec {
    std::string name;
    std::vector<Field> fields;      // the ones that are read
    std::vector<SplitRange> splits; // empty: all rows are "train"; idx may name splits by files instead
    bool in_order = false;
    bool split_by_file = false;
    Span span;
};

} // namespace gradc
