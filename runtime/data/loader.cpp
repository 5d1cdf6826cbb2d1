// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies rows to the arena, with prefetching and special cases for contiguous rows.
#include "runtime/data/loader.h"
#include "runtime/base/dtype.h"
#include "runtime/base/tensor.h"
#include "runtime/base/text.h"
#include "runtime/data/shuffle.h"

namespace gradc::runtime {

Loader::Loader(const gradc_module& module, const Dataset& dataset, int split, int32_t order, int64_t seed)
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

int32_t row_order(const gradc_block& block) {
    bool all = block.batch_all && block.order == GRADC_SHUFFLED;
    return all ? int32_t(GRADC_FILE_ORDER) : block.order;
}

// ---- rows to the arena -------------------------------------------------------------------------

static constexpr int64_t rows_ahead = 4;

/// Prefetches the following rows while one is copied, since rows are scattered in memory.
static void fetch(const unsigned char* from, size_t bytes) {
    for (size_t at = 0; at < std::min<size_t>(bytes, 2048); at += 64) __builtin_prefetch(from + at);
}

namespace {

/// Source and destination of rows; widths in bytes.
struct Rows {
    const unsigned char* from;
    int64_t from_width;
    unsigned char* to;
    int64_t to_width;
    const std::vector<int64_t>& numbers;
};

} // namespace

template <size_t bytes> static void copy_numbers(const Rows& rows) {
    unsigned char* to = rows.to;
    for (int64_t number : rows.numbers) memcpy(to, rows.from + number * rows.from_width, bytes), to += rows.to_width;
}

static void copy_rows(const Rows& rows, size_t bytes) {
    if (bytes == 4) return copy_numbers<4>(rows);
    if (bytes == 8) return copy_numbers<8>(rows);
    size_t count = rows.numbers.size();
    for (size_t i = 0; i < count; i++) {
        size_t ahead = std::min(i + rows_ahead, count - 1);
        fetch(rows.from + rows.numbers[ahead] * rows.from_width, bytes);
        memcpy(rows.to + int64_t(i) * rows.to_width, rows.from + rows.numbers[i] * rows.from_width, bytes);
    }
}

/// Rows that lie apart, in several files, or in another dtype.
void Loader::fill_from_files(const Filled& filled, unsigned char* arena) const {
    const gradc_tensor& tensor = *filled.tensor;
    unsigned char* to = arena + tensor.offset;
    int64_t distance = tensor.strides[0] * element_size(tensor.dtype);
    std::vector<unsigned char> row(filled.contiguous ? 0 : size_t(filled.column->row_bytes()));
    for (int64_t number : batch_rows_) {
        filled.column->copy_row(number, filled.contiguous ? to : row.data());
        if (!filled.contiguous) write_row(tensor, to, row.data());
        to += distance;
    }
}

void Loader::fill(const Filled& filled, unsigned char* arena) const {
    const gradc_tensor& tensor = *filled.tensor;
    const Column& column = *filled.column;
    int64_t bytes = column.row_bytes(), count = int64_t(batch_rows_.size());
    if (!column.is_plain()) return fill_from_files(filled, arena);
    Rows rows{column.data(), column.stride() * column.entry_bytes(), arena + tensor.offset,
              tensor.strides[0] * element_size(tensor.dtype), batch_rows_};
    if (!filled.contiguous) {
        for (int64_t i = 0; i < count; i++)
            write_row(tensor, rows.to + i * rows.to_width, column.row(batch_rows_[size_t(i)]));
    } else if (in_line_ && rows.from_width == bytes && rows.to_width == bytes) {
        memcpy(rows.to, column.row(batch_rows_[0]), size_t(count * bytes));
    } else {
        copy_rows(rows, size_t(bytes));
    }
}

int64_t Loader::next(int64_t batch, unsigned char* arena) {
    int64_t count = std::min(batch, rows() - cursor_);
    if (count <= 0) return batch_rows_.clear(), 0;
    batch_rows_.assign(sequence_.begin() + cursor_, sequence_.begin() + cursor_ + count);
    cursor_ += count;
    // In file order numbers ascend, so they have no gaps if the last is at the right distance from the first.
    in_line_ = order_ == GRADC_FILE_ORDER && batch_rows_.back() - batch_rows_[0] == count - 1;
    for (const Filled& filled : filled_) fill(filled, arena);
    if (row_numbers_) {
        unsigned char* to = arena + row_numbers_->offset;
        int64_t step = row_numbers_->strides[0] * int64_t(sizeof(int32_t));
        for (int64_t row : batch_rows_) {
            auto number = int32_t(row);
            memcpy(to, &number, sizeof number), to += step;
        }
    }
    return count;
}

const int64_t* Loader::pass(int64_t count) {
    cursor_ += count;
    return sequence_.data() + cursor_ - count;
}

bool Loader::column_of(const gradc_tensor& field, gradc_column& column) const {
    for (const Filled& filled : filled_) {
        if (filled.tensor != &field || !filled.contiguous || !filled.column->is_plain()) continue;
        const Column& rows = *filled.column;
        column = {rows.row(0), rows.stride() * rows.entry_bytes()};
        return true;
    }
    return false;
}

void number_rows(const gradc_module& module, unsigned char* arena, int64_t rows) {
    const gradc_tensor* numbers = find_tensor(module, GRADC_FIELD, "#row");
    if (!numbers) return;
    int64_t step = numbers->strides[0] * element_size(numbers->dtype);
    for (int64_t i = 0; i < rows; i++) {
        store_element(arena + numbers->offset + i * step, numbers->dtype, double(i));
    }
}

} // namespace gradc::runtime
