// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Three products of a layer, forward and backward, then sizes in between.
#include "tests/performance/product_shapes.h"
#include <array>

namespace gradc {

std::vector<MeasuredProduct> measured_products() {
    using Form = MeasuredProduct::Form;
    std::vector<MeasuredProduct> result;
    struct Layer {
        int64_t rows, in, out;
    };
    for (auto [rows, in, out] : {Layer{1024, 1024, 1024},
                                 {64, 1000, 100},
                                 {128, 784, 512},
                                 {768, 128, 384},
                                 {768, 128, 512},
                                 {768, 512, 128},
                                 {2048, 256, 1024},
                                 {32, 256, 1024}}) {
        result.push_back({Form::nn, rows, in, out, 1, true});
        result.push_back({Form::tn, in, rows, out, 1, true});
        result.push_back({Form::nt, rows, out, in, 1, true});
    }
    for (int64_t size : {1, 3, 10, 17, 100, 784, 1023}) {
        result.push_back({Form::nn, size, 784, 512});
        result.push_back({Form::nn, 128, size, 512});
        result.push_back({Form::nn, 128, 784, size});
    }
    for (int64_t size : {3, 10, 17, 100, 1023}) {
        result.push_back({Form::tn, size, 128, 512});
        result.push_back({Form::tn, 784, size, 512});
        result.push_back({Form::tn, 784, 128, size});
        result.push_back({Form::nt, 128, 512, size});
    }
    for (auto [copies, m, k, n] : {std::array<int64_t, 4>{8, 100, 64, 100},
                                   {32, 17, 64, 17},
                                   {4, 128, 64, 128},
                                   {16, 10, 100, 64},
                                   {3, 100, 1023, 17},
                                   {10, 784, 3, 100}})
        result.push_back({Form::batched, m, k, n, copies});
    return result;
}

} // namespace gradc
