// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The grid extends slightly beyond the training rows.
#include "runtime/predict/drawing.h"
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include "runtime/plot/grid.h"
#include "runtime/plot/images.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

// ---- grids -------------------------------------------------------------------------------------

/// Input `number` of each training row.
static std::vector<double> dots_along(Prediction& prediction, const PredictFields& fields, const Dataset& dataset,
                                      int64_t number) {
    const gradc_dataset& table = fields.table();
    for (int32_t f = 0; f < table.field_count; f++) {
        int64_t count = element_count(table.fields[f].shape, table.fields[f].rank);
        if (number >= count) {
            number -= count;
            continue;
        }
        std::vector<double> all = prediction.field(table.fields[f].name, dataset, dataset.training_split());
        std::vector<double> dots;
        for (size_t at = size_t(number); at < all.size(); at += size_t(count)) dots.push_back(all[at]);
        return dots;
    }
    return {};
}

/// The field that colors the dots: `--label`, else the first integer field, else the last with one number a row. Inputs
/// of the prediction and row numbers are excluded.
static std::string choose_label(const gradc_module& module, const PredictFields& fields) {
    std::string chosen;
    bool chosen_whole = false;
    auto take = [&](const gradc_tensor& tensor) {
        std::string_view name = tensor.name;
        bool is_input = name == "#row" || tensor.rank != 1 || !tensor.has_rows;
        for (int32_t f = 0; f < fields.table().field_count; f++) is_input |= name == fields.table().fields[f].name;
        const gradc_dataset& table = module.datasets[module.blocks[0].dataset];
        for (int32_t f = 0; f < table.field_count; f++) {
            bool same = name == table.fields[f].name;
            is_input |= same && is_row_number(table.fields[f]);
        }
        if (is_input || chosen_whole) return;
        chosen = name;
        chosen_whole = is_integer(tensor.dtype);
    };
    if (module.columns >= 0) {
        const gradc_program& program = module.programs[module.columns];
        for (int32_t r = 0; r < program.result_count; r++) take(module.tensors[program.results[r]]);
    }
    return chosen;
}

static void find_ends(const std::vector<double>& dots, double& low, double& high) {
    if (dots.empty()) return;
    auto [least, greatest] = std::minmax_element(dots.begin(), dots.end());
    double room = *greatest > *least ? 0.06 * (*greatest - *least) : 1;
    low = *least - room, high = *greatest + room;
}

/// The middles of the cells as rows of a data set with the fields that the program reads.
static Dataset grid_rows(const PredictFields& fields, const GridView& view, int64_t inputs) {
    Dataset grid;
    grid.table = &fields.table();
    grid.rows = inputs == 2 ? view.side * view.side : view.side;
    for (int32_t f = 0; f < grid.table->field_count; f++) grid.columns.emplace_back(grid.table->fields[f]);
    Split all{"grid", {}};
    for (int64_t row = 0; row < grid.rows; row++) {
        double numbers[] = {view.x_at(row % view.side), view.y_at(row / view.side)};
        const double* number = numbers;
        for (Column& column : grid.columns) {
            unsigned char* at = column.grow(1);
            int64_t size = element_size(column.field->stored);
            for (int64_t i = 0; i < column.entry_elements; i++, at += size)
                store_element(at, column.field->stored, *number++);
        }
        all.rows.push_back(row);
    }
    grid.splits.push_back(std::move(all));
    return grid;
}

static bool can_draw(const PredictFields& fields, const gradc_tensor& result, Error& error) {
    int64_t inputs = fields.numbers();
    bool floats = inputs == 1 || inputs == 2;
    for (int32_t f = 0; f < fields.table().field_count; f++)
        floats &= !is_integer(fields.table().fields[f].stored) && fields.table().fields[f].window == 0;
    if (!floats)
        return error.fail_as(wrong_usage,
                             "--grid draws models of one or two floating inputs; "
                             "this prediction reads ",
                             inputs, " numbers a row");
    return result.has_rows || error.fail_as(wrong_usage, "--grid: the prediction has no rows");
}

std::string draw_grid(Session& session, Prediction& prediction, const PredictFields& fields, const Dataset& dataset,
                      const GridRequest& request, Error& error) {
    const gradc_module& module = session.module();
    if (!can_draw(fields, prediction.result(), error)) return "";
    int64_t inputs = fields.numbers();
    GridView view;
    view.side = request.side;
    view.width = prediction.width();
    view.integer = is_integer(prediction.result().dtype);
    view.names = request.names;
    view.x_name = fields.name_of(0);
    view.y_name = inputs == 2 ? fields.name_of(1) : "";
    view.dots_x = dots_along(prediction, fields, dataset, 0);
    if (inputs == 2) view.dots_y = dots_along(prediction, fields, dataset, 1);
    find_ends(view.dots_x, view.x_low, view.x_high);
    find_ends(view.dots_y, view.y_low, view.y_high);
    view.label_name = request.label.empty() ? choose_label(module, fields) : request.label;
    if (!view.label_name.empty()) view.labels = prediction.field(view.label_name, dataset, dataset.training_split());
    if (view.labels.size() != view.dots_x.size()) {
        if (!request.label.empty())
            return error.fail_as(wrong_usage, "--label ", request.label, ": no field of that name is one number a row"),
                   "";
        view.labels.clear(), view.label_name.clear();
    }
    view.title = request.title;
    view.values = prediction.of_all(grid_rows(fields, view, inputs));
    return inputs == 2 ? draw_regions(view) : draw_lines(view);
}

// ---- images ------------------------------------------------------------------------------------

std::string draw_rows(const std::string& title, const gradc_tensor& result, const std::vector<double>& values,
                      const std::vector<double>& inputs, int64_t most, Error& error) {
    int first = result.has_rows ? 1 : 0, rank = result.rank - first;
    int64_t count = element_count(result.shape + first, rank);
    auto side = int64_t(std::sqrt(double(count)) + 0.5);
    ImageRows images{side, side, {}};
    std::vector<int64_t> axes; // axes of size 1, such as a single channel, are left out
    for (int axis = first; axis < result.rank; axis++) {
        if (result.shape[axis] > 1) axes.push_back(result.shape[axis]);
    }
    if (axes.size() == 2) images.height = axes[0], images.width = axes[1];
    if (count < 4 || images.height * images.width != count) {
        error.fail_as(wrong_usage, "--svg draws rows that are images, of two axes or a square ",
                      "number of numbers; here a row has ", count, " (--grid N draws a model of one or two inputs)");
        return "";
    }
    int64_t rows = std::min(most, int64_t(values.size()) / count);
    images.values.assign(values.begin(), values.begin() + rows * count);
    ImageRows above = images;
    above.values.clear();
    if (!inputs.empty() && inputs.size() >= images.values.size())
        above.values.assign(inputs.begin(), inputs.begin() + rows * count);
    return draw_images(title, images, above);
}

} // namespace gradc::runtime
