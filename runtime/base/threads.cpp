// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A part is taken by clearing its bit; the kernel that it belongs to is read afterwards. The caller writes that before
// it sets the bits, and not again before all parts have finished.
#include "runtime/base/threads.h"
#include "runtime/base/isa.h"
#include <algorithm>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gradc::runtime {

// Ticks of the time-stamp counter, 20 to 50 us: longer than the serial part between two kernels of a step, and too
// short to occupy a processor that others need.
static constexpr uint64_t patience = 100'000;

static void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
    syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

/// Waits until `done` or the end of patience; true if done.
template <class Done> static bool spin(Done done) {
    uint64_t begin = __builtin_ia32_rdtsc();
    do {
        for (int turn = 0; turn < 16; turn++) {
            if (done()) return true;
            __builtin_ia32_pause();
        }
    } while (__builtin_ia32_rdtsc() - begin < patience);
    return done();
}

void* ThreadPool::enter(void* worker) {
    const Worker& self = *static_cast<Worker*>(worker);
    self.pool->work(self.number, self.flush);
    return nullptr;
}

// If the system gives fewer threads, the existing ones do the work: any number gives the same bits.
ThreadPool::ThreadPool(int count, bool flush) {
    workers_.reserve(size_t(std::max(count, 1) - 1));
    for (int number = 1; number < count; number++) {
        Worker& worker = workers_.emplace_back(Worker{this, number, flush, {}});
        if (pthread_create(&worker.thread, nullptr, enter, &worker) == 0) continue;
        workers_.pop_back();
        break;
    }
}

ThreadPool::~ThreadPool() {
    ends_.store(true);
    wake();
    for (Worker& worker : workers_) pthread_join(worker.thread, nullptr);
}

void ThreadPool::work_on_part(int part) const {
    int64_t share = extent_ / parts_,
            rest = extent_ % parts_; // the first `rest` parts have one item more
    int64_t begin = part * share + std::min<int64_t>(part, rest);
    function_(arena_, sizes_, arguments_, begin, begin + share + (part < rest ? 1 : 0));
}

/// Takes parts until none is open, its own first, and returns how many.
int ThreadPool::work_on_parts(int number) {
    uint64_t own = number < most_parts ? uint64_t(1) << number : 0;
    int count = 0;
    for (uint64_t open = open_.load(std::memory_order_relaxed); open != 0;) {
        uint64_t taken = open & own ? own : open & (0 - open);
        if (!open_.compare_exchange_weak(open, open & ~taken, std::memory_order_acquire)) continue;
        work_on_part(__builtin_ctzll(taken));
        count++;
        open = open_.load(std::memory_order_relaxed);
        if (number > 0) finished_.fetch_add(1, std::memory_order_release);
    }
    return count;
}

/// `sleeping_` grows before the last look at `open_`, and `run` writes `open_` before it looks at
/// `sleeping_`: one of the two sees the other, so no worker sleeps while parts are open.
void ThreadPool::sleep() {
    sleeping_.fetch_add(1);
    uint32_t before = calls_.load();
    if (open_.load() == 0 && !ends_.load()) futex(calls_, FUTEX_WAIT_PRIVATE, before);
    sleeping_.fetch_sub(1);
}

void ThreadPool::wake() {
    if (sleeping_.load() == 0) return;
    calls_.fetch_add(1);
    futex(calls_, FUTEX_WAKE_PRIVATE, uint32_t(workers_.size()));
}

void ThreadPool::work(int number, bool flush) {
    FlushDenormals flushing(flush);
    while (!ends_.load(std::memory_order_relaxed)) {
        bool called = spin(
            [this] { return open_.load(std::memory_order_relaxed) != 0 || ends_.load(std::memory_order_relaxed); });
        if (called) {
            work_on_parts(number);
        } else {
            sleep();
        }
    }
}

void ThreadPool::run(gradc_function function, unsigned char* arena, const int64_t* sizes, const uint32_t* arguments,
                     int64_t extent, int parts) {
    parts = std::min(parts, most_parts);
    if (workers_.empty() || parts <= 1) {
        function(arena, sizes, arguments, 0, extent);
        return;
    }
    function_ = function, arena_ = arena, sizes_ = sizes, arguments_ = arguments, extent_ = extent, parts_ = parts;
    finished_.store(0, std::memory_order_relaxed);
    open_.store(~uint64_t(0) >> (most_parts - parts)); // in one order with sleeping_: see sleep()
    wake();
    int others = parts - work_on_parts(0);
    auto finished = [&] { return finished_.load(std::memory_order_acquire) == others; };
    if (spin(finished)) return;
    while (!finished()) sched_yield(); // more threads than processors: let the others go on
}

} // namespace gradc::runtime
