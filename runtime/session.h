// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module at work: its arena, the variant for this CPU, the threads, and the scalars that programs
// read.
#pragma once
#include "runtime/base/error.h"
#include "runtime/base/threads.h"
#include "runtime/walk.h"
#include <optional>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// One zeroed piece of memory of the size that the module says, rounded to a page: one line of /proc/PID/maps.
class Arena {
public:
    Arena() = default;
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    bool allocate(int64_t bytes, Error& error);
    unsigned char* base() const { return base_; }

private:
    unsigned char* base_ = nullptr;
    size_t size_ = 0, fence_ = 0; // bytes; the closed pages around it
};

/// What the programs of one block are told before each call.
struct Clock {
    double step = 1, steps = 1, epoch = 1; // step and epoch from 1
};

class Session {
public:
    explicit Session(const gradc_module& module) : module_(&module) {}
    bool start(int isa, int threads, int64_t seed, Error& error);

    const gradc_module& module() const { return *module_; }
    unsigned char* arena() const { return arena_.base(); }
    int isa() const { return options_.isa; }
    int threads() const { return pool_ ? pool_->count() : 1; }
    ThreadPool* pool() const { return options_.pool; } // null: one thread
    int64_t seed() const { return seed_; }

    void set_flag(const gradc_flag& flag, double value);
    double flag(const gradc_flag& flag) const;

    /// Draws every variable's start.
    void initialize();
    void clear_accumulators();
    Walk run(int32_t program, int64_t rows, const Clock& clock, bool guard = false);
    /// A stretch of steps; see abi.h. Returns how many were done.
    int64_t run_steps(int32_t program, int64_t rows, const Clock& clock, gradc_multi_step& multi_step);
    /// From now on adds each kernel's time to its place in `seconds`; null: no longer.
    void time_kernels(double* seconds) { options_.seconds = seconds; }
    /// The program's result of that name, or null.
    const gradc_tensor* result(int32_t program, std::string_view name) const;
    /// First element of a tensor.
    double scalar(const gradc_tensor& tensor) const;
    double loss(int32_t program) const { return scalar(module_->tensors[module_->programs[program].results[0]]); }

private:
    struct Written {
        const gradc_tensor* tensor;
        double value;
    };
    void write_scalars(int64_t rows, const Clock& clock);

    const gradc_module* module_;
    Arena arena_;
    std::optional<ThreadPool> pool_;
    WalkOptions options_;
    int64_t seed_ = 1;
    std::vector<Written> flags_;
    const gradc_tensor *rows_ = nullptr, *seed_tensor_ = nullptr, *step_ = nullptr, *steps_ = nullptr,
                       *epoch_ = nullptr;
};

} // namespace gradc::runtime
