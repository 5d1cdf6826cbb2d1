// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cache of trainers. Its key covers the model and its imports, sizes and ranges read from data files, options,
// instruction sets, the compiler and its runtime. An entry is written atomically, followed by a hash of its bytes. The
// entries used longest ago are removed first. An entry will be executed: its hash, owner and mode are checked before.
#pragma once
#include "compiler/commands/options.h"
#include "compiler/pipeline.h"

namespace gradc {

class TrainerCache {
public:
    static constexpr size_t most_trainers = 64, most_bytes = size_t(256) << 20;

    /// The entry for this model with these options.
    TrainerCache(const Front& front, const CommandLine& line);
    /// Creates its folders. Returns the reason why they cannot be created or trusted, or "".
    std::string open() const;
    /// The trainer's bytes, if there is an entry; marks it as used. A damaged entry is removed, with a note on stderr.
    std::optional<std::string> take() const;
    /// Adds the entry, then removes those used longest ago, beyond the limits. Other files in the folder are not
    /// touched. Returns the reason of a failure, or "".
    std::string keep(const std::string& bytes) const;
    const std::string& trainer() const { return trainer_; } // its path, whether the file exists or not
    const std::string& root() const { return root_; }       // the folder of all entries

private:
    std::string seal(const std::string& bytes) const; // the hash after the bytes in the file
    void trim() const;

    std::string root_, folder_, trainer_; // folder_ "": the compiler cannot be read, so there is no key
};

} // namespace gradc
