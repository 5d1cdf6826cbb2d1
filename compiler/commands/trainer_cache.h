// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cache of trainers and of their machine code. A trainer's key covers the model and its imports, sizes and ranges
// read from data files, options, instruction sets, the compiler and its runtime; that of machine code covers the
// compiler and the model's path. An entry is written atomically, followed by a hash of its bytes. The entries used
// longest ago are removed first. An entry will be executed: its hash, owner and mode are checked before.
#pragma once
#include "compiler/commands/options.h"
#include "compiler/pipeline.h"

namespace gradc {

class CacheEntry {
public:
    static constexpr size_t most_entries = 64, most_bytes = size_t(256) << 20;

    /// The trainer that this model makes with these options.
    static CacheEntry trainer(const Front& front, const CommandLine& line);
    /// The machine code of this model file's last builds (code_cache.h).
    static CacheEntry code(const CommandLine& line);
    /// Makes the folders for it; why they cannot be had or trusted, or "".
    std::string open() const;
    /// The entry's bytes, if there is one; marks it as used. A damaged entry is removed, with a note on stderr.
    std::optional<std::string> take() const;
    /// Puts it there, then removes what was used longest ago, beyond the limits. Other files in the folder are left
    /// alone. Why it failed, or "".
    std::string keep(const std::string& bytes) const;
    const std::string& path() const { return path_; } // of its file, there or not
    const std::string& root() const { return root_; } // the folder of all

private:
    CacheEntry(const std::string& key, const std::string& file); // key "": the compiler cannot be read
    std::string seal(const std::string& bytes) const;            // what follows the bytes in the file
    void trim() const;

    std::string root_, folder_, path_; // folder_ "": the compiler cannot be read, so entries have no keys
};

} // namespace gradc
