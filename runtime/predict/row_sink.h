// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes predicted rows: CSV on standard output or in a file, an NPY array, or text if they are characters of the
// model's alphabet.
#pragma once
#include "runtime/base/files.h"
#include "runtime/data/characters.h"
#include <optional>

namespace gradc::runtime {

class RowSink {
public:
    /// `table`: the data set whose alphabet predicted integers may belong to, or null. `names`: of the numbers of a
    /// row; predict_0 .. if empty.
    RowSink(const gradc_tensor& result, const gradc_dataset* table, std::vector<std::string> names);
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
    std::string numbers(const unsigned char* at) const;
    std::string written(const unsigned char* at) const;

    const gradc_tensor& result_;
    int64_t width_;
    std::vector<std::string> names_;
    std::optional<Alphabet> alphabet_;
    Format format_ = Format::csv;
    bool done_ = false; // a result without rows is written once
    std::optional<ReplacingFile> file_;
    std::string buffer_;
};

} // namespace gradc::runtime
