// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of readers of data files. The compiler and the trainer use the same table: the compiler reads the sizes
// that a model leaves open, the trainer reads the rows. Each reader is defined in a file of its own.
#pragma once
#include "runtime/data/column.h"
#include "runtime/data/data_file.h"
#include <cmath>
#include <limits>
#include <span>

namespace gradc::runtime {

/// Columns of a table, by number or by name; neither: all of them. Or a part of every row, as in gradc_field.
struct Selection {
    std::vector<int64_t> numbers = {}; // from 0
    std::vector<std::string> names = {};
    int64_t record = 0, offset = 0, elements = 0; // elements: numbers of the part
    int32_t in_file = GRADC_U8, strings = GRADC_NO_STRINGS;
};

/// Properties of a file that a model may leave open.
struct FileFacts {
    std::vector<int64_t> shape;                                // rows first
    double largest = -std::numeric_limits<double>::infinity(); // finite number of the selected ones; -inf: none is
    std::string alphabet;                                      // of text: UTF-8, in order of code

    /// Numbers that are not finite are errors of the trainer, which names their place.
    void take(double number) {
        if (std::isfinite(number) && number > largest) largest = number;
    }
};

struct FileReader {
    const char* name;           // in a model file: csv("rows.csv")
    const char* suffix;         // of files that `predict` reads with it; "": none
    int32_t stored = -1;        // gradc_dtype of a field that names none; -1: its bound or the model decides
    bool takes_columns = false; // has the option `columns`; a row is a list of numbers in any shape
    bool is_text = false;       // rows are codes of characters, in an alphabet that the compiler takes from the file
    bool one_number = false;    // a row is a scalar
    bool takes_parts = false;   // a row has a part for each field of a line of the model: label, image = raw("f.bin")
    bool reads_strings = false; // of the parts: an integer is a label, a vector counts words

    /// Opens `file` and reads its facts.
    bool (*facts)(const std::string& path, const Selection& selection, DataFile& file, FileFacts& facts, Error& error);
    /// Appends the file's rows to all columns, each for another field.
    bool (*read)(const std::string& path, const std::vector<Column*>& columns, Error& error);
};

std::span<const FileReader* const> file_readers();
/// nullptr if no reader has that name.
const FileReader* find_reader(std::string_view name);

} // namespace gradc::runtime
