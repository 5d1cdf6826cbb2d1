// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random numbers of the op `random`: Philox 4x32-10 (Salmon et al., 2011), a function of a counter and a key. Each
// element is computed by itself, so the evaluator and compiled code give the same number at any batch size and any
// number of threads.
//     key     = (low half of seed, low half of stream)
//     counter = (place, row, low half of step, high half of seed ^ high half of stream)
// Of a shape [N, ..], `row` is the row's number in the data set and `place` the index of the element within its row. Of
// any other shape, `row` is 0 and `place` the index in the tensor, in C order.
#pragma once
#include <array>
#include <cstdint>

namespace gradc {

/// Ten rounds of Philox: four words of 32 random bits.
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

/// The words of one element of the op `random`. The low half of `step` alone counts.
constexpr std::array<uint32_t, 4> random_words(uint64_t seed, uint64_t stream, uint64_t step, uint32_t row,
                                               uint32_t place) {
    return philox({place, row, uint32_t(step), uint32_t(seed >> 32) ^ uint32_t(stream >> 32)},
                  {uint32_t(seed), uint32_t(stream)});
}

/// A number in [0, 1) for f32 and bf16: the upper 24 bits of word 0.
constexpr float uniform_f32(const std::array<uint32_t, 4>& words) { return float(words[0] >> 8) * 0x1p-24f; }
/// A number in [0, 1) for f64: the upper 53 bits of words 0 and 1.
constexpr double uniform_f64(const std::array<uint32_t, 4>& words) {
    return double((uint64_t(words[0]) << 32 | words[1]) >> 11) * 0x1p-53;
}

} // namespace gradc
