// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `predict --svg`: a model of one or two inputs over a grid, or rows as images.
#pragma once
#include "runtime/predict/prediction.h"

namespace gradc::runtime {

struct GridRequest {
    std::string title;
    int64_t side = 0;               // cells of an axis
    std::string label;              // the field that colors the dots; "": chosen automatically
    std::vector<std::string> names; // of classes or lines
};
/// SVG of the predictions over the grid, and of the training rows.
std::string draw_grid(Session& session, Prediction& prediction, const PredictFields& fields, const Dataset& dataset,
                      const GridRequest& request, Error& error);

/// SVG of the first `most` rows of `values`, the predictions for all rows of a split or file. Above them is the input
/// that has as many numbers, if there is one.
std::string draw_rows(const std::string& title, const gradc_tensor& result, const std::vector<double>& values,
                      const std::vector<double>& inputs, int64_t most, Error& error);

} // namespace gradc::runtime
