// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two random directions around the weights of a session, and the loss of the training split along them: the method of
// Li and others, "Visualizing the Loss Landscape of Neural Nets", 2018.
#pragma once
#include "runtime/data/loader.h"
#include "runtime/data/shuffle.h"
#include "runtime/session.h"

namespace gradc::runtime {

/// A random direction for `bytes` of weights, of which every `filters`th belongs to one filter, in their dtype. Each
/// filter gets normal numbers, scaled to the norm of its weights.
void draw_direction(const unsigned char* weights, int32_t dtype, int64_t bytes, int64_t filters, Generator generator,
                    unsigned char* direction);

class LossLandscape {
public:
    /// Takes the session's weights as the middle. All parameters of two or more axes move, frozen ones included; a
    /// filter is a place on the last axis. Biases, scales and other parameters of one axis stay, as in the paper's
    /// program, unless there are no others: then each is a filter. States and statistics stay. All references must
    /// outlive this.
    LossLandscape(Session& session, const Dataset& dataset, int64_t seed);

    /// The loss of the first block in evaluation at weights + a * first + b * second. The weights stay there.
    double loss(double a, double b);

private:
    bool moves(const gradc_tensor& tensor) const;

    Session& session_;
    Loader loader_;
    bool vectors_ = true; // parameters of one axis move, not the others
    // Of all parameters that move, one after another, each in C order and its dtype.
    std::vector<unsigned char> weights_, first_, second_, moved_;
};

} // namespace gradc::runtime
