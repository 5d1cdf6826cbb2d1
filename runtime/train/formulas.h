// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fields that a data set generates from random numbers and the row's number. The module's program `columns` computes
// them once, for all rows; they are kept beside the columns that were read.
#pragma once
#include "runtime/data/dataset.h"

namespace gradc::runtime {

class Session;

/// The results of `columns` that programs of a train block read as fields, in order.
std::vector<const gradc_tensor*> generated_fields(const gradc_module& module);

/// Adds columns for them, as long as the columns that were read.
void make_room_for_formulas(const gradc_module& module, Dataset& dataset);

/// Fills these columns for every row of every split; the statistics must have been computed.
void compute_formulas(Session& session, Dataset& dataset);

} // namespace gradc::runtime
