// What is read of data files while compiling: sizes, ranges and alphabets that the model file
// leaves open. The trainer reads the rows themselves, with its own readers.
#pragma once
#include "compiler/graph/type.h"
#include <optional>
#include <string>
#include <vector>

namespace gradc {

/// The regular file that `path` names: itself if absolute, else in the first of `folders` that has
/// it. `places` gets every path that was tried.
std::optional<std::string> find_data_file(const std::string& path, const std::vector<std::string>& folders,
                                          std::vector<std::string>& places);

/// The bytes of a file, unpacked if it is a gzip.
std::optional<std::string> read_data_file(const std::string& path, std::string& reason);

struct TableFacts {                 // of a CSV
    std::vector<std::string> names; // of its header; empty without one
    size_t columns = 0;
    int64_t rows = 0;
    std::vector<double> largest; // by column; -inf where nothing is a number
};
std::optional<TableFacts> read_table(const std::string& bytes, std::string& reason);

struct ArrayFacts { // of an IDX or NPY
    Element element = Element::u8;
    Shape shape; // rows first
    double largest = 0;
};
std::optional<ArrayFacts> read_idx(const std::string& bytes, std::string& reason);
std::optional<ArrayFacts> read_npy(const std::string& bytes, std::string& reason);

struct TextFacts {
    std::string alphabet; // UTF-8, in order of code
    int64_t letters = 0;  // different ones
    int64_t length = 0;   // in characters
};
std::optional<TextFacts> read_characters(const std::string& bytes, std::string& reason);

} // namespace gradc
