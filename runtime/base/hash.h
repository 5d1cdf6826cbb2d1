// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A 64-bit hash of bytes that names weights, data, sources and kept trainers. It takes 8 bytes a step and is the same
// on every machine. It detects damage and differences; it is no protection against an attacker.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gradc::runtime {

class Hash {
public:
    void add(const void* bytes, size_t size) {
        const auto* at = static_cast<const unsigned char*>(bytes);
        for (; size >= 8; at += 8, size -= 8) {
            uint64_t word;
            memcpy(&word, at, 8);
            mix(word);
        }
        uint64_t last = 0;
        if (size > 0) memcpy(&last, at, size);
        mix(last ^ (uint64_t(size) << 56) ^ 0xA5); // a text includes its end: "ab" + "c" is not "a" + "bc"
    }
    void add(std::string_view text) { add(text.data(), text.size()); }
    void add(int64_t number) { mix(uint64_t(number)); }
    uint64_t value() const { return finished(state_); }
    static uint64_t of(std::string_view text) {
        Hash hash;
        hash.add(text);
        return hash.value();
    }

private:
    static uint64_t finished(uint64_t x) {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
        return x ^ (x >> 31);
    }
    void mix(uint64_t word) {
        state_ = (state_ ^ word) * 0x9E3779B97F4A7C15u;
        state_ ^= state_ >> 29;
    }
    uint64_t state_ = 0x6772616463u;
};

} // namespace gradc::runtime
