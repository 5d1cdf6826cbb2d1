// See threads.h. A generation number announces a kernel; it is a futex word, so that no lock is
// taken while all spin.
#include "runtime/threads.h"
#include "runtime/files.h"
#include "runtime/isa.h"
#include "runtime/text.h"
#include <algorithm>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gradc::runtime {

static constexpr int spins = 4000; // about 50 us of `pause`

static void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
    syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

void* ThreadPool::enter(void* worker) {
    const Worker& self = *static_cast<Worker*>(worker);
    self.pool->work(self.number, self.flush);
    return nullptr;
}

// Where the system gives fewer threads, those that are there do the work: any number gives the same bits.
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
    run(nullptr, nullptr, nullptr, 0, count());
    for (Worker& worker : workers_) pthread_join(worker.thread, nullptr);
}

void ThreadPool::work_on_part(int number) const {
    if (number >= parts_ || !function_) return;
    int64_t share = extent_ / parts_,
            rest = extent_ % parts_; // the first `rest` parts have one item more
    int64_t begin = number * share + std::min<int64_t>(number, rest);
    function_(arena_, sizes_, begin, begin + share + (number < rest ? 1 : 0));
}

void ThreadPool::work(int number, bool flush) {
    FlushDenormals flushing(flush);
    uint32_t seen = 0;
    for (;;) {
        for (int spin = 0; spin < spins && generation_.load(std::memory_order_acquire) == seen;
             spin++) {
            __builtin_ia32_pause();
        }
        while (generation_.load(std::memory_order_acquire) == seen) {
            sleeping_.fetch_add(1);
            futex(generation_, FUTEX_WAIT_PRIVATE, seen);
            sleeping_.fetch_sub(1);
        }
        seen++;
        bool ends = function_ == nullptr;
        work_on_part(number);
        unfinished_.fetch_sub(1, std::memory_order_release);
        if (ends) return;
    }
}

void ThreadPool::run(gradc_function function, unsigned char* arena, const int64_t* sizes,
                     int64_t extent, int parts) {
    if (workers_.empty() || (parts <= 1 && function)) {
        if (function) function(arena, sizes, 0, extent);
        return;
    }
    function_ = function, arena_ = arena, sizes_ = sizes, extent_ = extent, parts_ = parts;
    unfinished_.store(int(workers_.size()), std::memory_order_relaxed);
    generation_.fetch_add(
        1); // sequentially consistent beside sleeping_: nobody falls asleep unseen
    if (sleeping_.load() > 0) futex(generation_, FUTEX_WAKE_PRIVATE, uint32_t(workers_.size()));
    work_on_part(0);
    for (int spin = 0; unfinished_.load(std::memory_order_acquire) > 0; spin++) {
        if (spin < spins) {
            __builtin_ia32_pause();
        } else {
            sched_yield(); // more threads than processors: let the others finish
        }
    }
}

/// "max 100000" or "200000 100000": quota and period in microseconds.
static int control_group_limit() {
    std::string line = read_small_file("/sys/fs/cgroup/cpu.max");
    size_t space = line.find(' ');
    int64_t quota = 0, period = 0;
    if (space == std::string::npos || !parse_whole(line.substr(0, space), quota)) return 1 << 20;
    std::string rest = line.substr(space + 1);
    while (!rest.empty() && rest.back() == '\n') rest.pop_back();
    if (!parse_whole(rest, period) || period <= 0) return 1 << 20;
    return int(std::max<int64_t>(1, (quota + period - 1) / period));
}

int available_threads() {
    cpu_set_t set;
    int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return std::max(1, std::min(allowed, control_group_limit()));
}

} // namespace gradc::runtime
