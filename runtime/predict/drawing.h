// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `predict --svg`: a model of one or two inputs over a grid of them, or rows that are images.
#pragma once
#include "runtime/predict/prediction.h"

namespace gradc::runtime {

struct GridRequest {
    std::string title;
    int64_t side = 0;               // cells of an axis
    std::string label;              // field that colors the dots; "": chosen
    std::vector<std::string> names; // of classes or lines
};
/// SVG of the predictions over the grid, and of the rows that were trained on.
std::string draw_grid(Session& session, Prediction& prediction, const PredictFields& fields, const Dataset& dataset,
                      const GridRequest& request, Error& error);

/// SVG of the first `most` rows of `values`, which are all of a split's or a file's; above them the
/// input of as many numbers, if there is one.
std::string draw_rows(const std::string& title, const gradc_tensor& result, const std::vector<double>& values,
                      const std::vector<double>& inputs, int64_t most, Error& error);

} // namespace gradc::runtime
