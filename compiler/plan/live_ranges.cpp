// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A live range contains every step that accesses the buffer and every loop that it enters or leaves. A kernel that
// repeats another starts a new range of the buffers that it writes. Between the ranges the memory is free for others.
#include "compiler/plan/live_ranges.h"
#include "compiler/plan/members.h"
#include "compiler/plan/program_plan.h"
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace gradc {

namespace {

constexpr int64_t line = 64;

using LiveRanges = std::vector<LiveRange>; // of a buffer, ascending

class Ranges {
public:
    Ranges(const std::vector<loop::Step>& table, const std::vector<KernelAccesses>& accesses, size_t buffers)
        : table_(table), accesses_(accesses), ranges_(buffers) {
        for (int64_t step = 0; step < int64_t(table.size()); ++step)
            if (table[size_t(step)].kind == loop::Step::Kind::kernel) kernel(step);
        note_loops();
        if (loops_.empty()) return;
        for (LiveRanges& ranges : ranges_) {
            for (LiveRange& range : ranges) spread(range);
            merge(ranges);
        }
    }
    const LiveRanges& operator[](size_t buffer) const { return ranges_[buffer]; }
    /// All live at the same time.
    void never_end() {
        for (LiveRanges& ranges : ranges_)
            if (!ranges.empty()) ranges = {{0, int64_t(table_.size())}};
    }
    /// The kernel at this step reads each element of the buffer only where it computes the same element of its results.
    bool read_in_place(int64_t step, size_t buffer) const {
        const loop::Step& at = table_[size_t(step)];
        if (at.kind != loop::Step::Kind::kernel) return true;
        const auto& all = accesses_[at.kernel].buffers;
        auto found = std::lower_bound(all.begin(), all.end(), buffer,
                                      [](const Access& access, size_t wanted) { return access.buffer < wanted; });
        return found == all.end() || found->buffer != buffer || found->in_place;
    }

private:
    struct Loop { // of the table: its steps, inclusive, and the loop around
        int64_t begin, end = -1;
        int around;
    };
    void note_loops() {
        int open = -1;
        for (int64_t step = 0; step < int64_t(table_.size()); ++step) {
            auto what = table_[size_t(step)].kind;
            if (what == loop::Step::Kind::loop_begin) {
                loops_.push_back({step, -1, open});
                open = int(loops_.size()) - 1;
            }
            loop_of_.push_back(open);
            if (what == loop::Step::Kind::loop_end) {
                loops_[size_t(open)].end = step;
                open = loops_[size_t(open)].around;
            }
        }
    }
    /// Extended to the loops that the range enters or leaves.
    void spread(LiveRange& range) const {
        const LiveRange own = range;
        for (int64_t step : {own.first, own.last})
            for (int at = loop_of_[size_t(step)]; at >= 0; at = loops_[size_t(at)].around) {
                const Loop& loop = loops_[size_t(at)];
                if (own.first >= loop.begin && own.last <= loop.end) break; // inside, and inside all around
                range.touch(loop.begin);
                range.touch(loop.end);
            }
    }
    static void merge(LiveRanges& ranges) {
        LiveRanges apart;
        for (const LiveRange& range : ranges)
            if (!apart.empty() && apart.back().meets(range)) apart.back().touch(range.last);
            else apart.push_back(range);
        ranges = std::move(apart);
    }

    void kernel(int64_t step) {
        const KernelAccesses& touched = accesses_[table_[size_t(step)].kernel];
        for (const Access& access : touched.buffers) {
            LiveRanges& ranges = ranges_[access.buffer];
            if (ranges.empty() || (access.writes && touched.repeats)) ranges.push_back({step, step});
            else ranges.back().touch(step);
        }
    }

    const std::vector<loop::Step>& table_;
    const std::vector<KernelAccesses>& accesses_;
    std::vector<LiveRanges> ranges_;
    std::vector<Loop> loops_;
    std::vector<int> loop_of_; // by step: the innermost, -1 for none
};

/// Pieces that take over the memory of another. By piece: the owner of its memory (itself, or the first of a chain).
class InPlace {
public:
    InPlace(const std::vector<Piece>& pieces, const std::vector<loop::Buffer>& buffers, const Ranges& ranges)
        : pieces_(pieces), buffers_(buffers), ranges_(ranges), first_(pieces.size()) {
        std::iota(first_.begin(), first_.end(), size_t(0));
        std::unordered_map<int64_t, std::vector<size_t>> ending; // pieces, by their last step
        for (size_t old = 0; old < first_.size(); ++old) ending[pieces[old].live_range.last].push_back(old);
        std::vector<bool> reused(pieces.size(), false);
        for (size_t later = 0; later < first_.size(); ++later) {
            for (size_t old : ending[pieces[later].live_range.first]) {
                if (old == later || reused[old] || !fits(pieces[old], pieces[later])) continue;
                reused[old] = true;
                first_[later] = old;
                break;
            }
        }
    }
    size_t first(size_t piece) { // with path halving
        while (first_[piece] != piece) piece = first_[piece] = first_[first_[piece]];
        return piece;
    }

private:
    bool fits(const Piece& old, const Piece& later) const {
        const loop::Buffer &a = buffers_[old.buffer], &b = buffers_[later.buffer];
        int64_t step = old.live_range.last;
        return old.live_range.first < step && step < later.live_range.last && a.dtype == b.dtype &&
               a.shape == b.shape && a.strides == b.strides && a.panel == b.panel &&
               ranges_.read_in_place(step, old.buffer);
    }

    const std::vector<Piece>& pieces_;
    const std::vector<loop::Buffer>& buffers_;
    const Ranges& ranges_;
    std::vector<size_t> first_;
};

} // namespace

int64_t footprint(const loop::Buffer& buffer) { return (buffer.size + 2 * line - 1) / line * line; }

KernelAccesses accesses_of(const ProgramPlan& program, const FusedKernel& kernel, const std::vector<bool>& members,
                           int64_t batch) {
    std::map<size_t, Access> all;
    auto access = [&](const Storage& place) -> Access& {
        Access& one = all[place.buffer];
        one.buffer = place.buffer;
        return one;
    };
    std::set<NodeId> inside; // computed here and not stored: read from registers
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members)
            if (member.stores.empty() && !member.copies) inside.insert(member.node);
    Indices indices(batch);
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) {
            for (const Storage& place : member.stores) access(place).writes = true;
            if (member.from) {
                access(*member.from).reads = true;
                continue;
            }
            Candidate c = analyse(program.flat, members, member.node, member.copies, kernel.region, indices, batch);
            for (const Read& read : c.reads) {
                const auto& place = program.places[index(read.node)];
                if (!place || inside.count(read.node)) continue;
                bool same = kernel.kind != FusedKernel::Kind::scatter && kernel.stages.size() == 1 &&
                            stage.inner.empty() && read.at == c.axes;
                Access& one = access(*place);
                one.reads = true;
                one.in_place &= same;
            }
        }
    KernelAccesses result;
    result.repeats = kernel.repeats.has_value();
    for (const auto& [buffer, one] : all) result.buffers.push_back(one);
    return result;
}

std::vector<KernelAccesses> accesses_of(const ProgramPlan& program, int64_t batch) {
    std::vector<KernelAccesses> result;
    std::vector<bool> members = stored_members(program);
    for (const FusedKernel& kernel : program.kernels) result.push_back(accesses_of(program, kernel, members, batch));
    return result;
}

std::vector<Allocation> allocations_of(const std::vector<loop::Step>& table,
                                       const std::vector<KernelAccesses>& accesses,
                                       const std::vector<loop::Buffer>& buffers, bool apart) {
    Ranges ranges(table, accesses, buffers.size());
    if (apart) ranges.never_end();
    std::vector<Piece> pieces;
    for (size_t buffer = 0; buffer < buffers.size(); ++buffer)
        if (buffers[buffer].role == loop::Buffer::Role::activation)
            for (const LiveRange& range : ranges[buffer]) pieces.push_back({buffer, range});
    InPlace in_place(pieces, buffers, ranges);
    std::map<size_t, Allocation> allocations; // by the first piece of a chain
    for (size_t i = 0; i < pieces.size(); ++i) {
        Allocation& allocation = allocations[in_place.first(i)];
        allocation.pieces.push_back(pieces[i]);
        allocation.size = std::max(allocation.size, footprint(buffers[pieces[i].buffer]));
        allocation.live_range.touch(pieces[i].live_range.first);
        allocation.live_range.touch(pieces[i].live_range.last);
    }
    std::vector<Allocation> result;
    for (auto& [first, allocation] : allocations) result.push_back(std::move(allocation));
    return result;
}

std::vector<int64_t> bytes_at_steps(const std::vector<Allocation>& allocations, size_t steps) {
    std::vector<int64_t> bytes(steps + 2, 0);
    for (const Allocation& allocation : allocations) {
        bytes[size_t(allocation.live_range.first)] += allocation.size;
        bytes[size_t(allocation.live_range.last) + 1] -= allocation.size;
    }
    std::partial_sum(bytes.begin(), bytes.end(), bytes.begin());
    return bytes;
}

int64_t largest_cut(const std::vector<Allocation>& allocations) {
    int64_t end = 0;
    for (const Allocation& allocation : allocations) end = std::max(end, allocation.live_range.last);
    std::vector<int64_t> bytes = bytes_at_steps(allocations, size_t(end) + 1);
    return *std::max_element(bytes.begin(), bytes.end());
}

int64_t across(const std::vector<Allocation>& allocations, int64_t step) {
    int64_t sum = 0;
    for (const Allocation& allocation : allocations)
        if (allocation.live_range.first < step && step < allocation.live_range.last) sum += allocation.size;
    return sum;
}

} // namespace gradc
