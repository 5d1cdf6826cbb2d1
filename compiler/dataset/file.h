// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is read of data files while compiling: sizes, ranges and alphabets that the model file leaves open. The
// readers are those of the trainer: both report the same errors with the same messages.
#pragma once
#include "compiler/graph/type.h"
#include "runtime/data/data_file.h"
#include <optional>
#include <string>
#include <vector>

namespace gradc {

/// What `path` names: itself if absolute, else in the first of `folders` that has it. `places` gets every path that was
/// tried.
std::optional<std::string> find_data_file(const std::string& path, const std::vector<std::string>& folders,
                                          std::vector<std::string>& places);

// Each opens `file` at `place`; nothing after a fault.

struct TableFacts { // of a CSV
    int64_t columns = 0, rows = 0;
    double largest; // of the wanted cells; -inf where none is a number
};
/// `numbers` or `names`: the columns that are wanted; neither: all.
std::optional<TableFacts> read_table(const std::string& place, const std::vector<int64_t>& numbers,
                                     const std::vector<std::string>& names, runtime::DataFile& file,
                                     runtime::Error& error);

struct ArrayFacts { // of an IDX or NPY
    Shape shape;    // rows first
    double largest; // -inf where none is finite
};
std::optional<ArrayFacts> read_idx(const std::string& place, runtime::DataFile& file, runtime::Error& error);
std::optional<ArrayFacts> read_npy(const std::string& place, runtime::DataFile& file, runtime::Error& error);

struct TextFacts {
    std::string alphabet; // UTF-8, in order of code
    int64_t letters = 0;  // different ones
    int64_t length = 0;   // in characters
};
std::optional<TextFacts> read_characters(const std::string& place, runtime::DataFile& file, runtime::Error& error);

} // namespace gradc
