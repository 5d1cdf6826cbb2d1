// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Continues a text by the `generate` program of a block, one character at a time.
#pragma once
#include "runtime/data/characters.h"
#include "runtime/data/shuffle.h"
#include "runtime/session.h"

namespace gradc::runtime {

/// How the next character is drawn from the logits.
struct Sampling {
    double temperature = 1; // the logits are divided by it; 0: always the most likely character
    int64_t top_k = 0;      // only the k most likely characters; 0: all
    int64_t seed = 1;
};

class TextGeneration {
public:
    /// References must outlive this. The block has a program `generate`.
    TextGeneration(Session& session, const gradc_block& block, const Sampling& sampling);

    /// Processes one character of the text.
    void take(int64_t code);
    /// Draws the character that follows those taken so far, at least one. It is not taken yet.
    int64_t draw();

private:
    void step(int64_t code);
    void set(const gradc_tensor* scalar, double value);

    Session& session_;
    const gradc_block& block_;
    Sampling sampling_;
    const gradc_tensor &logits_, *token_, *position_, *start_;
    int64_t at_ = 0;             // next position
    std::vector<int64_t> codes_; // taken so far; with a context, the last ones
    Generator generator_;
};

} // namespace gradc::runtime
