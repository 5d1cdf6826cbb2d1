// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// After the last position of a context, the second half of the text is processed again from position 0.
#include "runtime/predict/generation.h"
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

TextGeneration::TextGeneration(Session& session, const gradc_block& block, const Sampling& sampling)
    : session_(session), block_(block), sampling_(sampling), logits_(*session.result(block.generate, "generate")),
      token_(find_tensor(session.module(), GRADC_SCALAR, "token")),
      position_(find_tensor(session.module(), GRADC_SCALAR, "position")),
      start_(find_tensor(session.module(), GRADC_SCALAR, "start")), generator_(sampling.seed, generating, 0) {}

void TextGeneration::set(const gradc_tensor* scalar, double value) {
    if (scalar) store_element(session_.arena() + scalar->offset, scalar->dtype, value);
}

void TextGeneration::step(int64_t code) {
    set(token_, double(code));
    set(position_, double(at_));
    set(start_, at_ == 0);
    session_.run(block_.generate, 1, {});
    at_++;
}

void TextGeneration::take(int64_t code) {
    if (block_.context > 0 && at_ == block_.context) {
        codes_.erase(codes_.begin(), codes_.end() - block_.context / 2);
        at_ = 0;
        for (int64_t each : codes_) step(each);
    }
    if (block_.context > 0) codes_.push_back(code);
    step(code);
}

int64_t TextGeneration::draw() {
    std::vector<float> weights(size_t(logits_.shape[logits_.rank - 1])); // first the logits
    const unsigned char* at = session_.arena() + logits_.offset;
    for (float& weight : weights) {
        weight = float(load_element(at, logits_.dtype));
        if (std::isnan(weight)) weight = -HUGE_VALF;
        at += element_size(logits_.dtype);
    }
    auto likeliest = std::max_element(weights.begin(), weights.end());
    if (sampling_.temperature == 0) return likeliest - weights.begin();
    float largest = *likeliest, least = largest; // of the logits that may be drawn
    for (int64_t k = 1; k < sampling_.top_k && least > -HUGE_VALF; k++) {
        float next = -HUGE_VALF;
        for (float weight : weights)
            if (weight < least) next = std::max(next, weight);
        least = next;
    }
    if (sampling_.top_k == 0) least = -HUGE_VALF;
    float total = 0;
    for (float& weight : weights) {
        weight = weight < least ? 0 : std::exp((weight - largest) / float(sampling_.temperature));
        total += weight;
    }
    float drawn = float(generator_.next() >> 40) * 0x1p-24f * total;
    for (size_t i = 0; i < weights.size(); i++) {
        drawn -= weights[i];
        if (drawn < 0) return int64_t(i);
    }
    return likeliest - weights.begin();
}

} // namespace gradc::runtime
