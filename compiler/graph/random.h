// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random numbers of the `random` op: Philox 4x32-10 (Salmon et al., 2011), a function of a counter
// and a key, so that every element is its own computation, the same in the evaluator, in compiled
// code, at any batch and thread count.
//     key     = (low half of seed, low half of stream)
//     counter = (place, row, low half of step, high half of seed ^ high half of stream)
// place: index of the element within its row (of a shape [N, ..]); row: the row's number in the
// data set, or 0 and the index in the whole tensor where the shape does not start with N. Numbers
// are in [0, 1): 24 bits of word 0 for f32 and bf16, 53 bits of words 0 and 1 for f64.
#pragma once
#include <array>
#include <cstdint>

namespace gradc {

constexpr std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        uint64_t a = uint64_t(0xD2511F53) * counter[0], b = uint64_t(0xCD9E8D57) * counter[2];
        counter = {uint32_t(b >> 32) ^ counter[1] ^ key[0], uint32_t(b), uint32_t(a >> 32) ^ counter[3] ^ key[1],
                   uint32_t(a)};
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return counter;
}

constexpr std::array<uint32_t, 4> random_words(uint64_t seed, uint64_t stream, uint64_t step, uint32_t row,
                                               uint32_t place) {
    return philox({place, row, uint32_t(step), uint32_t(seed >> 32) ^ uint32_t(stream >> 32)},
                  {uint32_t(seed), uint32_t(stream)});
}

constexpr float uniform_f32(const std::array<uint32_t, 4>& words) { return float(words[0] >> 8) * 0x1p-24f; }
constexpr double uniform_f64(const std::array<uint32_t, 4>& words) {
    return double((uint64_t(words[0]) << 32 | words[1]) >> 11) * 0x1p-53;
}

} // namespace gradc
