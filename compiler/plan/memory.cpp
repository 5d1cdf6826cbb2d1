// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses. What programs share has its own place for ever; a program's own rooms lie where no room that
// lives at the same time does. They are placed one by one, each in the smallest gap that fits: in several
// orders, of which the one that needs least is kept. Programs run one after another and use the same memory.
// Placing rooms in the order of time takes one sweep; any other order compares each room with those before it, and is
// tried only while the comparisons of all tries stay in proportion to the rooms.
#include "compiler/plan/live_ranges.h"
#include "compiler/plan/program_plan.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

namespace gradc {

namespace {

constexpr int64_t endless = INT64_MAX / 2;
constexpr int repairs = 24;               // attempts to lower a peak by placing first what made it
constexpr double most_comparisons = 1024; // of a room with others in all tries together, times log2 of the rooms

int64_t& part(MemoryParts& parts, loop::Buffer::Role role) {
    switch (role) {
    case loop::Buffer::Role::variable: return parts.variables;
    case loop::Buffer::Role::field:
    case loop::Buffer::Role::scalar: return parts.fields;
    case loop::Buffer::Role::output: return parts.results;
    default: return parts.constants;
    }
}

struct Packing {
    std::vector<int64_t> offsets; // by room
    int64_t peak = INT64_MAX;
    size_t highest = 0; // the room that ends there

    void place(size_t allocation, int64_t offset, int64_t size) {
        offsets[allocation] = offset;
        if (offset + size <= peak) return;
        peak = offset + size;
        highest = allocation;
    }
};

/// Best fit: the smallest gap between those already placed that live at the same time.
int64_t find_offset(std::vector<std::pair<int64_t, int64_t>>& taken, int64_t size) {
    std::sort(taken.begin(), taken.end());
    int64_t at = 0, best = -1, best_gap = INT64_MAX;
    for (auto [begin, end] : taken) {
        if (begin - at >= size && begin - at < best_gap) {
            best = at;
            best_gap = begin - at;
        }
        at = std::max(at, end);
    }
    return best >= 0 ? best : at;
}

Packing pack(const std::vector<Allocation>& allocations, const std::vector<size_t>& order) {
    Packing result{std::vector<int64_t>(allocations.size(), -1), 0, 0};
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (size_t i : order) {
        taken.clear();
        for (size_t j = 0; j < allocations.size(); ++j)
            if (result.offsets[j] >= 0 && allocations[i].live_range.meets(allocations[j].live_range))
                taken.push_back({result.offsets[j], result.offsets[j] + allocations[j].size});
        result.place(i, find_offset(taken, allocations[i].size), allocations[i].size);
    }
    return result;
}

/// The gaps between rooms that live now, by address and by size; the last has no end.
class Gaps {
public:
    int64_t take(int64_t size) {
        auto best = by_size_.lower_bound({size, 0});
        auto [allocation, at] = *best;
        erase(at, allocation);
        if (allocation > size) insert(at + size, allocation - size);
        return at;
    }
    void release(int64_t at, int64_t size) {
        auto after = by_address_.lower_bound(at);
        if (after != by_address_.begin())
            if (auto [begin, allocation] = *std::prev(after); begin + allocation == at) {
                erase(begin, allocation);
                at = begin, size += allocation;
            }
        if (after != by_address_.end())
            if (auto [begin, allocation] = *after; at + size == begin) {
                erase(begin, allocation);
                size += allocation;
            }
        insert(at, size);
    }

private:
    void insert(int64_t at, int64_t size) { by_address_[at] = size, by_size_.insert({size, at}); }
    void erase(int64_t at, int64_t size) { by_address_.erase(at), by_size_.erase({size, at}); }

    std::map<int64_t, int64_t> by_address_{{0, endless}};
    std::set<std::pair<int64_t, int64_t>> by_size_{{endless, 0}};
};

/// As `pack` in the order in which lives begin, or, `backwards`, end.
Packing sweep(const std::vector<Allocation>& allocations, const std::vector<size_t>& order, bool backwards) {
    auto begin = [&](size_t i) {
        return backwards ? -allocations[i].live_range.last : allocations[i].live_range.first;
    };
    auto end = [&](size_t i) { return backwards ? -allocations[i].live_range.first : allocations[i].live_range.last; };
    Packing result{std::vector<int64_t>(allocations.size(), -1), 0, 0};
    Gaps gaps;
    std::set<std::pair<int64_t, size_t>> living; // by when they end
    for (size_t i : order) {
        for (; !living.empty() && living.begin()->first < begin(i); living.erase(living.begin())) {
            size_t gone = living.begin()->second;
            gaps.release(result.offsets[gone], allocations[gone].size);
        }
        result.place(i, gaps.take(allocations[i].size), allocations[i].size);
        living.insert({end(i), i});
    }
    return result;
}

std::vector<size_t> sorted(const std::vector<Allocation>& allocations,
                           const std::function<bool(const Allocation&, const Allocation&)>& before) {
    std::vector<size_t> order(allocations.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return before(allocations[a], allocations[b]); });
    return order;
}

double area(const Allocation& allocation) {
    return double(allocation.size) * double(allocation.live_range.last - allocation.live_range.first + 1);
}

/// The last two in the order of time.
std::vector<std::vector<size_t>> orders(const std::vector<Allocation>& allocations) {
    auto length = [](const Allocation& allocation) { return allocation.live_range.last - allocation.live_range.first; };
    return {sorted(allocations, [](const Allocation& a, const Allocation& b) { return a.size > b.size; }),
            sorted(allocations, [&](const Allocation& a, const Allocation& b) { return length(a) > length(b); }),
            sorted(allocations, [](const Allocation& a, const Allocation& b) { return area(a) > area(b); }),
            sorted(allocations,
                   [](const Allocation& a, const Allocation& b) { return a.live_range.first < b.live_range.first; }),
            sorted(allocations,
                   [](const Allocation& a, const Allocation& b) { return a.live_range.last > b.live_range.last; })};
}

/// The best of several orders. What ends highest goes to the front and all is
/// placed anew, as long as the cut is not reached.
Packing best_packing(const std::vector<Allocation>& allocations, int64_t cut, int64_t& steps) {
    Packing best;
    const double each = double(allocations.size()) * double(allocations.size());
    double left = most_comparisons * double(allocations.size()) * std::log2(double(allocations.size()) + 1);
    std::vector<std::vector<size_t>> all = orders(allocations);
    for (size_t number = 0; number < all.size(); ++number) {
        std::vector<size_t>& order = all[number];
        for (int attempt = 0; attempt <= repairs && best.peak > cut; ++attempt) {
            bool in_time = attempt == 0 && number >= 3;
            if (!in_time && left < each) break;
            left -= in_time ? 0 : each;
            steps += int64_t(in_time ? double(allocations.size()) : each);
            Packing packing = in_time ? sweep(allocations, order, number == 4) : pack(allocations, order);
            if (packing.peak < best.peak) best = packing;
            auto at = std::find(order.begin(), order.end(), packing.highest);
            if (at == order.end() || at == order.begin()) break;
            std::rotate(order.begin(), at, at + 1);
        }
    }
    return best;
}

/// Step of the table at which the loss is tested; -1: nowhere.
int64_t guard_of(const ProgramPlan& program) {
    for (size_t step = 0; step < program.table.size(); ++step)
        if (program.table[step].kind == loop::Step::Kind::guard) return int64_t(step);
    return -1;
}

} // namespace

void assign_memory(Plan& plan, const PlanOptions& options) {
    int64_t base = 0, area = 0;
    for (loop::Buffer& buffer : plan.buffers) {
        if (buffer.role == loop::Buffer::Role::activation) continue;
        buffer.offset = base;
        base += footprint(buffer);
        part(plan.parts, buffer.role) += footprint(buffer);
    }
    for (const ProgramPlan& program : plan.programs) {
        std::vector<Allocation> allocations = allocations_of(program, plan.buffers, plan.batch, !options.fuse);
        if (allocations.empty()) continue;
        int64_t cut = largest_cut(allocations);
        Packing packing = best_packing(allocations, cut, plan.steps);
        for (size_t i = 0; i < allocations.size(); ++i)
            for (size_t buffer : allocations[i].buffers) plan.buffers[buffer].offset = base + packing.offsets[i];
        area = std::max(area, packing.peak);
        plan.least = std::max(plan.least, cut);
        if (int64_t guard = guard_of(program); guard >= 0) plan.kept = std::max(plan.kept, across(allocations, guard));
    }
    plan.parts.activations = area;
    plan.arena_bytes = base + area;
    plan.least += base;
}

} // namespace gradc
