// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// After the last position of a context, the second half of the text is processed again from position 0.
#include "runtime/predict/generation.h"
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include <algorithm>
#include <cmath>
#include <numeric>

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
    auto count = size_t(logits_.shape[logits_.rank - 1]);
    std::vector<double> logits(count);
    int64_t size = element_size(logits_.dtype);
    for (size_t i = 0; i < count; i++) {
        double logit = load_element(session_.arena() + logits_.offset + int64_t(i) * size, logits_.dtype);
        logits[i] = std::isnan(logit) ? -HUGE_VAL : logit;
    }
    std::vector<int64_t> order(count); // by falling logits
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        double first = logits[size_t(a)], second = logits[size_t(b)];
        return first != second ? first > second : a < b;
    });
    if (sampling_.temperature == 0) return order[0];
    if (sampling_.top_k > 0 && size_t(sampling_.top_k) < count) order.resize(size_t(sampling_.top_k));
    double largest = logits[size_t(order[0])], total = 0;
    std::vector<double> sums;
    for (int64_t each : order) {
        total += std::exp((logits[size_t(each)] - largest) / sampling_.temperature);
        sums.push_back(total);
    }
    double drawn = double(generator_.next() >> 11) * 0x1p-53 * total;
    size_t place = size_t(std::upper_bound(sums.begin(), sums.end(), drawn) - sums.begin());
    return order[std::min(place, order.size() - 1)];
}

} // namespace gradc::runtime
