// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trainers that were built before, named by all that goes into one: the texts of the model and of what it uses, what
// data files told of sizes and ranges, options, instruction sets, the compiler and its runtime. A trainer appears in the
// folder whole or not at all, with the hash of its bytes behind them; those used longest ago make room for new ones.
// What is taken out is a program that will run, so it must be what was put in, and no one else may have had access.
#pragma once
#include "compiler/commands/options.h"
#include "compiler/pipeline.h"

namespace gradc {

class TrainerCache {
public:
    static constexpr size_t most_trainers = 64, most_bytes = size_t(256) << 20;

    /// The place of the trainer that this model makes with these options.
    TrainerCache(const Front& front, const CommandLine& line);
    /// Makes the folders for it; why they cannot be had or trusted, or "".
    std::string open() const;
    /// Its bytes, if it was built before; it counts as used now. What is there but not as it was put is told on
    /// standard error, and removed.
    std::optional<std::string> take() const;
    /// Puts it there, then removes what was used longest ago, beyond the limits. Other files in the folder are left
    /// alone. Why it failed, or "".
    std::string keep(const std::string& bytes) const;
    const std::string& trainer() const { return trainer_; } // its path, there or not
    const std::string& root() const { return root_; }       // the folder of all

private:
    std::string seal(const std::string& bytes) const; // what follows the bytes in the file
    void trim() const;

    std::string root_, folder_, trainer_; // folder_ "": the compiler cannot be read, so nothing can be told apart
};

} // namespace gradc
