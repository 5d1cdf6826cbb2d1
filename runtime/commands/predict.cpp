// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `predict`: the value of `predict` in the model for each row of a split, of a file or of a grid, as numbers, as strings
// of a dictionary, or as a picture.
#include "runtime/base/dtype.h"
#include "runtime/base/text.h"
#include "runtime/commands/trainer.h"
#include "runtime/predict/drawing.h"
#include "runtime/predict/row_sink.h"
#include <algorithm>

namespace gradc::runtime {

namespace {

const gradc_block* predicting_block(const gradc_module& module) {
    for (int32_t b = 0; b < module.block_count; b++) {
        if (module.blocks[b].predict >= 0) return &module.blocks[b];
    }
    return nullptr;
}

/// The split to predict: --split, else "test", else the last.
int choose_split(const Dataset& dataset, const std::string& wanted, Error& error) {
    int split = dataset.find_split(wanted.empty() ? "test" : wanted);
    if (split >= 0 || wanted.empty()) return split >= 0 ? split : int(dataset.splits.size()) - 1;
    std::string known;
    for (const Split& each : dataset.splits) known += text(known.empty() ? "" : ", ", each.name);
    error.fail_as(wrong_usage, "--split ", wanted, ": the data has ", known);
    return -1;
}

std::vector<std::string> listed(const std::string& names) {
    std::vector<std::string> result;
    for (size_t at = 0; at < names.size();) {
        size_t end = std::min(names.find(',', at), names.size());
        result.push_back(names.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

bool write_picture(const std::string& path, const std::string& picture, Error& error) {
    return !error && write_file(path, picture, error);
}

/// One call of the command.
class PredictRun {
public:
    PredictRun(const gradc_module& module, const gradc_block& block, const Arguments& arguments, Error& error)
        : module_(module), block_(block), arguments_(arguments), error_(error), table_(training_data(module)),
          fields_(module, table_, module.programs[block.predict]) {}
    bool run();

private:
    bool read_arguments();
    bool prepare_rows();
    bool predict_rows(const Dataset& dataset, int split);
    bool predict_drawn();
    bool draw_images_of(const Dataset& dataset, int split);
    std::vector<double> inputs_of(const Dataset& dataset, int split, int64_t width);

    const gradc_module& module_;
    const gradc_block& block_;
    const Arguments& arguments_;
    Error& error_;
    const gradc_dataset* table_;
    PredictFields fields_;
    std::string file_;
    int64_t rows_ = 0, grid_ = 0;
    bool drawn_ = false;
    std::vector<std::string> names_;
    std::string svg_;
    Prepared prepared_;
    Dataset given_; // rows of the file
    std::optional<Prediction> prediction_;
};

bool PredictRun::read_arguments() {
    if (arguments_.others().size() > 1) return error_.fail_as(wrong_usage, "predict takes one file");
    if (!arguments_.others().empty()) file_ = arguments_.others()[0];
    svg_ = arguments_.value("svg");
    names_ = listed(arguments_.value("class-names"));
    rows_ = svg_.empty() ? module_.batch : 30;
    if (!arguments_.integer("rows", 1, int64_t(1) << 40, rows_, error_) ||
        !arguments_.integer("grid", 2, 1000, grid_, error_))
        return false;
    drawn_ = fields_.empty() && file_.empty() && (arguments_.has("rows") || !table_);
    if (!svg_.empty() && arguments_.has("output"))
        return error_.fail_as(wrong_usage, "--svg draws instead of --output; give one of them");
    if (grid_ > 0 && svg_.empty()) return error_.fail_as(wrong_usage, "--grid needs --svg FILE");
    if (grid_ > 0 && !file_.empty())
        return error_.fail_as(wrong_usage, "--grid makes its own rows; leave the file out");
    if (!file_.empty() && fields_.empty())
        return error_.fail_as(wrong_usage, "the prediction depends on no row; leave the file out");
    return true;
}

bool PredictRun::predict_rows(const Dataset& dataset, int split) {
    bool given = &dataset == &given_;
    RowSink sink(prediction_->result(), table_, prepared_.dataset.dictionaries, names_);
    Loader loader(module_, dataset, split, GRADC_FILE_ORDER, prepared_.session->seed());
    bool open = sink.open(arguments_.value("output"), loader.rows(), error_);
    while (open && !loader.at_end()) {
        int64_t rows = given ? loader.next(module_.batch, prepared_.session->arena()) : prediction_->load(loader);
        open = sink.add(prediction_->run(rows, {}), rows, error_);
    }
    return open && sink.finish(error_);
}

bool PredictRun::predict_drawn() {
    Session& session = *prepared_.session;
    RowSink sink(prediction_->result(), nullptr, {}, names_);
    std::vector<double> values;
    bool open = !svg_.empty() || sink.open(arguments_.value("output"), rows_, error_);
    double step = 1;
    for (int64_t done_rows = 0; open && done_rows < rows_; step++) {
        int64_t rows = std::min(rows_ - done_rows, module_.batch);
        number_rows(module_, session.arena(), rows);
        const unsigned char* bytes = prediction_->run(rows, {step, 1, 1});
        if (svg_.empty()) {
            open = sink.add(bytes, rows, error_);
        } else {
            prediction_->append(rows, values);
        }
        done_rows += rows;
    }
    if (svg_.empty()) return open && sink.finish(error_);
    return write_picture(svg_, draw_rows(picture_title(module_), prediction_->result(), values, {}, rows_, error_),
                         error_);
}

/// The field that is drawn above the predictions: the first input of as many numbers.
std::vector<double> PredictRun::inputs_of(const Dataset& dataset, int split, int64_t width) {
    const gradc_dataset& table = fields_.table();
    for (int32_t f = 0; f < table.field_count; f++) {
        const gradc_field& field = table.fields[f];
        if (element_count(field.shape, field.rank) != width) continue;
        if (&dataset == &prepared_.dataset) return prediction_->field(field.name, dataset, split);
        std::vector<double> values;
        const Column& column = dataset.columns[size_t(f)];
        int64_t size = element_size(field.stored);
        std::vector<unsigned char> numbers(size_t(column.row_bytes()));
        for (int64_t row = 0; row < dataset.rows; row++) {
            column.copy_row(row, numbers.data());
            for (int64_t i = 0; i < width; i++) values.push_back(load_element(numbers.data() + i * size, field.stored));
        }
        return values;
    }
    return {};
}

bool PredictRun::draw_images_of(const Dataset& dataset, int split) {
    Loader loader(module_, dataset, split, GRADC_FILE_ORDER, prepared_.session->seed());
    std::vector<double> values;
    while (!loader.at_end() && int64_t(values.size()) < rows_ * prediction_->width()) {
        int64_t rows =
            &dataset == &given_ ? loader.next(module_.batch, prepared_.session->arena()) : prediction_->load(loader);
        prediction_->run(rows, {});
        prediction_->append(rows, values);
    }
    std::vector<double> inputs = inputs_of(dataset, split, prediction_->width());
    return write_picture(svg_, draw_rows(picture_title(module_), prediction_->result(), values, inputs, rows_, error_),
                         error_);
}

bool PredictRun::run() {
    if (!read_arguments()) return false;
    bool own_data = !drawn_ && file_.empty();
    if (!prepare(module_, arguments_, {own_data, true}, prepared_, error_)) return false;
    if (file_.ends_with(".csv")) fields_.separate_rows();
    prediction_.emplace(*prepared_.session, block_, fields_);
    if (grid_ > 0) {
        GridRequest request{picture_title(module_), grid_, arguments_.value("label"), names_};
        return write_picture(
            svg_, draw_grid(*prepared_.session, *prediction_, fields_, prepared_.dataset, request, error_), error_);
    }
    if (drawn_) return predict_drawn();
    given_.dictionaries = prepared_.dataset.dictionaries;
    if (!file_.empty() && !load_rows(fields_.table(), file_, given_, error_)) return false;
    const Dataset& dataset = file_.empty() ? prepared_.dataset : given_;
    int split = file_.empty() ? choose_split(dataset, arguments_.value("split"), error_) : 0;
    if (split < 0) return false;
    return svg_.empty() ? predict_rows(dataset, split) : draw_images_of(dataset, split);
}

} // namespace

ExitCode predict_command(const gradc_module& module, const Arguments& arguments, Error& error) {
    if (arguments.has("prompt")) return generate_command(module, arguments, error);
    const gradc_block* block = predicting_block(module);
    if (!block) return error.fail("the train block of ", module.name, " has no `predict` line"), error.code;
    PredictRun(module, *block, arguments, error).run();
    return error.code;
}

} // namespace gradc::runtime
