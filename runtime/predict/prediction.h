// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the predict program in batches. A row must have the fields that the program reads: those that the data set
// stores, and generated ones. Generated fields are computed for the rows of the data set; other rows give them
// directly.
#pragma once
#include "runtime/data/loader.h"
#include "runtime/session.h"

namespace gradc::runtime {

/// The fields that the predict program reads, as a data set of their own.
class PredictFields {
public:
    /// `table`: the data set of the block, or null.
    PredictFields(const gradc_module& module, const gradc_dataset* table, const gradc_program& program);
    PredictFields(const PredictFields&) = delete;
    PredictFields& operator=(const PredictFields&) = delete;

    const gradc_dataset& table() const { return table_; }
    bool empty() const { return fields_.empty(); }
    /// The fields that the data set does not store.
    const std::vector<const gradc_tensor*>& generated() const { return generated_; }
    /// Makes each row of characters a text of its own, not a window of a longer one.
    void separate_rows();
    /// The numbers of one row.
    int64_t numbers() const;
    /// "x", or "x[0]" if the field has several numbers: the name of a row's number.
    std::string name_of(int64_t number) const;

private:
    std::vector<gradc_field> fields_;
    std::vector<const gradc_tensor*> generated_;
    gradc_dataset table_{};
};

class Prediction {
public:
    /// All references must outlive this.
    Prediction(Session& session, const gradc_block& block, const PredictFields& fields)
        : session_(session), block_(block), fields_(fields), result_(*session.result(block.predict, "predict")) {}

    const gradc_tensor& result() const { return result_; }
    /// The numbers of one row's result.
    int64_t width() const;
    /// Loads the next rows of the module's own data, computes the generated fields, and returns the number of rows.
    int64_t load(Loader& loader);
    /// Predictions for the rows in the arena, in C order.
    const unsigned char* run(int64_t rows, const Clock& clock);
    /// Appends the results of `run` for so many rows, as numbers.
    void append(int64_t rows, std::vector<double>& values) const;
    /// The results for all rows of a data set that has all fields, as numbers, row by row.
    std::vector<double> of_all(const Dataset& given);
    /// A field for all rows of a split of the module's own data, stored or computed; empty if there is no field of that
    /// name.
    std::vector<double> field(std::string_view name, const Dataset& dataset, int split);

private:
    Session& session_;
    const gradc_block& block_;
    const PredictFields& fields_;
    const gradc_tensor& result_;
    std::vector<unsigned char> bytes_;
};

} // namespace gradc::runtime
