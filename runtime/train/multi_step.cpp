// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Row numbers of several epochs are concatenated into one array.
#include "runtime/train/multi_step.h"

namespace gradc::runtime {

bool MultiStepRunner::possible(int32_t program, int64_t batch) {
    const gradc_module& module = session_.module();
    const gradc_program& step = module.programs[program];
    if (!step.steps[session_.isa()] || step.step_rows != batch) return false;
    if (known_ == program) return found_;
    known_ = program;
    found_ = true;
    columns_.assign(size_t(step.field_count), {});
    for (int32_t f = 0; f < step.field_count; f++) {
        const gradc_tensor& field = module.tensors[step.fields[f]];
        if (std::string_view(field.name) == "#row") continue;
        found_ = found_ && loader_ && loader_->column_of(field, columns_[size_t(f)]);
    }
    return found_;
}

/// Appends the numbers of the next rows, step by step.
const int64_t* MultiStepRunner::order(int64_t rows, int64_t epoch) {
    if (!loader_) { // every step has the rows 0, 1, ..
        int64_t batch = session_.module().programs[known_].step_rows;
        for (int64_t row = int64_t(order_.size()); row < rows; row++) order_.push_back(row % batch);
        return order_.data();
    }
    int64_t left = loader_->rows() - loader_->cursor();
    if (rows <= left) return loader_->pass(rows);
    order_.clear();
    for (; rows > 0; left = loader_->rows() - loader_->cursor()) {
        if (left == 0) loader_->begin(++epoch), left = loader_->rows();
        int64_t here = std::min(rows, left);
        const int64_t* from = loader_->pass(here);
        order_.insert(order_.end(), from, from + here);
        rows -= here;
    }
    return order_.data();
}

int64_t MultiStepRunner::run(int32_t program, int64_t batch, int64_t count, const MultiStepPlace& place) {
    gradc_multi_step multi_step{count, nullptr, columns_.data(), place.until_epoch, place.epoch_steps, loss_sum, 0};
    if (loader_ || !columns_.empty()) multi_step.order = order(count * batch, place.epoch);
    int64_t done = session_.run_steps(program, batch, place.clock, multi_step);
    loss_sum = multi_step.loss_sum;
    loss_total = multi_step.loss_total;
    return done;
}

} // namespace gradc::runtime
