// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// sched_getaffinity, and the files of control groups.
#include "runtime/base/processors.h"
#include "runtime/base/files.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <sched.h>

namespace gradc::runtime {

static constexpr int no_limit = 1 << 20;

/// A number at the start: "200000\n" or "100000 .."; -1 if there is none ("max", no file).
static int64_t first_number(const std::string& text) {
    size_t end = text.find_first_not_of("0123456789");
    int64_t number = -1;
    return parse_integer(text.substr(0, end), number) ? number : -1;
}

static int processors(int64_t quota, int64_t period) {
    if (quota <= 0 || period <= 0) return no_limit;
    return int(std::clamp<int64_t>((quota + period - 1) / period, 1, no_limit));
}

/// Quota and period in microseconds of one group: "200000 100000" in version 2, two files in 1.
static int limit_of(const std::string& folder) {
    std::string both = read_small_file(folder + "/cpu.max");
    size_t space = both.find(' ');
    if (space != std::string::npos) return processors(first_number(both), first_number(both.substr(space + 1)));
    return processors(first_number(read_small_file(folder + "/cpu.cfs_quota_us")),
                      first_number(read_small_file(folder + "/cpu.cfs_period_us")));
}

/// A group is also limited by the groups around it.
static int limit_up_to(const std::string& mount, std::string group) {
    int limit = limit_of(mount);
    for (; group.size() > 1; group.resize(group.rfind('/'))) limit = std::min(limit, limit_of(mount + group));
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
        if (names.find(",cpu,") != std::string::npos) limit = std::min(limit, limit_up_to(base + "/cpu", group));
    }
    return limit;
}

int available_threads() {
    cpu_set_t set;
    int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return std::max(1, std::min(allowed, control_group_limit("")));
}

} // namespace gradc::runtime
