// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pool with many short kernels, and the limits of control groups, read from a tree of files.
#include "runtime/base/processors.h"
#include "runtime/base/threads.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <filesystem>

using namespace gradc::runtime;
using workplace::Folder;

namespace {

void count_up(unsigned char* arena, const int64_t*, const uint32_t*, int64_t begin, int64_t end) {
    int64_t* counters = reinterpret_cast<int64_t*>(arena);
    for (int64_t i = begin; i < end; i++) counters[i]++;
}

constexpr int no_limit = 1 << 20;

/// A file of the system as control groups see it, and how many processors they leave once it is there.
struct GroupFile {
    const char *path, *content;
    int limit;
};

void check_limits(std::initializer_list<GroupFile> files) {
    Folder root;
    CHECK(control_group_limit(root.path()) == no_limit);
    for (const GroupFile& file : files) {
        INFO(file.path << ": " << file.content);
        std::filesystem::create_directories(std::filesystem::path(root.path(file.path)).parent_path());
        root.write(file.path, file.content);
        CHECK(control_group_limit(root.path()) == file.limit);
    }
}

} // namespace

TEST_CASE("every part of the work is done exactly once") {
    for (int threads : {2, 3, 7, 70}) {
        ThreadPool pool(threads, false);
        std::vector<int64_t> counters(200);
        unsigned char* arena = reinterpret_cast<unsigned char*>(counters.data());
        int64_t calls = 0;
        for (int turn = 0; turn < 3000; turn++) {
            int parts = 1 + turn % 70; // more than the pool has, and more than most_parts
            pool.run(count_up, arena, nullptr, nullptr, 200, parts);
            calls++;
        }
        for (int64_t counter : counters) REQUIRE(counter == calls);
    }
}

TEST_CASE("a pool without work ends") { ThreadPool pool(4, true); }

TEST_CASE("quotas of control groups bound the threads") {
    SECTION("there is none") {
        check_limits({{"sys/fs/cgroup/cpu.max", "max 100000\n", no_limit},
                      {"proc/self/cgroup", "nonsense\n0::\n:::\n", no_limit}});
    }
    SECTION("version 2, in a container") {
        check_limits({{"proc/self/cgroup", "0::/\n", no_limit},
                      {"sys/fs/cgroup/cpu.max", "150000 100000\n", 2},
                      {"sys/fs/cgroup/cpu.max", "1000 100000\n", 1}});
    }
    SECTION("version 2, the narrowest of the groups around") {
        check_limits({{"proc/self/cgroup", "0::/user.slice/job\n", no_limit},
                      {"sys/fs/cgroup/user.slice/cpu.max", "300000 100000\n", 3},
                      {"sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n", 3},
                      {"sys/fs/cgroup/user.slice/job/cpu.max", "800000 200000\n", 3},
                      {"sys/fs/cgroup/user.slice/job/cpu.max", "400000 200000\n", 2}});
    }
    SECTION("version 1") {
        check_limits({{"proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/docker/a\n0::/\n", no_limit},
                      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n", no_limit},
                      {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n", no_limit},
                      {"sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us", "100000\n", no_limit},
                      {"sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us", "250000\n", 3},
                      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n", 1}});
    }
}
