// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A life spans every step that touches the buffer and every loop that it enters or leaves; see lives.h.
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

class LiveRanges {
public:
    LiveRanges(const ProgramPlan& program, size_t buffers, int64_t batch) : program_(program), live_ranges_(buffers) {
        Indices indices(batch);
        std::vector<bool> members = stored_members(program);
        for (int64_t step = 0; step < int64_t(program.table.size()); ++step)
            if (program.table[size_t(step)].kind == loop::Step::Kind::kernel)
                kernel(program.kernels[program.table[size_t(step)].kernel], step, members, indices, batch);
        note_loops();
        for (LiveRange& live_range : live_ranges_)
            if (live_range.last >= 0) spread(live_range);
    }
    const LiveRange& operator[](size_t buffer) const { return live_ranges_[buffer]; }
    /// All at the same time.
    void never_end() {
        for (LiveRange& live_range : live_ranges_)
            if (live_range.last >= 0) live_range = {0, int64_t(program_.table.size())};
    }
    /// The kernel at this step reads each element of the buffer only where it computes the same element of its results.
    bool read_in_place(int64_t step, size_t buffer) const { return !scattered_.count({step, buffer}); }

private:
    struct Loop { // of the table: its steps, inclusive, and the loop around
        int64_t begin, end = -1;
        int around;
    };
    void note_loops() {
        int open = -1;
        for (int64_t step = 0; step < int64_t(program_.table.size()); ++step) {
            auto what = program_.table[size_t(step)].kind;
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
    /// Over the whole of the loops that the life enters or leaves.
    void spread(LiveRange& live_range) const {
        const LiveRange own = live_range;
        for (int64_t step : {own.first, own.last})
            for (int at = loop_of_[size_t(step)]; at >= 0; at = loops_[size_t(at)].around) {
                const Loop& loop = loops_[size_t(at)];
                if (own.first >= loop.begin && own.last <= loop.end) break; // inside, and inside all around
                live_range.touch(loop.begin);
                live_range.touch(loop.end);
            }
    }

    void kernel(const FusedKernel& kernel, int64_t step, const std::vector<bool>& members, Indices& indices,
                int64_t batch) {
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members) {
                for (const Storage& place : member.stores) live_ranges_[place.buffer].touch(step);
                if (member.from) {
                    live_ranges_[member.from->buffer].touch(step);
                    continue;
                }
                Candidate c =
                    analyse(program_.flat, members, member.node, member.copies, kernel.region, indices, batch);
                for (const Read& read : c.reads)
                    if (const auto& place = program_.places[index(read.node)]) {
                        live_ranges_[place->buffer].touch(step);
                        bool same = kernel.kind != FusedKernel::Kind::scatter && kernel.stages.size() == 1 &&
                                    stage.inner.empty() && read.at == c.axes;
                        if (!same) scattered_.insert({step, place->buffer});
                    }
            }
    }

    const ProgramPlan& program_;
    std::vector<LiveRange> live_ranges_;
    std::vector<Loop> loops_;
    std::vector<int> loop_of_; // by step: the innermost, -1 for none
    std::set<std::pair<int64_t, size_t>> scattered_;
};

/// Buffers that take over another's memory. By buffer: whose memory it lies in (itself, or the first of a chain).
class InPlace {
public:
    InPlace(const std::vector<loop::Buffer>& buffers, const LiveRanges& live_ranges)
        : buffers_(buffers), live_ranges_(live_ranges), first_(buffers.size()) {
        std::iota(first_.begin(), first_.end(), size_t(0));
        std::unordered_map<int64_t, std::vector<size_t>> ending; // buffers, by the last step of their lives
        for (size_t old = 0; old < first_.size(); ++old)
            if (own(old)) ending[live_ranges_[old].last].push_back(old);
        std::vector<bool> reused(buffers.size(), false);
        for (size_t later = 0; later < first_.size(); ++later) {
            if (!own(later)) continue;
            for (size_t old : ending[live_ranges_[later].first]) {
                if (old == later || reused[old] || !fits(old, later)) continue;
                reused[old] = true;
                first_[later] = old;
                break;
            }
        }
    }
    size_t first(size_t buffer) { // and halves the way there for the next
        while (first_[buffer] != buffer) buffer = first_[buffer] = first_[first_[buffer]];
        return buffer;
    }
    /// An activation of this program.
    bool own(size_t buffer) const {
        return buffers_[buffer].role == loop::Buffer::Role::activation && live_ranges_[buffer].last >= 0;
    }

private:
    bool fits(size_t old, size_t later) const {
        const loop::Buffer &a = buffers_[old], &b = buffers_[later];
        int64_t step = live_ranges_[old].last;
        return step == live_ranges_[later].first && live_ranges_[old].first < step && step < live_ranges_[later].last &&
               a.dtype == b.dtype && a.shape == b.shape && a.strides == b.strides && a.panel == b.panel &&
               live_ranges_.read_in_place(step, old);
    }

    const std::vector<loop::Buffer>& buffers_;
    const LiveRanges& live_ranges_;
    std::vector<size_t> first_;
};

} // namespace

int64_t footprint(const loop::Buffer& buffer) { return (buffer.size + 2 * line - 1) / line * line; }

std::vector<Allocation> allocations_of(const ProgramPlan& program, const std::vector<loop::Buffer>& buffers,
                                       int64_t batch, bool apart) {
    LiveRanges live_ranges(program, buffers.size(), batch);
    if (apart) live_ranges.never_end();
    InPlace in_place(buffers, live_ranges);
    std::map<size_t, Allocation> allocations; // by the first buffer of a chain
    for (size_t i = 0; i < buffers.size(); ++i) {
        if (!in_place.own(i)) continue;
        Allocation& allocation = allocations[in_place.first(i)];
        allocation.buffers.push_back(i);
        allocation.size = std::max(allocation.size, footprint(buffers[i]));
        allocation.live_range.touch(live_ranges[i].first);
        allocation.live_range.touch(live_ranges[i].last);
    }
    std::vector<Allocation> result;
    for (auto& [first, allocation] : allocations) result.push_back(std::move(allocation));
    return result;
}

int64_t largest_cut(const std::vector<Allocation>& allocations) {
    std::map<int64_t, int64_t> change; // bytes, by step
    for (const Allocation& allocation : allocations) {
        change[allocation.live_range.first] += allocation.size;
        change[allocation.live_range.last + 1] -= allocation.size;
    }
    int64_t now = 0, most = 0;
    for (auto [step, bytes] : change) most = std::max(most, now += bytes);
    return most;
}

int64_t across(const std::vector<Allocation>& allocations, int64_t step) {
    int64_t sum = 0;
    for (const Allocation& allocation : allocations)
        if (allocation.live_range.first < step && step < allocation.live_range.last) sum += allocation.size;
    return sum;
}

} // namespace gradc
