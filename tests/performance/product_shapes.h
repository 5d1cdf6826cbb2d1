// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The products that are measured: those of usual layers, forward and backward, and sizes that no tile divides.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gradc {

/// rows x depth times depth x columns; `copies` of them, if batched.
struct MeasuredProduct {
    enum class Form : uint8_t { nn, tn, nt, batched } form;
    int64_t m, k, n, copies = 1;
    bool named = false; // one of the 24 products of the limit

    double flops() const { return 2.0 * double(m) * double(k) * double(n) * double(copies); }
    /// N: the rows of forward products, the depth of a weight's gradient, the copies.
    int64_t batch() const { return form == Form::tn ? k : form == Form::batched ? copies : m; }
    std::string form_text() const {
        constexpr const char* names[] = {"A B", "A'B", "A B'", "batched"};
        return names[size_t(form)];
    }
    std::string text() const {
        std::string sizes = std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n);
        return form == Form::batched ? std::to_string(copies) + " of " + sizes : sizes;
    }
};

std::vector<MeasuredProduct> measured_products();

} // namespace gradc
