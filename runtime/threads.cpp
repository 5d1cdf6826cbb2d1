// See threads.h. A part is taken by clearing its bit, and what it belongs to is read afterwards: the
// caller writes that before it sets the bits, and not again before every part has finished.
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

// Ticks of the time-stamp counter, 20 to 50 us: longer than what one thread does alone between two
// kernels of a step, too short to take a processor from others for long.
static constexpr uint64_t patience = 100'000;

static void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
    syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

/// Until `done` or patience ends; true if done.
template <class Done>
static bool spin(Done done) {
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
    ends_.store(true);
    wake();
    for (Worker& worker : workers_) pthread_join(worker.thread, nullptr);
}

void ThreadPool::work_on_part(int part) const {
    int64_t share = extent_ / parts_,
            rest = extent_ % parts_; // the first `rest` parts have one item more
    int64_t begin = part * share + std::min<int64_t>(part, rest);
    function_(arena_, sizes_, begin, begin + share + (part < rest ? 1 : 0));
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
/// `sleeping_`: one of the two sees the other, so nobody falls asleep beside work.
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
        bool called = spin([this] {
            return open_.load(std::memory_order_relaxed) != 0 || ends_.load(std::memory_order_relaxed);
        });
        if (called) {
            work_on_parts(number);
        } else {
            sleep();
        }
    }
}

void ThreadPool::run(gradc_function function, unsigned char* arena, const int64_t* sizes,
                     int64_t extent, int parts) {
    parts = std::min(parts, most_parts);
    if (workers_.empty() || parts <= 1) {
        function(arena, sizes, 0, extent);
        return;
    }
    function_ = function, arena_ = arena, sizes_ = sizes, extent_ = extent, parts_ = parts;
    finished_.store(0, std::memory_order_relaxed);
    open_.store(~uint64_t(0) >> (most_parts - parts)); // in one order with sleeping_: see sleep()
    wake();
    int others = parts - work_on_parts(0);
    auto finished = [&] { return finished_.load(std::memory_order_acquire) == others; };
    if (spin(finished)) return;
    while (!finished()) sched_yield(); // more threads than processors: let the others go on
}

// ---- how many processors there are -------------------------------------------------------------

static constexpr int no_limit = 1 << 20;

/// "200000\n" or "100000 ..": a number at the start; -1 where there is none ("max", no file).
static int64_t first_number(const std::string& text) {
    size_t end = text.find_first_not_of("0123456789");
    int64_t number = -1;
    return parse_whole(text.substr(0, end), number) ? number : -1;
}

static int processors(int64_t quota, int64_t period) {
    if (quota <= 0 || period <= 0) return no_limit;
    return int(std::clamp<int64_t>((quota + period - 1) / period, 1, no_limit));
}

/// Quota and period in microseconds of one group: "200000 100000" in version 2, two files in 1.
static int limit_of(const std::string& folder) {
    std::string both = read_small_file(folder + "/cpu.max");
    size_t space = both.find(' ');
    if (space != std::string::npos)
        return processors(first_number(both), first_number(both.substr(space + 1)));
    return processors(first_number(read_small_file(folder + "/cpu.cfs_quota_us")),
                      first_number(read_small_file(folder + "/cpu.cfs_period_us")));
}

/// A group has no more than the groups around it.
static int limit_up_to(const std::string& mount, std::string group) {
    int limit = limit_of(mount);
    for (; group.size() > 1; group.resize(group.rfind('/')))
        limit = std::min(limit, limit_of(mount + group));
    return limit;
}

int control_group_limit(const std::string& root) {
    std::string base = root + "/sys/fs/cgroup", groups = read_small_file(root + "/proc/self/cgroup");
    int limit = std::min(limit_of(base), limit_of(base + "/cpu"));
    for (size_t at = 0; at < groups.size();) { // "0::/user.slice/a" or "4:cpu,cpuacct:/a"
        size_t end = std::min(groups.find('\n', at), groups.size());
        std::string line = groups.substr(at, end - at);
        at = end + 1;
        size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
        std::string group = line.substr(second + 1);
        if (group.empty() || group[0] != '/') continue;
        if (names == ",,") limit = std::min(limit, limit_up_to(base, group));
        if (names.find(",cpu,") != std::string::npos)
            limit = std::min(limit, limit_up_to(base + "/cpu", group));
    }
    return limit;
}

int available_threads() {
    cpu_set_t set;
    int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return std::max(1, std::min(allowed, control_group_limit("")));
}

} // namespace gradc::runtime
