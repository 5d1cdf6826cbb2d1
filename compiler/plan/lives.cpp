// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A life spans every step that touches the buffer and every loop that it enters or leaves; see lives.h.
#include "compiler/plan/lives.h"
#include "compiler/plan/members.h"
#include "compiler/plan/program_plan.h"
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace gradc {

namespace {

constexpr int64_t line = 64;

class Lives {
public:
    Lives(const ProgramPlan& program, size_t buffers, int64_t batch) : program_(program), lives_(buffers) {
        Indices indices(batch);
        std::vector<bool> members = stored_members(program);
        for (int64_t step = 0; step < int64_t(program.table.size()); ++step)
            if (program.table[size_t(step)].what == loop::Step::What::kernel)
                kernel(program.kernels[program.table[size_t(step)].kernel], step, members, indices, batch);
        note_loops();
        for (Life& life : lives_)
            if (life.last >= 0) spread(life);
    }
    const Life& operator[](size_t buffer) const { return lives_[buffer]; }
    /// All at the same time.
    void never_end() {
        for (Life& life : lives_)
            if (life.last >= 0) life = {0, int64_t(program_.table.size())};
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
            auto what = program_.table[size_t(step)].what;
            if (what == loop::Step::What::loop_begin) {
                loops_.push_back({step, -1, open});
                open = int(loops_.size()) - 1;
            }
            loop_of_.push_back(open);
            if (what == loop::Step::What::loop_end) {
                loops_[size_t(open)].end = step;
                open = loops_[size_t(open)].around;
            }
        }
    }
    /// Over the whole of the loops that the life enters or leaves.
    void spread(Life& life) const {
        const Life own = life;
        for (int64_t step : {own.first, own.last})
            for (int at = loop_of_[size_t(step)]; at >= 0; at = loops_[size_t(at)].around) {
                const Loop& loop = loops_[size_t(at)];
                if (own.first >= loop.begin && own.last <= loop.end) break; // inside, and inside all around
                life.touch(loop.begin);
                life.touch(loop.end);
            }
    }

    void kernel(const FusedKernel& kernel, int64_t step, const std::vector<bool>& members, Indices& indices,
                int64_t batch) {
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members) {
                for (const Storage& place : member.stores) lives_[place.buffer].touch(step);
                if (member.from) {
                    lives_[member.from->buffer].touch(step);
                    continue;
                }
                Candidate c =
                    analyse(program_.flat, members, member.node, member.copies, kernel.region, indices, batch);
                for (const Read& read : c.reads)
                    if (const auto& place = program_.places[index(read.node)]) {
                        lives_[place->buffer].touch(step);
                        bool same = kernel.kind != FusedKernel::Kind::scatter && kernel.stages.size() == 1 &&
                                    stage.inner.empty() && read.at == c.axes;
                        if (!same) scattered_.insert({step, place->buffer});
                    }
            }
    }

    const ProgramPlan& program_;
    std::vector<Life> lives_;
    std::vector<Loop> loops_;
    std::vector<int> loop_of_; // by step: the innermost, -1 for none
    std::set<std::pair<int64_t, size_t>> scattered_;
};

/// Buffers that take over another's memory. By buffer: whose memory it lies in (itself, or the first of a chain).
class Heirs {
public:
    Heirs(const std::vector<loop::Buffer>& buffers, const Lives& lives)
        : buffers_(buffers), lives_(lives), first_(buffers.size()) {
        std::iota(first_.begin(), first_.end(), size_t(0));
        std::unordered_map<int64_t, std::vector<size_t>> ending; // buffers, by the last step of their lives
        for (size_t old = 0; old < first_.size(); ++old)
            if (own(old)) ending[lives_[old].last].push_back(old);
        std::vector<bool> inherited(buffers.size(), false);
        for (size_t heir = 0; heir < first_.size(); ++heir) {
            if (!own(heir)) continue;
            for (size_t old : ending[lives_[heir].first]) {
                if (old == heir || inherited[old] || !fits(old, heir)) continue;
                inherited[old] = true;
                first_[heir] = old;
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
        return buffers_[buffer].role == loop::Buffer::Role::activation && lives_[buffer].last >= 0;
    }

private:
    bool fits(size_t old, size_t heir) const {
        const loop::Buffer &a = buffers_[old], &b = buffers_[heir];
        int64_t step = lives_[old].last;
        return step == lives_[heir].first && lives_[old].first < step && step < lives_[heir].last &&
               a.element == b.element && a.shape == b.shape && a.strides == b.strides && a.panel == b.panel &&
               lives_.read_in_place(step, old);
    }

    const std::vector<loop::Buffer>& buffers_;
    const Lives& lives_;
    std::vector<size_t> first_;
};

} // namespace

int64_t footprint(const loop::Buffer& buffer) { return (buffer.size + 2 * line - 1) / line * line; }

std::vector<Room> rooms_of(const ProgramPlan& program, const std::vector<loop::Buffer>& buffers, int64_t batch,
                           bool apart) {
    Lives lives(program, buffers.size(), batch);
    if (apart) lives.never_end();
    Heirs heirs(buffers, lives);
    std::map<size_t, Room> rooms; // by the first buffer of a chain
    for (size_t i = 0; i < buffers.size(); ++i) {
        if (!heirs.own(i)) continue;
        Room& room = rooms[heirs.first(i)];
        room.buffers.push_back(i);
        room.size = std::max(room.size, footprint(buffers[i]));
        room.life.touch(lives[i].first);
        room.life.touch(lives[i].last);
    }
    std::vector<Room> result;
    for (auto& [first, room] : rooms) result.push_back(std::move(room));
    return result;
}

int64_t largest_cut(const std::vector<Room>& rooms) {
    std::map<int64_t, int64_t> change; // bytes, by step
    for (const Room& room : rooms) {
        change[room.life.first] += room.size;
        change[room.life.last + 1] -= room.size;
    }
    int64_t now = 0, most = 0;
    for (auto [step, bytes] : change) most = std::max(most, now += bytes);
    return most;
}

int64_t across(const std::vector<Room>& rooms, int64_t step) {
    int64_t sum = 0;
    for (const Room& room : rooms)
        if (room.life.first < step && step < room.life.last) sum += room.size;
    return sum;
}

} // namespace gradc
