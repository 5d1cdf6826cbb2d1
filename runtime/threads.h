// A pool that splits kernels over threads. Workers spin briefly for the next kernel and then sleep;
// the caller is worker 0. Between two calls of `run` all parts of the first have finished: nothing
// else is shared.
#pragma once
#include "runtime/abi.h"
#include <atomic>
#include <pthread.h>
#include <vector>

namespace gradc::runtime {

class ThreadPool {
public:
    /// `count` threads with the caller among them; `flush` as in FlushDenormals.
    ThreadPool(int count, bool flush);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int count() const { return int(workers_.size()) + 1; }
    /// Calls `function` on `parts` <= count() ranges of [0, extent), in no order.
    void run(gradc_function function, unsigned char* arena, const int64_t* sizes, int64_t extent,
             int parts);

private:
    struct Worker {
        ThreadPool* pool;
        int number;
        bool flush;
        pthread_t thread;
    };
    static void* enter(void* worker);
    void work(int number, bool flush);
    void work_on_part(int number) const;

    gradc_function function_ = nullptr; // null with a new generation: the workers end
    unsigned char* arena_ = nullptr;
    const int64_t* sizes_ = nullptr;
    int64_t extent_ = 0;
    int parts_ = 0;
    alignas(64) std::atomic<uint32_t> generation_{0};
    alignas(64) std::atomic<int> unfinished_{0};
    alignas(64) std::atomic<int> sleeping_{0};
    std::vector<Worker> workers_; // never grows once they run
};

/// What affinity and the control group leave to this process.
int available_threads();

} // namespace gradc::runtime
