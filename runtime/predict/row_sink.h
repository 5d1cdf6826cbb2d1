// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes predicted rows: CSV on standard output or in a file, an NPY array, or text if they are characters. Codes of a
// dictionary are written as its strings.
#pragma once
#include "runtime/base/files.h"
#include "runtime/data/dictionary.h"
#include <optional>

namespace gradc::runtime {

class RowSink {
public:
    /// `table`: the data set whose dictionary predicted integers may belong to, or null. `names`: of the numbers of a
    /// row; if empty, the classes if there are as many, else predict_0 ..
    RowSink(const gradc_tensor& result, const gradc_dataset* table, const Dictionaries& dictionaries,
            std::vector<std::string> names);
    /// "" is standard output; .npy and .txt select their format, all else is CSV. `rows` is the total.
    bool open(const std::string& path, int64_t rows, Error& error);
    /// Writes `rows` rows in C order. False if standard output is closed, or with an error.
    bool add(const unsigned char* bytes, int64_t rows, Error& error);
    bool finish(Error& error);

private:
    enum class Format : uint8_t { csv, npy, text };
    bool write(std::string_view text, Error& error);
    bool flush(Error& error);
    std::string header() const;
    bool characters() const { return dictionary_ && characters_; }
    std::string numbers(const unsigned char* at) const;
    std::string written(const unsigned char* at) const;

    const gradc_tensor& result_;
    int64_t width_;
    std::vector<std::string> names_;
    const Dictionary* dictionary_ = nullptr; // of the predicted integers
    bool characters_ = false;                // its strings
    Format format_ = Format::csv;
    bool done_ = false; // a result without rows is written once
    std::optional<ReplacingFile> file_;
    std::string buffer_;
};

} // namespace gradc::runtime
