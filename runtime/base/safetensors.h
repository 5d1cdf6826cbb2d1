// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The safetensors format: the length of the header (u64), a JSON header with name, dtype, shape and offsets of every
// tensor, then the numbers, little endian. A file is written completely or not at all, and checked when it is opened.
#pragma once
#include "runtime/base/files.h"
#include <functional>

namespace gradc::runtime {

using Metadata = std::vector<std::pair<std::string, std::string>>;
std::string metadata_value(const Metadata& metadata, std::string_view key);
void add_metadata(Metadata& metadata, std::string_view key, std::string_view value);

struct StoredTensor {
    std::string name;
    int32_t dtype = 0; // gradc_dtype or file_f16
    std::vector<int64_t> shape;
    int64_t begin = 0, end = 0; // bytes after the header
};

/// A tensor to write: `read` fills the given bytes with its numbers in C order.
struct WrittenTensor {
    std::string name;
    int32_t dtype = 0;
    std::vector<int64_t> shape;
    std::function<void(unsigned char*)> read;
};

/// Adds "checksum" to the metadata: the hash of all numbers. Two tensors of one name are an error.
bool write_safetensors(const std::string& path, const std::vector<WrittenTensor>& tensors, Metadata metadata,
                       Error& error);

class SafetensorsFile {
public:
    /// It is an error if the file has another format, is truncated, has tensors that overlap or leave gaps, or does not
    /// have its stated checksum.
    bool open(const std::string& path, Error& error);
    const std::vector<StoredTensor>& tensors() const { return tensors_; }
    const Metadata& metadata() const { return metadata_; }
    const StoredTensor* find(std::string_view name) const;
    const unsigned char* numbers(const StoredTensor& tensor) const {
        return reinterpret_cast<const unsigned char*>(payload_.data()) + tensor.begin;
    }

private:
    bool parse(std::string_view bytes, std::string& problem);
    MappedFile file_;
    std::string_view payload_;
    std::vector<StoredTensor> tensors_;
    Metadata metadata_;
};

} // namespace gradc::runtime
