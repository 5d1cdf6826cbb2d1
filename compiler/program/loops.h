// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over one axis, scalar or by vectors with a masked last one; and the
// part of a kernel's first axis that a call of it works on.
#pragma once
#include "compiler/program/values.h"
#include <functional>

namespace gradc {

using Carries = std::vector<loop::ValueId>;
using AxisBody = std::function<Carries(const Index& index, const Carries& carried)>;

/// One axis of an iteration.
struct Axis {
    int64_t size = 1;                                           // or rows
    int64_t times = 1;                                          // so many elements for each row
    bool vector = false;                                        // by vectors
    std::string name = "i";                                     // of the counter
    loop::ValueId begin = loop::no_value, end = loop::no_value; // part of it, if given
    bool aligned = true;                                        // begin is a multiple of the lanes
};

/// Runs body for each index (each vector of indices); returns what is carried after the last.
Carries run_axis(Values& values, Indices& indices, const Axis& axis, int64_t batch, Carries carried,
                 const AxisBody& body);

/// Runs body over all positions of a shape; axis `vector` (or none: -1) by vectors.
Carries run_shape(Values& values, Indices& indices, const Shape& shape, int vector, int64_t batch, Carries carried,
                  const std::function<Carries(const Position&, const Carries&)>& body);

/// Last axis that has more than one element; -1 if there is none.
int vector_axis(const Shape& shape, int64_t batch);

/// The counter's bounds for `block` elements an item of the kernel's extent.
void take_part(Values& values, Axis& axis, int64_t block);
loop::Extent extent_of(int64_t size, int64_t block, int64_t times = 1);

} // namespace gradc
