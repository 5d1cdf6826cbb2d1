// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many steps in one call compared with as many calls: the bits are equal.
#pragma once
#include "compiler/target/engine.h"
#include "runtime/base/dtype.h"
#include "runtime/walk.h"
#include <cstring>
#include <fmt/format.h>
#include <string_view>
#include <vector>

namespace gradc {

/// Runs both on the first `known` rows that the arena holds, from the variables and scalars there.
class MultiStepComparison {
public:
    static constexpr int64_t steps = 5, epoch_steps = 2, until_epoch = 1;

    MultiStepComparison(target::Engine& engine, int program, loop::Isa isa, int64_t known)
        : engine_(engine), module_(engine.module()), program_(module_.programs[program]), number_(program), isa_(isa),
          known_(known), start_(engine.arena(), engine.arena() + module_.arena_bytes) {
        for (int64_t i = 0; i < steps * program_.step_rows; ++i) order_.push_back((7 * i + 3) % known_);
        for (int32_t f = 0; f < program_.field_count; ++f) {
            const unsigned char* first = engine.arena() + field(f).offset;
            rows_.emplace_back(first, first + known_ * row_bytes(f));
        }
    }

    /// Empty if they agree.
    std::string run() {
        double sum = 0, total = 0;
        int64_t done = one_by_one(sum, total);
        std::vector<std::vector<double>> expected = variables();
        std::copy(start_.begin(), start_.end(), engine_.arena());
        for (int32_t f = 0; f < program_.field_count; ++f) // its rows come from the columns
            std::memset(engine_.arena() + field(f).offset, 0, size_t(known_ * row_bytes(f)));
        write("rows", double(program_.step_rows));
        std::vector<gradc_column> columns;
        for (int32_t f = 0; f < program_.field_count; ++f) columns.push_back({rows_[size_t(f)].data(), row_bytes(f)});
        gradc_multi_step multi_step{steps, order_.data(), columns.data(), until_epoch, epoch_steps, 0, 0};
        int64_t found = engine_.run_steps(number_, isa_, multi_step);
        if (found != done) return fmt::format("{} steps in one call, {} one by one", found, done);
        if (!same(variables(), expected)) return "variables differ after steps in one call";
        bool sums = done < steps || (multi_step.loss_sum == sum && multi_step.loss_total == total);
        return sums ? "" : "sums of losses differ after steps in one call";
    }

private:
    const gradc_tensor& field(int32_t f) const { return module_.tensors[program_.fields[f]]; }
    int64_t row_bytes(int32_t f) const { return field(f).strides[0] * runtime::element_size(field(f).dtype); }

    void write(std::string_view name, double value) {
        for (int32_t t = 0; t < module_.tensor_count; ++t)
            if (module_.tensors[t].role == GRADC_SCALAR && name == module_.tensors[t].name)
                runtime::store_element(engine_.arena() + module_.tensors[t].offset, module_.tensors[t].dtype, value);
    }
    double read(std::string_view name) const {
        for (int32_t t = 0; t < module_.tensor_count; ++t)
            if (module_.tensors[t].role == GRADC_SCALAR && name == module_.tensors[t].name)
                return runtime::load_element(engine_.arena() + module_.tensors[t].offset, module_.tensors[t].dtype);
        return 0;
    }

    int64_t one_by_one(double& sum, double& total) {
        double first = read("step"), epoch = read("epoch");
        const gradc_tensor& loss = module_.tensors[program_.results[0]];
        for (int64_t step = 0; step < steps; ++step) {
            if (step >= until_epoch && (step - until_epoch) % epoch_steps == 0) {
                begin_epoch();
                sum = 0;
                epoch += 1;
            }
            write("rows", double(program_.step_rows));
            write("step", first + double(step));
            write("epoch", epoch);
            for (int64_t n = 0; n < program_.step_rows; ++n) take_row(n, order_[size_t(step * program_.step_rows + n)]);
            if (!engine_.run(number_, program_.step_rows, isa_, true)) return step;
            double value = runtime::load_element(engine_.arena() + loss.offset, loss.dtype);
            sum += value * double(program_.step_rows);
            total += value;
        }
        return steps;
    }
    void take_row(int64_t n, int64_t row) {
        for (int32_t f = 0; f < program_.field_count; ++f) {
            unsigned char* to = engine_.arena() + field(f).offset + n * row_bytes(f);
            if (std::string_view(field(f).name) == "#row") runtime::store_element(to, field(f).dtype, double(row));
            else std::memcpy(to, rows_[size_t(f)].data() + row * row_bytes(f), size_t(row_bytes(f)));
        }
    }
    void begin_epoch() {
        for (int32_t t = 0; t < module_.tensor_count; ++t)
            if (module_.tensors[t].role == GRADC_ACCUMULATOR)
                engine_.write(t, std::vector<double>(engine_.read(t).size(), 0));
    }

    std::vector<std::vector<double>> variables() const {
        std::vector<std::vector<double>> values;
        for (int32_t t = 0; t < module_.tensor_count; ++t)
            if (module_.tensors[t].role >= GRADC_PARAMETER && module_.tensors[t].role <= GRADC_ACCUMULATOR)
                values.push_back(engine_.read(t));
        return values;
    }
    /// Bit by bit, but that NaN is NaN.
    static bool same(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b) {
        for (size_t i = 0; i < a.size(); ++i)
            for (size_t k = 0; k < a[i].size(); ++k) {
                bool lost = a[i][k] != a[i][k] && b[i][k] != b[i][k];
                if (!lost && std::memcmp(&a[i][k], &b[i][k], sizeof(double)) != 0) return false;
            }
        return true;
    }

    target::Engine& engine_;
    const gradc_module& module_;
    const gradc_program& program_;
    int number_;
    loop::Isa isa_;
    int64_t known_;
    std::vector<unsigned char> start_;
    std::vector<int64_t> order_;
    std::vector<std::vector<unsigned char>> rows_; // by field
};

} // namespace gradc
