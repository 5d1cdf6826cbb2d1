// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mini-batches of one split, in the order of the train block, written into the arena. The order depends only on the
// seed and the epoch, so a cursor is the complete state.
#pragma once
#include "runtime/data/dataset.h"

namespace gradc::runtime {

class Loader {
public:
    /// Fills the fields of the data set that the module has tensors for, and "#row". `order` is a gradc_order.
    Loader(const gradc_module& module, const Dataset& dataset, int split, int32_t order, int64_t seed);

    int64_t rows() const { return int64_t(dataset_->splits[size_t(split_)].rows.size()); }
    /// Moves to row `cursor` of `epoch`; both count from 0.
    void begin(int64_t epoch, int64_t cursor = 0);
    int64_t cursor() const { return cursor_; }
    bool at_end() const { return cursor_ >= rows(); }
    /// Writes the next rows, at most `batch`, and returns how many.
    int64_t next(int64_t batch, unsigned char* arena);
    /// Skips the next `count` rows, which must exist, and returns their numbers.
    const int64_t* pass(int64_t count);
    /// The address of a field's rows if they have the layout of its tensor; false otherwise.
    bool column_of(const gradc_tensor& field, gradc_column& column) const;
    /// The numbers in the data set of the rows that were written last.
    const std::vector<int64_t>& batch_rows() const { return batch_rows_; }

private:
    struct Filled {
        const Column* column;
        const gradc_tensor* tensor;
        bool contiguous; // the elements of a row are contiguous
    };
    void fill(const Filled& filled, unsigned char* arena) const;
    void fill_from_files(const Filled& filled, unsigned char* arena) const;

    const Dataset* dataset_;
    int split_;
    int32_t order_;
    int64_t seed_;
    int64_t cursor_ = 0;
    std::vector<Filled> filled_;
    const gradc_tensor* row_numbers_ = nullptr;
    std::vector<int64_t> sequence_; // the split's rows in this epoch's order
    std::vector<int64_t> batch_rows_;
    bool in_line_ = false; // these are consecutive rows of the columns
};

/// The block's order of rows; file order if a step takes all of them.
int32_t row_order(const gradc_block& block);

/// Writes numbers 0..rows-1 into "#row", for blocks without data.
void number_rows(const gradc_module& module, unsigned char* arena, int64_t rows);

} // namespace gradc::runtime
