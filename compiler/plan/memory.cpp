// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses. Shared buffers have fixed places. The allocations of one program may overlap unless they live at the same
// time. They are placed one by one by best fit, in several orders; the smallest result is kept. Programs run one after
// another and use the same memory. Packing in the order of first steps takes one sweep. Any other order compares each
// allocation with those before it, and is tried only within a bound of comparisons in proportion to the allocations.
#include "compiler/plan/live_ranges.h"
#include "compiler/plan/program_plan.h"
#include "compiler/plan/recompute.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

namespace gradc {

namespace {

constexpr int64_t endless = INT64_MAX / 2, line = 64;
constexpr int most_fits = 8;              // attempts to meet a budget by a lower target
constexpr int repairs = 24;               // attempts to lower a peak by placing its cause first
constexpr double most_comparisons = 1024; // per allocation in all orders, times log2 of their number

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
    std::vector<int64_t> offsets; // by allocation
    int64_t peak = INT64_MAX;
    size_t highest = 0; // the allocation that ends there

    void place(size_t allocation, int64_t offset, int64_t size) {
        offsets[allocation] = offset;
        if (offset + size <= peak) return;
        peak = offset + size;
        highest = allocation;
    }
};

/// Best fit: each allocation takes the smallest gap between those that are placed and live at the same time.
Packing pack(const std::vector<Allocation>& allocations, const std::vector<size_t>& order) {
    struct Placed {
        int64_t begin, end;
        LiveRange live_range;
    };
    Packing result{std::vector<int64_t>(allocations.size(), -1), 0, 0};
    std::vector<Placed> placed; // by address
    placed.reserve(allocations.size());
    for (size_t i : order) {
        const int64_t size = allocations[i].size;
        const LiveRange live_range = allocations[i].live_range;
        int64_t at = 0, best = -1, best_gap = INT64_MAX;
        for (const Placed& other : placed) {
            if (!other.live_range.meets(live_range)) continue;
            int64_t gap = other.begin - at;
            if (gap >= size && gap < best_gap) best = at, best_gap = gap;
            at = std::max(at, other.end);
        }
        int64_t offset = best >= 0 ? best : at;
        result.place(i, offset, size);
        auto behind = std::upper_bound(placed.begin(), placed.end(), offset,
                                       [](int64_t value, const Placed& other) { return value < other.begin; });
        placed.insert(behind, {offset, offset + size, live_range});
    }
    return result;
}

/// The gaps between the allocations that live now, by address and by size. The last gap has no end.
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

/// Like `pack`, in the order of first steps, or of last steps if `backwards`.
Packing sweep(const std::vector<Allocation>& allocations, const std::vector<size_t>& order, bool backwards) {
    auto begin = [&](size_t i) {
        return backwards ? -allocations[i].live_range.last : allocations[i].live_range.first;
    };
    auto end = [&](size_t i) { return backwards ? -allocations[i].live_range.first : allocations[i].live_range.last; };
    Packing result{std::vector<int64_t>(allocations.size(), -1), 0, 0};
    Gaps gaps;
    std::set<std::pair<int64_t, size_t>> living; // by last step
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

/// The packings in the order of first and of last steps.
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

/// The best of several orders. While the lower bound is not reached, the allocation with the highest end moves to the
/// front of the order, and all are placed again.
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

/// The step of the table that tests the loss, or -1.
int64_t guard_of(const ProgramPlan& program) {
    for (size_t step = 0; step < program.table.size(); ++step)
        if (program.table[step].kind == loop::Step::Kind::guard) return int64_t(step);
    return -1;
}

/// Places shared buffers. Returns their end in bytes.
int64_t place_shared(Plan& plan) {
    int64_t base = 0;
    for (loop::Buffer& buffer : plan.buffers) {
        if (buffer.role == loop::Buffer::Role::activation) continue;
        buffer.offset = base;
        base += footprint(buffer);
        part(plan.parts, buffer.role) += footprint(buffer);
    }
    return base;
}

struct Placed {
    std::vector<Allocation> allocations;
    int64_t cut = 0;
    Packing packing;
    std::vector<KernelAccesses> accesses = {}; // by kernel, if some values are computed again
};
Placed placed(const std::vector<loop::Step>& table, const std::vector<KernelAccesses>& accesses, const Plan& plan,
              bool apart, int64_t& steps) {
    Placed result{allocations_of(table, accesses, plan.buffers, apart), 0, {}, {}};
    if (result.allocations.empty()) result.packing.peak = 0;
    if (result.allocations.empty()) return result;
    result.cut = largest_cut(result.allocations);
    result.packing = best_packing(result.allocations, result.cut, steps);
    return result;
}

/// Gives each piece of a buffer its own address: all but the first become buffers of their own.
class Addresses {
public:
    Addresses(ProgramPlan& program, Plan& plan) : program_(program), plan_(plan) {}

    void set(const Piece& piece, int64_t offset) {
        auto& all = numbers_[loop::BufferId(piece.buffer)];
        loop::BufferId number = loop::BufferId(piece.buffer);
        if (!all.empty()) {
            number = loop::BufferId(plan_.buffers.size());
            plan_.buffers.push_back(plan_.buffers[piece.buffer]);
        }
        all.emplace(piece.live_range.last, number);
        plan_.buffers[number].offset = offset;
    }
    /// Notes in each kernel which of its buffers were moved. A kernel with several calls is copied for each call.
    void rename(const std::vector<KernelAccesses>& accesses) {
        std::set<uint32_t> called;
        for (size_t step = 0; step < program_.table.size(); ++step) {
            loop::Step& at = program_.table[step];
            if (at.kind != loop::Step::Kind::kernel) continue;
            std::map<loop::BufferId, loop::BufferId> moved;
            for (const Access& access : accesses[at.kernel].buffers)
                if (auto found = numbers_.find(loop::BufferId(access.buffer)); found != numbers_.end())
                    if (auto piece = found->second.lower_bound(int64_t(step))->second; piece != found->first)
                        moved.emplace(found->first, piece);
            if (!called.insert(at.kernel).second) {
                program_.kernels.push_back(program_.kernels[at.kernel]);
                at.kernel = uint32_t(program_.kernels.size() - 1);
                program_.kernels[at.kernel].name += "_" + std::to_string(at.kernel);
            }
            program_.kernels[at.kernel].moved = std::move(moved);
        }
    }

private:
    ProgramPlan& program_;
    Plan& plan_;
    std::map<loop::BufferId, std::map<int64_t, loop::BufferId>> numbers_; // by buffer: its pieces, by their last steps
};

void set_addresses(ProgramPlan& program, Plan& plan, const Placed& placed, int64_t base) {
    std::vector<std::pair<Piece, int64_t>> pieces;
    for (size_t i = 0; i < placed.allocations.size(); ++i)
        for (const Piece& piece : placed.allocations[i].pieces)
            pieces.push_back({piece, base + placed.packing.offsets[i]});
    std::sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) {
        return std::pair(a.first.buffer, a.first.live_range.first) <
               std::pair(b.first.buffer, b.first.live_range.first);
    });
    Addresses addresses(program, plan);
    for (const auto& [piece, offset] : pieces) addresses.set(piece, offset);
    if (!placed.accesses.empty()) addresses.rename(placed.accesses);
}

/// Recomputes values until the program's allocations need at most `room` bytes, or the fewest that were found.
Placed fit(ProgramPlan& program, Plan& plan, std::vector<KernelAccesses> accesses, Placed whole, int64_t room) {
    Recomputation recomputation(program, plan.buffers, accesses, plan.batch);
    std::optional<Recomputation::Choice> best;
    Placed result = std::move(whole);
    int64_t most = room;
    for (int attempt = 0; attempt < most_fits && result.packing.peak > room; ++attempt) {
        std::optional<Recomputation::Choice> choice = recomputation.within(most);
        if (!choice && best) break;
        if (!choice) choice = recomputation.smallest(most, result.cut);
        Placed now = placed(choice->table, choice->accesses, plan, false, plan.steps);
        most = std::min(most, now.cut) - std::max(line, now.packing.peak - room);
        if (now.packing.peak >= result.packing.peak) continue;
        result = std::move(now);
        best = std::move(choice);
    }
    if (!best) return result;
    program.table = std::move(best->table);
    result.accesses = std::move(best->accesses);
    for (FusedKernel& kernel : best->repeats) program.kernels.push_back(std::move(kernel));
    return result;
}

} // namespace

void assign_memory(Plan& plan, const PlanOptions& options) {
    int64_t base = place_shared(plan), area = 0;
    for (ProgramPlan& program : plan.programs) {
        std::vector<KernelAccesses> accesses = accesses_of(program, plan.batch);
        Placed own = placed(program.table, accesses, plan, !options.fuse, plan.steps);
        if (options.memory > 0 && base + own.packing.peak > options.memory)
            own = fit(program, plan, std::move(accesses), std::move(own), options.memory - base);
        set_addresses(program, plan, own, base);
        area = std::max(area, own.packing.peak);
        plan.least = std::max(plan.least, own.cut);
        if (int64_t guard = guard_of(program); guard >= 0)
            plan.kept = std::max(plan.kept, across(own.allocations, guard));
    }
    plan.parts.activations = area;
    plan.arena_bytes = base + area;
    plan.least += base;
}

} // namespace gradc
