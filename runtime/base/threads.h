// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A thread pool that splits kernels; the caller is worker 0. The parts of a kernel are bits of one word, and each
// worker takes one part after another. A thread that sleeps or is not scheduled is never waited for unless it holds a
// part. Each worker prefers the part with its own number, so that data it wrote in one kernel are still in its caches
// in the next. Workers spin for a short time after their last part, then sleep. Between two calls of `run` all parts of
// the first have finished; nothing else is shared.
#pragma once
#include "runtime/abi.h"
#include <atomic>
#include <pthread.h>
#include <vector>

namespace gradc::runtime {

class ThreadPool {
public:
    static constexpr int most_parts = 64;

    /// `count` threads with the caller among them; `flush` as in FlushDenormals.
    ThreadPool(int count, bool flush);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int count() const { return int(workers_.size()) + 1; }
    /// Calls `function` on `parts` <= most_parts ranges of [0, extent), in no order.
    void run(gradc_function function, unsigned char* arena, const int64_t* sizes, const uint32_t* arguments,
             int64_t extent, int parts);

private:
    struct Worker {
        ThreadPool* pool;
        int number;
        bool flush;
        pthread_t thread;
    };
    static void* enter(void* worker);
    void work(int number, bool flush);
    int work_on_parts(int number);
    void work_on_part(int part) const;
    void sleep();
    void wake();

    gradc_function function_ = nullptr;
    unsigned char* arena_ = nullptr;
    const int64_t* sizes_ = nullptr;
    const uint32_t* arguments_ = nullptr;
    int64_t extent_ = 0;
    int parts_ = 0;
    alignas(64) std::atomic<uint64_t> open_{0};  // a bit for each part that no worker has taken
    alignas(64) std::atomic<int> finished_{0};   // parts done by others than the caller
    alignas(64) std::atomic<int> sleeping_{0};   // workers
    alignas(64) std::atomic<uint32_t> calls_{0}; // to those that sleep: a futex word
    std::atomic<bool> ends_{false};
    std::vector<Worker> workers_; // never grows once they run
};

} // namespace gradc::runtime
