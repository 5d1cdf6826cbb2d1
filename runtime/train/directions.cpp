// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Moved weights are computed in f64 and rounded once, so the middle has the weights' own bits.
#include "runtime/train/directions.h"
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include "runtime/train/evaluation.h"
#include <cmath>
#include <span>

namespace gradc::runtime {

/// The sum of twelve uniform numbers has variance 1 and is nearly normal. It needs no logarithm, and is exact.
static double nearly_normal(Generator& generator) {
    int64_t sum = -6 * (int64_t(1) << 32);
    for (int i = 0; i < 6; i++) {
        uint64_t two = generator.next();
        sum += int64_t(two >> 32) + int64_t(two & 0xFFFFFFFFu);
    }
    return double(sum) * 0x1p-32;
}

void draw_direction(const unsigned char* weights, int32_t dtype, int64_t bytes, int64_t filters, Generator generator,
                    unsigned char* direction) {
    int64_t size = element_size(dtype), distance = filters * size;
    for (int64_t begin = 0; begin < distance; begin += size) {
        double own = 0, drawn = 0; // squared norms
        for (int64_t at = begin; at < bytes; at += distance) {
            double weight = load_element(weights + at, dtype), number = nearly_normal(generator);
            own += weight * weight;
            drawn += number * number;
            store_element(direction + at, dtype, number);
        }
        double scale = std::sqrt(own / drawn);
        for (int64_t at = begin; at < bytes; at += distance)
            store_element(direction + at, dtype, scale * load_element(direction + at, dtype));
    }
}

bool LossLandscape::moves(const gradc_tensor& tensor) const {
    return tensor.role == GRADC_PARAMETER && (tensor.rank < 2) == vectors_;
}

LossLandscape::LossLandscape(Session& session, const Dataset& dataset, int64_t seed)
    : session_(session),
      loader_(session.module(), dataset, dataset.training_split(), GRADC_FILE_ORDER, session.seed()) {
    const std::span tensors(session.module().tensors, size_t(session.module().tensor_count));
    for (const gradc_tensor& tensor : tensors) {
        if (tensor.role == GRADC_PARAMETER && tensor.rank > 1) vectors_ = false;
    }
    for (const gradc_tensor& tensor : tensors) {
        if (!moves(tensor)) continue;
        auto begin = int64_t(weights_.size()), bytes = tensor_bytes(tensor);
        for (auto* each : {&weights_, &first_, &second_, &moved_}) each->resize(size_t(begin + bytes));
        unsigned char* weights = weights_.data() + begin;
        read_tensor(tensor, session.arena(), weights);
        int64_t filters = vectors_ ? 1 : tensor.shape[tensor.rank - 1];
        draw_direction(weights, tensor.dtype, bytes, filters, {seed, exploring, 2 * begin}, first_.data() + begin);
        draw_direction(weights, tensor.dtype, bytes, filters, {seed, exploring, 2 * begin + 1}, second_.data() + begin);
    }
}

template <class Number>
static void move_weights(const unsigned char* weights, const unsigned char* first, const unsigned char* second,
                         double a, double b, int64_t bytes, unsigned char* moved) {
    auto numbers = [](const unsigned char* at) { return reinterpret_cast<const Number*>(at); };
    for (int64_t i = 0; i < bytes / int64_t(sizeof(Number)); i++)
        reinterpret_cast<Number*>(moved)[i] =
            Number(double(numbers(weights)[i]) + a * double(numbers(first)[i]) + b * double(numbers(second)[i]));
}

double LossLandscape::loss(double a, double b) {
    const gradc_module& module = session_.module();
    size_t at = 0;
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (!moves(tensor)) continue;
        int64_t bytes = tensor_bytes(tensor);
        auto move = tensor.dtype == GRADC_F64 ? move_weights<double> : move_weights<float>;
        move(&weights_[at], &first_[at], &second_[at], a, b, bytes, &moved_[at]);
        write_tensor(tensor, session_.arena(), &moved_[at]);
        at += size_t(bytes);
    }
    const gradc_whole_split& evaluation = module.blocks[0].evaluation;
    run_whole_split(session_, evaluation, loader_, {});
    return session_.scalar(*session_.result(evaluation.finish, "loss"));
}

} // namespace gradc::runtime
