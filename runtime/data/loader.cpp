// See loader.h.
#include "runtime/data/loader.h"
#include "runtime/data/shuffle.h"
#include "runtime/element.h"
#include "runtime/tensor.h"
#include "runtime/text.h"

namespace gradc::runtime {

const gradc_tensor* find_tensor(const gradc_module& module, int32_t role, std::string_view name) {
    for (int32_t t = 0; t < module.tensor_count; t++) {
        if (module.tensors[t].role == role && name == module.tensors[t].name)
            return &module.tensors[t];
    }
    return nullptr;
}

const gradc_tensor* find_field(const gradc_module& module, const gradc_dataset& dataset,
                               std::string_view name) {
    const gradc_tensor* full = find_tensor(module, GRADC_FIELD, text(dataset.name, '.', name));
    return full ? full : find_tensor(module, GRADC_FIELD, name);
}

Loader::Loader(const gradc_module& module, const Dataset& dataset, int split, int32_t order,
               int64_t seed)
    : dataset_(&dataset), split_(split), order_(order), seed_(seed) {
    for (const Column& column : dataset.columns) {
        const gradc_tensor* tensor = find_field(module, *dataset.table, column.field->name);
        if (tensor) filled_.push_back({&column, tensor, row_is_contiguous(*tensor)});
    }
    for (const Column& column : dataset.formulas) {
        const gradc_tensor* tensor = find_field(module, *dataset.table, column.field->name);
        filled_.push_back({&column, tensor, row_is_contiguous(*tensor)});
    }
    row_numbers_ = find_tensor(module, GRADC_FIELD, "#row");
    begin(0);
}

void Loader::begin(int64_t epoch, int64_t cursor) {
    const std::vector<int64_t>& all = dataset_->splits[size_t(split_)].rows;
    cursor_ = cursor;
    if (order_ != GRADC_FILE_ORDER || sequence_.empty()) sequence_ = all;
    if (order_ == GRADC_SHUFFLED) shuffle(sequence_, Generator(seed_, shuffling, epoch));
    if (order_ != GRADC_RANDOM) return;
    Generator generator(seed_, drawing, epoch);
    for (int64_t& row : sequence_) row = all[size_t(generator.below(int64_t(all.size())))];
}

static constexpr int64_t rows_ahead = 4;

/// Rows lie anywhere in memory: those ahead are fetched while one is copied.
static void fetch(const Column& column, int64_t row, size_t bytes) {
    const unsigned char* from = column.row(row);
    for (size_t at = 0; at < std::min<size_t>(bytes, 2048); at += 64) __builtin_prefetch(from + at);
}

int64_t Loader::next(int64_t batch, unsigned char* arena) {
    int64_t count = std::min(batch, rows() - cursor_);
    batch_rows_.assign(sequence_.begin() + cursor_, sequence_.begin() + cursor_ + count);
    cursor_ += count;
    for (const Filled& filled : filled_) {
        const gradc_tensor& tensor = *filled.tensor;
        int64_t step = tensor.strides[0] * element_size(tensor.element);
        unsigned char* to = arena + tensor.offset;
        size_t bytes = size_t(filled.column->row_bytes());
        for (int64_t i = 0; i < count; i++, to += step) {
            if (i + rows_ahead < count)
                fetch(*filled.column, batch_rows_[size_t(i + rows_ahead)], bytes);
            const unsigned char* from = filled.column->row(batch_rows_[size_t(i)]);
            if (filled.contiguous) {
                memcpy(to, from, bytes);
            } else {
                write_row(tensor, to, from);
            }
        }
    }
    if (row_numbers_) {
        unsigned char* to = arena + row_numbers_->offset;
        int64_t step = row_numbers_->strides[0] * element_size(row_numbers_->element);
        for (int64_t row : batch_rows_)
            store_element(to, row_numbers_->element, double(row)), to += step;
    }
    return count;
}

const int64_t* Loader::pass(int64_t count) {
    cursor_ += count;
    return sequence_.data() + cursor_ - count;
}

bool Loader::column_of(const gradc_tensor& field, gradc_column& column) const {
    for (const Filled& filled : filled_) {
        if (filled.tensor != &field || !filled.contiguous) continue;
        const Column& rows = *filled.column;
        column = {rows.row(0), rows.stride() * rows.entry_bytes()};
        return true;
    }
    return false;
}

void number_rows(const gradc_module& module, unsigned char* arena, int64_t rows) {
    const gradc_tensor* numbers = find_tensor(module, GRADC_FIELD, "#row");
    if (!numbers) return;
    int64_t step = numbers->strides[0] * element_size(numbers->element);
    for (int64_t i = 0; i < rows; i++) {
        store_element(arena + numbers->offset + i * step, numbers->element, double(i));
    }
}

} // namespace gradc::runtime
