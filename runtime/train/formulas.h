// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fields that a data set generates by formulas of chance and the row's number: computed once, for
// all rows, by the module's program `columns`, and kept beside the columns that were read.
#pragma once
#include "runtime/data/dataset.h"

namespace gradc::runtime {

class Session;

/// Results of `columns` that a train block's programs read as fields, in order.
std::vector<const gradc_tensor*> generated_fields(const gradc_module& module);

/// Columns for them, as long as those that were read.
void make_room_for_formulas(const gradc_module& module, Dataset& dataset);

/// Fills these columns for every row of every split; the statistics must be there.
void compute_formulas(Session& session, Dataset& dataset);

} // namespace gradc::runtime
