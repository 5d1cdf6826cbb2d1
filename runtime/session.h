// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A loaded module: its arena, its instruction set, the threads, and the scalars that programs read.
#pragma once
#include "runtime/base/error.h"
#include "runtime/base/threads.h"
#include "runtime/walk.h"
#include <optional>
#include <string_view>
#include <vector>

namespace gradc::runtime {

/// Zeroed memory of the module's size, rounded up to a page: one line of /proc/PID/maps.
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
    size_t size_ = 0, fence_ = 0; // bytes; the inaccessible pages around it
};

/// The scalars of one block before each call of its programs.
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

    /// Computes the initial value of every variable.
    void initialize();
    void clear_accumulators();
    Walk run(int32_t program, int64_t rows, const Clock& clock, bool guard = false);
    /// Many steps in one call; see abi.h. Returns the number of steps done.
    int64_t run_steps(int32_t program, int64_t rows, const Clock& clock, gradc_multi_step& multi_step);
    /// From now on adds the time of each kernel to its element of `seconds`; null: stops.
    void time_kernels(double* seconds) { options_.seconds = seconds; }
    /// The program's result of that name, or null.
    const gradc_tensor* result(int32_t program, std::string_view name) const;
    /// The first element of a tensor.
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
