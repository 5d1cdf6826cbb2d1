// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random order that is the same on every machine: a generator keyed by its purpose, and the shuffle that uses it.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace gradc::runtime {

/// SplitMix64.
class Generator {
public:
    Generator(int64_t seed, uint64_t purpose, int64_t number) : state_(uint64_t(seed)) {
        state_ = next() ^ purpose * 0xD1B54A32D192ED03u;
        state_ = next() ^ uint64_t(number) * 0xAEF17502108EF2D9u;
    }
    uint64_t next() {
        uint64_t x = state_ += 0x9E3779B97F4A7C15u;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
        return x ^ (x >> 31);
    }
    /// 0..bound-1.
    int64_t below(int64_t bound) {
        return int64_t(static_cast<unsigned __int128>(next()) * static_cast<unsigned __int128>(bound) >> 64);
    }

private:
    uint64_t state_;
};

inline constexpr uint64_t cutting = 1, shuffling = 2, drawing = 3, generating = 4, exploring = 5;

inline void shuffle(std::vector<int64_t>& items, Generator generator) {
    for (int64_t i = int64_t(items.size()) - 1; i > 0; i--) {
        std::swap(items[size_t(i)], items[size_t(generator.below(i + 1))]);
    }
}

} // namespace gradc::runtime
