// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants of the C++ text that say where tensors lie. Weights and states of equal blocks that
// lie at equal distances share one constant, and the distance is another.
#pragma once
#include "compiler/target/cpp/names.h"
#include <vector>

namespace gradc::target {

/// Declarations of numbers or arrays of numbers, as many of one type on a line as fit.
class Declarations {
public:
    /// `text`: "const int64_t numbers_1[] = {64, 1};\n".
    void add(const std::string& type, const std::string& text);
    /// The lines so far.
    std::string take();

private:
    std::map<std::string, std::string> lines_; // by type
};

class Places {
public:
    explicit Places(const loop::Module& module);
    /// "at::x" or "at::block_linear_weight + 2 * at::block_stride", in units of 64 bytes from the arena's base.
    std::string operator[](loop::BufferId id);
    /// The constants that were asked for, in their namespace.
    std::string text() const;

private:
    struct Family {              // tensors of equal blocks
        std::string words, stem; // "block_linear_weight", "block"
        int64_t offset = 0, stride = 0;
    };
    void find_families();
    void add_family(const std::string& before, const std::string& after,
                    const std::vector<std::pair<int64_t, loop::BufferId>>& run, bool all);
    std::string constant(const std::string& words, int64_t value);

    const loop::Module& module_;
    std::vector<Family> families_;
    std::map<loop::BufferId, std::pair<size_t, int64_t>> members_; // number of the family, number of the block in it
    Names names_;
    std::map<std::pair<std::string, int64_t>, std::string> known_; // by words and value
    Declarations declarations_;
    bool strides_ = false; // some were asked for
};

} // namespace gradc::target
