// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two random directions around the weights of a session, and the loss of the training split along them: the method of
// Li and others, "Visualizing the Loss Landscape of Neural Nets", 2018.
#pragma once
#include "runtime/data/loader.h"
#include "runtime/session.h"

namespace gradc::runtime {

/// A random direction for weights whose last axis has `filters` places. Each filter, the weights at one of these places,
/// gets a vector of normal numbers, scaled to the norm of the filter.
std::vector<float> filter_direction(const std::vector<double>& weights, int64_t filters, int64_t seed, int64_t number);

class LossLandscape {
public:
    /// Takes the session's weights as the middle. All of its parameters of two or more axes move, frozen ones included;
    /// biases, scales and other parameters of one axis stay, as in the paper's program, unless there are no others.
    /// States and statistics stay. All references must outlive this.
    LossLandscape(Session& session, const Dataset& dataset, int64_t seed);

    /// The loss of the first block in evaluation at weights + a * first + b * second. The weights stay there.
    double loss(double a, double b);
    /// Rows of the training split.
    int64_t rows() const { return loader_.rows(); }

private:
    struct Moved {
        const gradc_tensor* tensor;
        std::vector<double> weights; // C order
        std::vector<float> first, second;
    };
    void add_parameters(bool vectors, int64_t seed);

    Session& session_;
    Loader loader_;
    std::vector<Moved> moved_;
    std::vector<unsigned char> bytes_; // of the parameter that is written
};

} // namespace gradc::runtime
