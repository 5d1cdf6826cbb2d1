// Addresses. What programs share has its own place for ever; a program's own buffers lie where no buffer that lives at the
// same time does: largest first, in the smallest gap that fits. Programs run one after another and use the same memory.
#include "compiler/plan/members.h"
#include "compiler/plan/program_plan.h"
#include <algorithm>
#include <numeric>

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
                    if (const auto& place = program_.places[index(read.node)]) lives_[place->buffer].touch(step);
            }
    }

    const ProgramPlan& program_;
    std::vector<Life> lives_;
    std::vector<std::pair<int64_t, int64_t>> loops_;
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

} // namespace

void assign_memory(Plan& plan) {
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
        std::vector<size_t> order;
        for (size_t i = 0; i < plan.buffers.size(); ++i)
            if (plan.buffers[i].role == loop::Buffer::Role::activation && lives[i].last >= 0) order.push_back(i);
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return plan.buffers[a].size > plan.buffers[b].size; });
        for (size_t i = 0; i < order.size(); ++i) {
            std::vector<std::pair<int64_t, int64_t>> taken;
            for (size_t j = 0; j < i; ++j)
                if (const loop::Buffer& other = plan.buffers[order[j]]; lives[order[i]].meets(lives[order[j]]))
                    taken.push_back({other.offset, other.offset + footprint(other)});
            loop::Buffer& buffer = plan.buffers[order[i]];
            buffer.offset = find_offset(std::move(taken), footprint(buffer), base);
            end = std::max(end, buffer.offset + footprint(buffer));
        }
    }
    plan.parts.activations = end - base;
    plan.arena_bytes = end;
}

} // namespace gradc
