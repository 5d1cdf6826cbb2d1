// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A star first stands for nothing; where the rest does not fit, the last star takes one character more.
#include "runtime/base/pattern.h"
#include <algorithm>

namespace gradc::runtime {

bool matches(std::string_view pattern, std::string_view name) {
    constexpr size_t none = std::string_view::npos;
    if (pattern.find('*') == none)
        return name.starts_with(pattern) && (name.size() == pattern.size() || name[pattern.size()] == '.');
    size_t p = 0, n = 0, star = none, taken = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') star = p++, taken = n;
        else if (p < pattern.size() && pattern[p] == name[n]) p++, n++;
        else if (star == none) return false;
        else p = star + 1, n = ++taken;
    }
    return pattern.find_first_not_of('*', p) == none;
}

std::string_view take_pattern(std::string_view& list) {
    size_t begin = std::min(list.find_first_not_of(' '), list.size()), end = std::min(list.find(','), list.size());
    std::string_view first = list.substr(begin, end - begin);
    list.remove_prefix(std::min(end + 1, list.size()));
    return first;
}

bool any_matches(std::string_view list, std::string_view name) {
    bool any = list.empty();
    while (!list.empty() && !any) any = matches(take_pattern(list), name);
    return any;
}

} // namespace gradc::runtime
