// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fields of the predict program as a data set, and batches through the program.
#include "runtime/predict/prediction.h"
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"

namespace gradc::runtime {

PredictFields::PredictFields(const gradc_module& module, const gradc_dataset* table, const gradc_program& program) {
    std::vector<const gradc_tensor*> read;
    for (int32_t i = 0; i < program.field_count; i++) read.push_back(&module.tensors[program.fields[i]]);
    for (int32_t f = 0; table && f < table->field_count; f++) {
        const gradc_tensor* tensor = find_field(module, *table, table->fields[f].name);
        for (const gradc_tensor*& each : read) {
            if (!tensor || each != tensor) continue;
            fields_.push_back(table->fields[f]);
            each = nullptr;
        }
    }
    for (const gradc_tensor* tensor : read) {
        if (!tensor || std::string_view(tensor->name) == "#row") continue;
        gradc_field field{};
        field.name = tensor->name;
        field.stored = tensor->dtype;
        field.rank = tensor->rank - 1, field.shape = tensor->shape + 1;
        field.high = -1, field.stride = 1;
        fields_.push_back(field);
        generated_.push_back(tensor);
    }
    table_.name = table ? table->name : "";
    table_.fields = fields_.data(), table_.field_count = int32_t(fields_.size());
}

static int64_t row_numbers(const gradc_field& field) { return element_count(field.shape, field.rank); }

void PredictFields::separate_rows() {
    for (gradc_field& field : fields_) {
        if (is_text(field) && field.window > 0) field.stride = field.window;
    }
}

int64_t PredictFields::numbers() const {
    int64_t count = 0;
    for (const gradc_field& field : fields_) count += row_numbers(field);
    return count;
}

std::string PredictFields::name_of(int64_t number) const {
    for (const gradc_field& field : fields_) {
        int64_t count = row_numbers(field);
        if (number >= count) {
            number -= count;
        } else if (field.column_name_count == count) {
            return field.column_names[number];
        } else {
            return count == 1 ? std::string(field.name) : text(field.name, '[', number, ']');
        }
    }
    return "";
}

int64_t Prediction::width() const {
    int skip = result_.has_rows ? 1 : 0;
    return element_count(result_.shape + skip, result_.rank - skip);
}

/// The program of the formulas may overwrite the fields that it reads, so rows are loaded again.
int64_t Prediction::load(Loader& loader) {
    const gradc_module& module = session_.module();
    int64_t begin = loader.cursor(), rows = loader.next(module.batch, session_.arena());
    if (fields_.generated().empty()) return rows;
    session_.run(module.columns, rows, {});
    std::vector<std::vector<unsigned char>> values;
    for (const gradc_tensor* field : fields_.generated()) {
        const gradc_tensor& formula = *session_.result(module.columns, field->name);
        values.emplace_back(size_t(tensor_bytes(formula, rows)));
        read_tensor(formula, session_.arena(), values.back().data(), rows);
    }
    loader.begin(0, begin);
    loader.next(module.batch, session_.arena());
    for (size_t f = 0; f < values.size(); f++)
        write_tensor(*fields_.generated()[f], session_.arena(), values[f].data(), rows);
    return rows;
}

const unsigned char* Prediction::run(int64_t rows, const Clock& clock) {
    session_.run(block_.predict, rows, clock);
    bytes_.resize(size_t(tensor_bytes(result_, rows)));
    read_tensor(result_, session_.arena(), bytes_.data(), rows);
    return bytes_.data();
}

static void append_numbers(const unsigned char* from, int64_t count, int32_t dtype, std::vector<double>& values) {
    int64_t size = element_size(dtype);
    for (int64_t i = 0; i < count; i++) values.push_back(load_element(from + i * size, dtype));
}

void Prediction::append(int64_t rows, std::vector<double>& values) const {
    append_numbers(bytes_.data(), rows * width(), result_.dtype, values);
}

std::vector<double> Prediction::of_all(const Dataset& given) {
    std::vector<double> values;
    Loader loader(session_.module(), given, 0, GRADC_FILE_ORDER, session_.seed());
    while (!loader.at_end()) {
        int64_t rows = loader.next(session_.module().batch, session_.arena());
        run(rows, {});
        append(rows, values);
    }
    return values;
}

std::vector<double> Prediction::field(std::string_view name, const Dataset& dataset, int split) {
    const gradc_module& module = session_.module();
    const gradc_tensor* formula = module.columns < 0 ? nullptr : session_.result(module.columns, name);
    const gradc_tensor* tensor = formula ? formula : find_tensor(module, GRADC_FIELD, name);
    std::vector<double> values;
    if (!tensor || !tensor->has_rows) return values;
    Loader loader(module, dataset, split, GRADC_FILE_ORDER, session_.seed());
    while (!loader.at_end()) {
        int64_t rows = loader.next(module.batch, session_.arena());
        if (formula) session_.run(module.columns, rows, {});
        std::vector<unsigned char> bytes(size_t(tensor_bytes(*tensor, rows)));
        read_tensor(*tensor, session_.arena(), bytes.data(), rows);
        append_numbers(bytes.data(), int64_t(bytes.size()) / element_size(tensor->dtype), tensor->dtype, values);
    }
    return values;
}

} // namespace gradc::runtime
