// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// 128 bits that name content: for finding what was made of the same things before. No defence against an adversary.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace gradc {

class ContentHash {
public:
    /// A piece of its own: "ab", "c" is not "a", "bc".
    void add(std::string_view piece);
    /// What a file holds; false if it cannot be read.
    bool add_file(const std::string& path);
    /// 32 hexadecimal digits.
    std::string text() const;

private:
    void mix(uint64_t word);

    uint64_t first_ = 0x9e3779b97f4a7c15u, second_ = 0xc2b2ae3d27d4eb4fu;
};

} // namespace gradc
