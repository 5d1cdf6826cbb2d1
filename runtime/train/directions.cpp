// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums are in f64 and rounded once, so the middle has the weights' own bits.
#include "runtime/train/directions.h"
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include "runtime/data/shuffle.h"
#include "runtime/train/evaluation.h"
#include <cmath>

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

std::vector<float> filter_direction(const std::vector<double>& weights, int64_t filters, int64_t seed, int64_t number) {
    Generator generator(seed, exploring, number);
    std::vector<float> direction(weights.size());
    std::vector<double> norms(size_t(2 * filters)); // squared: of the weights, of the direction
    for (size_t i = 0; i < weights.size(); i++) {
        direction[i] = float(nearly_normal(generator));
        double* of = &norms[i % size_t(filters) * 2];
        of[0] += weights[i] * weights[i];
        of[1] += double(direction[i]) * direction[i];
    }
    for (size_t i = 0; i < weights.size(); i++) {
        const double* of = &norms[i % size_t(filters) * 2];
        direction[i] *= float(std::sqrt(of[0] / of[1]));
    }
    return direction;
}

template <class Number>
static void write_moved(const double* weights, const float* first, const float* second, double a, double b,
                        size_t count, unsigned char* to) {
    auto* numbers = reinterpret_cast<Number*>(to);
    for (size_t i = 0; i < count; i++) numbers[i] = Number(weights[i] + a * double(first[i]) + b * double(second[i]));
}

LossLandscape::LossLandscape(Session& session, const Dataset& dataset, int64_t seed)
    : session_(session),
      loader_(session.module(), dataset, dataset.training_split(), GRADC_FILE_ORDER, session.seed()) {
    add_parameters(false, seed);
    if (moved_.empty()) add_parameters(true, seed);
}

void LossLandscape::add_parameters(bool vectors, int64_t seed) {
    const gradc_module& module = session_.module();
    for (int32_t t = 0; t < module.tensor_count; t++) {
        const gradc_tensor& tensor = module.tensors[t];
        if (tensor.role != GRADC_PARAMETER || (tensor.rank < 2) != vectors) continue;
        Moved moved{&tensor, {}, {}, {}};
        bytes_.resize(size_t(tensor_bytes(tensor)));
        read_tensor(tensor, session_.arena(), bytes_.data());
        for (size_t at = 0; at < bytes_.size(); at += size_t(element_size(tensor.dtype)))
            moved.weights.push_back(load_element(bytes_.data() + at, tensor.dtype));
        int64_t filters = vectors ? 1 : tensor.shape[tensor.rank - 1];
        moved.first = filter_direction(moved.weights, filters, seed, 2 * t);
        moved.second = filter_direction(moved.weights, filters, seed, 2 * t + 1);
        moved_.push_back(std::move(moved));
    }
}

double LossLandscape::loss(double a, double b) {
    for (const Moved& each : moved_) {
        bytes_.resize(size_t(tensor_bytes(*each.tensor)));
        auto write = each.tensor->dtype == GRADC_F64 ? write_moved<double> : write_moved<float>;
        write(each.weights.data(), each.first.data(), each.second.data(), a, b, each.weights.size(), bytes_.data());
        write_tensor(*each.tensor, session_.arena(), bytes_.data());
    }
    const gradc_whole_split& evaluation = session_.module().blocks[0].evaluation;
    run_whole_split(session_, evaluation, loader_, {});
    return session_.scalar(*session_.result(evaluation.finish, "loss"));
}

} // namespace gradc::runtime
