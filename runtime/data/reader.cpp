// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See reader.h. A new reader is one file that defines `FileReader NAME_reader`, and one line here.
#include "runtime/data/reader.h"

#define FILE_READERS(READER)                                                                                           \
    READER(csv)                                                                                                        \
    READER(idx)                                                                                                        \
    READER(npy)                                                                                                        \
    READER(characters)                                                                                                 \
    READER(lines)                                                                                                      \
    READER(raw)                                                                                                        \
    READER(tokens)

namespace gradc::runtime {

#define DECLARE(name) extern const FileReader name##_reader;
FILE_READERS(DECLARE)

#define ADDRESS(name) &name##_reader,
static constexpr const FileReader* all_readers[] = {FILE_READERS(ADDRESS)};
#undef DECLARE
#undef ADDRESS

std::span<const FileReader* const> file_readers() { return all_readers; }

const FileReader* find_reader(std::string_view name) {
    for (const FileReader* reader : all_readers) {
        if (reader->name == name) return reader;
    }
    return nullptr;
}

} // namespace gradc::runtime
