// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order of kernels: a topological order, either the first ready unit first, or the unit that frees most memory
// first if that lowers the peak. Ready units are kept in ordered sets. The key of a unit changes only when a buffer
// that it accesses becomes live or has one reader left.
#include "compiler/plan/kernel_name.h"
#include "compiler/plan/units.h"
#include "compiler/util/check.h"
#include <algorithm>

namespace gradc {

namespace {

/// By buffer of the program: the innermost region that contains all its accesses. No order inside a smaller region
/// frees it.
class Homes {
public:
    Homes(const Draft& draft, const Buffers& buffers) : draft_(draft), buffers_(buffers) {
        for (size_t c = 0; c < draft.clustering.candidates.size(); ++c)
            for (loop::BufferId buffer : touched(c)) {
                int region = draft.clustering.candidates[c].region;
                auto [known, fresh] = home_.emplace(buffer, region);
                if (!fresh) known->second = common(known->second, region);
            }
    }
    bool inside(loop::BufferId buffer, int region) const { return common(home_.at(buffer), region) == region; }

    /// The buffers that a candidate reads and writes.
    std::set<loop::BufferId> touched(size_t candidate) const {
        std::set<loop::BufferId> result;
        auto touch = [&](const Storage& place) {
            if (buffers_.role(place.buffer) == loop::Buffer::Role::activation) result.insert(place.buffer);
        };
        for (const Storage& place : draft_.stores[candidate]) touch(place);
        if (candidate < draft_.from.size() && draft_.from[candidate]) {
            touch(*draft_.from[candidate]);
            return result;
        }
        for (const Read& read : draft_.clustering.candidates[candidate].reads)
            if (const auto& place = draft_.plan.places[index(read.node)]) touch(*place);
        return result;
    }

private:
    int common(int a, int b) const {
        const auto& regions = draft_.plan.flat.regions;
        while (a != b) {
            int& deeper = regions[size_t(a)].depth >= regions[size_t(b)].depth ? a : b;
            deeper = regions[size_t(deeper)].parent;
        }
        return a;
    }

    const Draft& draft_;
    const Buffers& buffers_;
    std::unordered_map<loop::BufferId, int> home_;
};

/// Accesses of the units of one region to buffers that nothing outside of it accesses.
struct Traffic {
    std::vector<int64_t> sizes;               // bytes, by buffer; the numbers are local
    std::vector<std::vector<size_t>> users;   // units, by buffer
    std::vector<std::vector<size_t>> touched; // buffers, by unit

    Traffic(const Draft& draft, const Units& units, const RegionIndex& regions, int region, const Homes& homes,
            const Buffers& buffers)
        : touched(units.size()) {
        std::vector<std::set<loop::BufferId>> by_unit(units.size());
        for (size_t c : regions.candidates[size_t(region)]) {
            size_t unit = *units.around(draft.plan.flat, draft.clustering, draft.clustering.cluster_of[c]);
            for (loop::BufferId buffer : homes.touched(c))
                if (homes.inside(buffer, region)) by_unit[unit].insert(buffer);
        }
        std::unordered_map<loop::BufferId, size_t> number;
        for (size_t unit = 0; unit < by_unit.size(); ++unit)
            for (loop::BufferId buffer : by_unit[unit]) {
                auto [known, fresh] = number.emplace(buffer, sizes.size());
                if (fresh) sizes.push_back(buffers.size(buffer)), users.emplace_back();
                users[known->second].push_back(unit);
                touched[unit].push_back(known->second);
            }
    }
};

/// The ready units of one region. `lean`: the unit that leaves the fewest live bytes goes first; otherwise the first
/// ready one. Units that the loss needs always go first, so that the loss is tested early.
class Queue {
public:
    Queue(const Traffic& traffic, const std::vector<NodeId>& rank, const std::vector<bool>& early, bool lean)
        : traffic_(traffic), rank_(rank), early_(early), lean_(lean), growth_(rank.size(), 0),
          ready_(rank.size(), false), ran_(rank.size(), false), live_(traffic.sizes.size(), false) {
        for (const auto& users : traffic.users) left_.push_back(users.size());
        for (size_t unit = 0; unit < rank.size(); ++unit)
            for (size_t buffer : traffic.touched[unit])
                if (left_[buffer] > 1) growth_[unit] += traffic.sizes[buffer];
    }
    bool empty() const { return waiting_[0].empty() && waiting_[1].empty(); }
    void insert(size_t unit) {
        ready_[unit] = true;
        waiting_[early_[unit]].insert(key(unit));
        ++steps;
    }
    size_t take() {
        size_t unit = std::get<2>(*waiting_[!waiting_[1].empty()].begin());
        waiting_[early_[unit]].erase(key(unit));
        ready_[unit] = false;
        run(unit);
        return unit;
    }
    int64_t most = 0;  // peak of live bytes
    int64_t steps = 0; // elementary steps

private:
    using Key = std::tuple<int64_t, NodeId, size_t>;
    Key key(size_t unit) const { return {lean_ ? growth_[unit] : 0, rank_[unit], unit}; }

    void run(size_t unit) {
        ran_[unit] = true;
        for (size_t buffer : traffic_.touched[unit]) {
            ++steps;
            if (live_[buffer]) continue;
            live_[buffer] = true;
            bytes_ += traffic_.sizes[buffer];
            shrink_users(buffer);
        }
        most = std::max(most, bytes_);
        for (size_t buffer : traffic_.touched[unit]) {
            if (--left_[buffer] == 0) bytes_ -= traffic_.sizes[buffer];
            if (left_[buffer] == 1) shrink_users(buffer); // the last reader will free it
        }
    }
    void shrink_users(size_t buffer) {
        for (size_t user : traffic_.users[buffer]) {
            ++steps;
            if (ran_[user]) continue;
            if (ready_[user]) waiting_[early_[user]].erase(key(user));
            growth_[user] -= traffic_.sizes[buffer];
            if (ready_[user]) waiting_[early_[user]].insert(key(user));
        }
    }

    const Traffic& traffic_;
    const std::vector<NodeId>& rank_;
    const std::vector<bool>& early_;
    bool lean_;
    std::vector<int64_t> growth_; // bytes that become live at the unit, minus those that it frees
    std::vector<bool> ready_, ran_;
    std::vector<bool> live_;   // by buffer
    std::vector<size_t> left_; // remaining users, by buffer
    std::set<Key> waiting_[2]; // 1: units that the loss needs
    int64_t bytes_ = 0;
};

/// Emits the kernels and the table of a region, in a topological order of its units.
class Emission {
public:
    Emission(Draft& draft, const Buffers& buffers, bool lean)
        : draft_(draft), buffers_(buffers), lean_(lean), regions_(draft.plan.flat, draft.clustering.candidates),
          homes_(draft, buffers), names_(draft, buffers) {}

    void region(int number) {
        Units units(draft_.plan.flat, draft_.clustering, regions_, number);
        for (auto [before, after] : draft_.first[size_t(number)]) {
            auto a = around(units, before), b = around(units, after);
            if (a && b && *a != *b) units.next[*a].insert(*b);
        }
        std::vector<NodeId> rank;
        std::vector<bool> early(units.size(), false);
        for (size_t unit = 0; unit < units.size(); ++unit) rank.push_back(rank_of(units, unit));
        if (number == 0)
            for (size_t c : regions_.candidates[0])
                if (draft_.early[c]) early[*around(units, draft_.clustering.cluster_of[c])] = true;
        Traffic traffic(draft_, units, regions_, number, homes_, buffers_);
        Sequence sequence = in_order(units, Queue(traffic, rank, early, false), early, number),
                 lean = in_order(units, Queue(traffic, rank, early, true), early, number);
        if (lean_ || lean.most < sequence.most) sequence = std::move(lean);
        check(sequence.units.size() == units.size(), "plan", "kernels of " + draft_.plan.name + " wait for each other");
        auto early_left = std::count(early.begin(), early.end(), true);
        for (size_t unit : sequence.units) {
            emit(units, unit);
            if (number == 0 && draft_.guarded && early[unit] && --early_left == 0)
                draft_.plan.table.push_back({loop::Step::Kind::guard});
        }
    }

private:
    struct Sequence {
        std::vector<size_t> units;
        int64_t most = 0; // bytes
    };

    std::optional<size_t> around(const Units& units, size_t cluster) const {
        return units.around(draft_.plan.flat, draft_.clustering, cluster);
    }

    Sequence in_order(const Units& units, Queue queue, const std::vector<bool>& early, int region) {
        std::vector<int> missing(units.size(), 0);
        for (const auto& next : units.next)
            for (size_t unit : next) ++missing[unit];
        std::vector<size_t> guarded; // units that wait for the test of the loss
        auto early_left = std::count(early.begin(), early.end(), true);
        if (region == 0 && early_left > 0)
            for (size_t cluster : draft_.after_guard) guarded.push_back(*around(units, cluster));
        for (size_t unit : guarded) ++missing[unit];
        for (size_t unit = 0; unit < missing.size(); ++unit)
            if (missing[unit] == 0) queue.insert(unit);
        Sequence result;
        auto release = [&](size_t unit) {
            if (--missing[unit] == 0) queue.insert(unit);
        };
        while (!queue.empty()) {
            size_t unit = queue.take();
            result.units.push_back(unit);
            for (size_t next : units.next[unit]) release(next);
            if (early[unit] && --early_left == 0)
                for (size_t each : guarded) release(each);
        }
        result.most = queue.most;
        draft_.plan.steps += queue.steps;
        return result;
    }

    NodeId rank_of(const Units& units, size_t unit) const {
        const auto& candidates = draft_.clustering.candidates;
        if (!units.is_loop(unit))
            return candidates[draft_.clustering.clusters[units.clusters[unit]].members.back()].node;
        NodeId first = NodeId::none;
        for (size_t c : regions_.candidates[size_t(units.loop(unit))])
            if (candidates[c].region == units.loop(unit)) first = std::min(first, candidates[c].node);
        return first;
    }

    void emit(const Units& units, size_t unit) {
        if (!units.is_loop(unit)) {
            draft_.plan.table.push_back({loop::Step::Kind::kernel, uint32_t(draft_.plan.kernels.size())});
            draft_.plan.kernels.push_back(kernel(units.clusters[unit]));
            return;
        }
        int loop = units.loop(unit);
        const Region& r = draft_.plan.flat.regions[size_t(loop)];
        draft_.plan.table.push_back({loop::Step::Kind::loop_begin, 0, r.iterations, r.reverse});
        region(loop);
        draft_.plan.table.push_back({loop::Step::Kind::loop_end});
    }

    FusedKernel kernel(size_t number) {
        const Cluster& cluster = draft_.clustering.clusters[number];
        FusedKernel result;
        result.kind = cluster.product ? FusedKernel::Kind::product
                      : cluster.alone ? FusedKernel::Kind::scatter
                                      : FusedKernel::Kind::nest;
        result.region = cluster.region;
        result.space = cluster.space;
        const auto& stages = draft_.stages[number];
        for (size_t i = 0; i < cluster.members.size(); ++i) {
            size_t m = cluster.members[i];
            const Candidate& c = draft_.clustering.candidates[m];
            if (stages[i] >= result.stages.size()) result.stages.resize(stages[i] + 1);
            Stage& stage = result.stages[stages[i]];
            stage.inner = iteration_sizes(draft_.plan.flat, c, cluster.rank);
            stage.members.push_back(
                {c.node, c.copies, draft_.stores[m], m < draft_.from.size() ? draft_.from[m] : std::nullopt});
        }
        result.name = names_.name(result, cluster.members);
        return result;
    }

    Draft& draft_;
    const Buffers& buffers_;
    bool lean_;
    RegionIndex regions_;
    Homes homes_;
    KernelNames names_;
};

} // namespace

void order_kernels(Draft& draft, const Buffers& buffers, bool lean) { Emission(draft, buffers, lean).region(0); }

} // namespace gradc
