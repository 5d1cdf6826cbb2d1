// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over one axis, by scalars or by vectors of which the last is masked; and the
// part of a kernel's first axis that one call works on.
#pragma once
#include "compiler/program/values.h"
#include <functional>
#include <set>

namespace gradc {

/// Values that one iteration of a loop passes to the next.
using Carries = std::vector<loop::ValueId>;
/// Emits the body of a loop and returns the carried values after it.
using AxisBody = std::function<Carries(const Index& index, const Carries& carried)>;

/// One axis of an iteration.
struct Axis {
    int64_t size = 1;                                           // or rows
    int64_t times = 1;                                          // elements per row
    bool vector = false;                                        // by vectors
    std::string name = "i";                                     // of the counter
    loop::ValueId begin = loop::no_value, end = loop::no_value; // part of it, if given
    bool aligned = true;                                        // begin is a multiple of the lanes
};

/// Emits `body` for each index (each vector of indices). Returns the carried values after the last one.
Carries run_axis(Values& values, Indices& indices, const Axis& axis, int64_t batch, Carries carried,
                 const AxisBody& body);

/// Emits `body` over all positions of `shape`. Axis `vector` runs by vectors; -1: none does. `cuts`, ascending multiples
/// of the lanes: that axis has a loop for each part between them, in which the index is known to lie there.
Carries run_shape(Values& values, Indices& indices, const Shape& shape, int vector, int64_t batch, Carries carried,
                  const std::function<Carries(const Position&, const Carries&)>& body,
                  const std::set<int64_t>& cuts = {});

/// The last axis with more than one element; -1 if there is none. N counts as `batch`.
int vector_axis(const Shape& shape, int64_t batch);

/// Sets the bounds of the axis to this call's part, with `block` elements for each item of the kernel's extent.
void take_part(Values& values, Axis& axis, int64_t block);
/// The extent of an axis of `size` elements (N: `times` per row), in items of `block` elements.
loop::Extent extent_of(int64_t size, int64_t block, int64_t times = 1);

} // namespace gradc
