// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Directions around weights: each filter has the norm of its weights, and the numbers are normal.
#include "runtime/train/directions.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc::runtime;

namespace {

template <class Number>
std::vector<double> direction_of(const std::vector<Number>& weights, int32_t dtype, int64_t filters, int64_t number) {
    std::vector<Number> direction(weights.size());
    draw_direction(reinterpret_cast<const unsigned char*>(weights.data()), dtype,
                   int64_t(weights.size() * sizeof(Number)), filters, {7, exploring, number},
                   reinterpret_cast<unsigned char*>(direction.data()));
    return {direction.begin(), direction.end()};
}

template <class Number> void check_norms(int32_t dtype) {
    constexpr size_t inputs = 9, filters = 4;
    std::vector<Number> weights;
    for (size_t i = 0; i < inputs * filters; i++) weights.push_back(i % filters == 2 ? 0 : Number(i) - 13);
    std::vector<double> direction = direction_of(weights, dtype, filters, 0);
    for (size_t filter = 0; filter < filters; filter++) {
        double own = 0, drawn = 0;
        for (size_t i = filter; i < weights.size(); i += filters) {
            own += double(weights[i]) * double(weights[i]);
            drawn += direction[i] * direction[i];
        }
        CHECK(drawn == Approx(own).epsilon(1e-5)); // 0 for the filter of zeros
    }
    CHECK(direction == direction_of(weights, dtype, filters, 0));
    CHECK(direction != direction_of(weights, dtype, filters, 1));
}

} // namespace

TEST_CASE("each filter of a direction has the norm of the filter's weights") {
    check_norms<float>(GRADC_F32);
    check_norms<double>(GRADC_F64);
}

TEST_CASE("the numbers of a direction are normal") {
    std::vector<double> weights(100'000, 1), direction = direction_of(weights, GRADC_F64, 1, 3);
    double mean = 0, square = 0, beyond = 0, fourth = 0;
    for (double number : direction) {
        mean += number, square += number * number, fourth += std::pow(number, 4);
        beyond += std::fabs(number) > 1.959964;
    }
    CHECK(mean / 1e5 == Approx(0).margin(0.01));
    CHECK(square / 1e5 == Approx(1).margin(0.001));  // exactly: the norm of the weights
    CHECK(fourth / 1e5 == Approx(2.9).margin(0.05)); // 3 for a normal number
    CHECK(beyond / 1e5 == Approx(0.05).margin(0.003));
}
