// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Limits from /proc/meminfo, control groups and getrlimit.
#include "runtime/base/memory.h"
#include "runtime/base/files.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <sys/resource.h>
#include <unistd.h>

namespace gradc::runtime {

/// The integer after `key` in a text; -1 if there is none ("max", no file).
static int64_t number_after(std::string_view text, std::string_view key) {
    size_t at = text.find(key);
    if (at == std::string_view::npos) return -1;
    at = text.find_first_not_of(" \t", at + key.size());
    if (at == std::string_view::npos) return -1;
    size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    int64_t number;
    return parse_integer(text.substr(at, end - at), number) ? number : -1;
}

/// Pages of this process: its address space, and its resident part.
static void own_pages(int64_t& mapped, int64_t& resident) {
    std::string pages = read_small_file("/proc/self/statm");
    mapped = std::max<int64_t>(0, number_after(pages, ""));
    resident = std::max<int64_t>(0, number_after(pages, " "));
}

int64_t available_memory() {
    int64_t page = sysconf(_SC_PAGESIZE), mapped, resident, least = INT64_MAX;
    own_pages(mapped, resident);
    auto take = [&](int64_t limit, int64_t used) {
        if (limit >= 0) least = std::min(least, std::max<int64_t>(0, limit - used));
    };
    int64_t machine = number_after(read_small_file("/proc/meminfo"), "MemAvailable:");
    take(machine < 0 ? -1 : machine * 1024, 0);
    // File caches count for a group but can be dropped; the memory of this process cannot.
    std::string base = "/sys/fs/cgroup", groups = read_small_file("/proc/self/cgroup");
    size_t own = groups.starts_with("0::/") ? groups.find('\n') : 0;
    for (const std::string& file : {base + "/memory.max", base + "/memory/memory.limit_in_bytes",
                                    base + (own > 3 ? groups.substr(3, own - 3) : "") + "/memory.max"})
        take(number_after(read_small_file(file), ""), resident * page);
    rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        take(int64_t(limit.rlim_cur), mapped * page);
    return least;
}

bool fits_memory(const std::string& path, uint64_t bytes, Error& error) {
    static constexpr uint64_t too_little_to_ask = 1 << 16, for_all_else = 1 << 20;
    if (bytes < too_little_to_ask) return true;
    auto available = uint64_t(available_memory());
    if (bytes <= available && available - bytes >= for_all_else) return true;
    return error.fail(path, ": error: does not fit in memory: it needs ", byte_size(double(bytes)), " more, and ",
                      byte_size(double(available)), " are available");
}

} // namespace gradc::runtime
