// Addresses. What programs share has its own place for ever; a program's own buffers lie where no buffer that lives at the
// same time does: largest first, in the smallest gap that fits. Programs run one after another and use the same memory.
#include "compiler/plan/members.h"
#include "compiler/plan/program_plan.h"
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace gradc {

namespace {

constexpr int64_t line = 64;

/// With room behind for a last vector that runs over.
int64_t footprint(const loop::Buffer& buffer) { return (buffer.size + 2 * line - 1) / line * line; }

struct Life { // steps of the table, inclusive
    int64_t first = INT64_MAX, last = -1;
    void touch(int64_t step) {
        first = std::min(first, step);
        last = std::max(last, step);
    }
    bool meets(const Life& other) const { return first <= other.last && other.first <= last; }
};

class Lives {
  public:
    Lives(const ProgramPlan& program, size_t buffers, int64_t batch) : program_(program), lives_(buffers) {
        Indices indices(batch);
        std::vector<bool> members(program.flat.graph.size(), false);
        for (size_t i = 0; i < members.size(); ++i)
            members[i] = program.places[i] && !is_stored_leaf(program.flat.graph, NodeId(i));
        std::vector<int64_t> open;
        for (int64_t step = 0; step < int64_t(program.table.size()); ++step) {
            const loop::Step& what = program.table[size_t(step)];
            if (what.what == loop::Step::What::loop_begin) open.push_back(step);
            if (what.what == loop::Step::What::loop_end) {
                loops_.push_back({open.back(), step});
                open.pop_back();
            }
            if (what.what == loop::Step::What::kernel) kernel(program.kernels[what.kernel], step, members, indices, batch);
        }
        for (const auto& [begin, end] : loops_) // inner loops first
            for (Life& life : lives_)
                if (life.last >= begin && life.first <= end && (life.first < begin || life.last > end)) {
                    life.touch(begin);
                    life.touch(end);
                }
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
    void kernel(const FusedKernel& kernel, int64_t step, const std::vector<bool>& members, Indices& indices,
                int64_t batch) {
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members) {
                for (const Storage& place : member.stores) lives_[place.buffer].touch(step);
                if (member.from) {
                    lives_[member.from->buffer].touch(step);
                    continue;
                }
                Candidate c = analyse(program_.flat, members, member.node, member.copies, kernel.region, indices, batch);
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
    std::vector<std::pair<int64_t, int64_t>> loops_;
    std::set<std::pair<int64_t, size_t>> scattered_;
};

/// Buffers that take over another's memory: made, element for element, by the kernel that reads the other for the last
/// time. By buffer: whose memory it lies in (itself, or the first of a chain).
class Heirs {
  public:
    Heirs(const Plan& plan, const Lives& lives) : plan_(plan), lives_(lives), first_(plan.buffers.size()) {
        std::iota(first_.begin(), first_.end(), size_t(0));
        std::vector<bool> inherited(plan.buffers.size(), false);
        for (size_t heir = 0; heir < first_.size(); ++heir) {
            if (!own(heir)) continue;
            for (size_t old = 0; old < first_.size(); ++old) {
                if (old == heir || inherited[old] || !own(old) || !fits(old, heir)) continue;
                inherited[old] = true;
                first_[heir] = old;
                break;
            }
        }
    }
    size_t first(size_t buffer) const {
        while (first_[buffer] != buffer) buffer = first_[buffer];
        return buffer;
    }

  private:
    bool own(size_t buffer) const {
        return plan_.buffers[buffer].role == loop::Buffer::Role::activation && lives_[buffer].last >= 0;
    }
    bool fits(size_t old, size_t heir) const {
        const loop::Buffer &a = plan_.buffers[old], &b = plan_.buffers[heir];
        int64_t step = lives_[old].last;
        return step == lives_[heir].first && lives_[old].first < step && step < lives_[heir].last &&
               a.element == b.element && a.shape == b.shape && a.strides == b.strides && a.panel == b.panel &&
               lives_.read_in_place(step, old);
    }

    const Plan& plan_;
    const Lives& lives_;
    std::vector<size_t> first_;
};

/// Best fit: the smallest gap between those already placed that live at the same time.
int64_t find_offset(std::vector<std::pair<int64_t, int64_t>> taken, int64_t size, int64_t base) {
    std::sort(taken.begin(), taken.end());
    int64_t at = base, best = -1, best_gap = INT64_MAX;
    for (auto [begin, end] : taken) {
        if (begin - at >= size && begin - at < best_gap) {
            best = at;
            best_gap = begin - at;
        }
        at = std::max(at, end);
    }
    return best >= 0 ? best : at;
}

int64_t& part(MemoryParts& parts, loop::Buffer::Role role) {
    switch (role) {
    case loop::Buffer::Role::variable: return parts.variables;
    case loop::Buffer::Role::field:
    case loop::Buffer::Role::scalar: return parts.fields;
    case loop::Buffer::Role::output: return parts.results;
    default: return parts.constants;
    }
}

/// Largest first, each where no other lies that lives at the same time.
void place(Plan& plan, const std::map<size_t, Life>& lives, int64_t base) {
    std::vector<size_t> order;
    for (const auto& [buffer, life] : lives) order.push_back(buffer);
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return plan.buffers[a].size > plan.buffers[b].size; });
    for (size_t i = 0; i < order.size(); ++i) {
        std::vector<std::pair<int64_t, int64_t>> taken;
        for (size_t j = 0; j < i; ++j)
            if (const loop::Buffer& other = plan.buffers[order[j]]; lives.at(order[i]).meets(lives.at(order[j])))
                taken.push_back({other.offset, other.offset + footprint(other)});
        loop::Buffer& buffer = plan.buffers[order[i]];
        buffer.offset = find_offset(std::move(taken), footprint(buffer), base);
    }
}

} // namespace

void assign_memory(Plan& plan, const PlanOptions& options) {
    int64_t end = 0;
    for (loop::Buffer& buffer : plan.buffers) {
        if (buffer.role == loop::Buffer::Role::activation) continue;
        buffer.offset = end;
        end += footprint(buffer);
        part(plan.parts, buffer.role) += footprint(buffer);
    }
    int64_t base = end;
    for (const ProgramPlan& program : plan.programs) {
        Lives lives(program, plan.buffers.size(), plan.batch);
        if (!options.fuse) lives.never_end();
        Heirs heirs(plan, lives);
        std::map<size_t, Life> shared; // by the first buffer of a chain
        for (size_t i = 0; i < plan.buffers.size(); ++i)
            if (plan.buffers[i].role == loop::Buffer::Role::activation && lives[i].last >= 0) {
                shared[heirs.first(i)].touch(lives[i].first);
                shared[heirs.first(i)].touch(lives[i].last);
            }
        place(plan, shared, base);
        for (size_t i = 0; i < plan.buffers.size(); ++i)
            if (size_t first = heirs.first(i); first != i) plan.buffers[i].offset = plan.buffers[first].offset;
        for (auto [i, life] : shared) end = std::max(end, plan.buffers[i].offset + footprint(plan.buffers[i]));
    }
    plan.parts.activations = end - base;
    plan.arena_bytes = end;
}

} // namespace gradc
