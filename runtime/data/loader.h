// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mini-batches of one split, in the order of the train block, written into the arena. The order is
// a function of seed and epoch alone, so that a cursor says where a run stands.
#pragma once
#include "runtime/data/dataset.h"

namespace gradc::runtime {

class Loader {
public:
    /// Fills those fields of the data set that the module has tensors for, and "#row". `order`:
    /// gradc_order.
    Loader(const gradc_module& module, const Dataset& dataset, int split, int32_t order, int64_t seed);

    int64_t rows() const { return int64_t(dataset_->splits[size_t(split_)].rows.size()); }
    /// Stands before row number `cursor` of `epoch` (from 0).
    void begin(int64_t epoch, int64_t cursor = 0);
    int64_t cursor() const { return cursor_; }
    bool at_end() const { return cursor_ >= rows(); }
    /// Writes the next rows, `batch` or as many as are left, and returns how many.
    int64_t next(int64_t batch, unsigned char* arena);
    /// Goes past the next `count` rows, no more than are left, and returns their numbers.
    const int64_t* pass(int64_t count);
    /// Where the rows of a field lie as its tensor has them; false if they have to be moved about.
    bool column_of(const gradc_tensor& field, gradc_column& column) const;
    /// Numbers in the data set of the rows written last.
    const std::vector<int64_t>& batch_rows() const { return batch_rows_; }

private:
    struct Filled {
        const Column* column;
        const gradc_tensor* tensor;
        bool contiguous; // a row lies in one piece
    };
    void fill(const Filled& filled, unsigned char* arena) const;

    const Dataset* dataset_;
    int split_;
    int32_t order_;
    int64_t seed_;
    int64_t cursor_ = 0;
    std::vector<Filled> filled_;
    const gradc_tensor* row_numbers_ = nullptr;
    std::vector<int64_t> sequence_; // the split's rows in this epoch's order
    std::vector<int64_t> batch_rows_;
    bool in_line_ = false; // these follow each other in the columns
};

/// The block's order of rows; where a step takes all of them, that of the file serves as well.
int32_t row_order(const gradc_block& block);

/// Numbers 0..rows-1 into "#row", for blocks without data.
void number_rows(const gradc_module& module, unsigned char* arena, int64_t rows);

} // namespace gradc::runtime
