// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Updates. All readers of an old value run before the kernel that overwrites it. If that is impossible, or if the
// writing kernel reads other elements of the old value, the new value goes to a buffer of its own and is copied later.
// No kernel that the loss needs writes an update, because the loss is tested before any update.
#include "compiler/plan/program_plan.h"
#include "compiler/plan/units.h"
#include <algorithm>

namespace gradc {

namespace {

size_t stage_of(const Draft& draft, size_t candidate) {
    size_t c = draft.clustering.cluster_of[candidate];
    const auto& members = draft.clustering.clusters[c].members;
    return draft.stages[c][size_t(std::lower_bound(members.begin(), members.end(), candidate) - members.begin())];
}

/// True if the writing kernel reads an old element only at the point where it writes the new one.
bool reads_in_place(const Draft& draft, const Update& update, size_t reader, const Read& read) {
    const Clustering& all = draft.clustering;
    const Candidate &writes = all.candidates[update.writer], &reads = all.candidates[reader];
    const Cluster& cluster = all.clusters[all.cluster_of[reader]];
    Position where = iteration(reads, cluster.rank);
    if (cluster.alone) return false;
    return stage_of(draft, reader) == stage_of(draft, update.writer) && read.at == where &&
           iteration(writes, cluster.rank).size() == where.size() && writes.axes.size() == where.size();
}

/// The writing kernel itself reads the old value only there and then where it writes the new one.
bool in_place(const Draft& draft, const Update& update) {
    const Clustering& all = draft.clustering;
    for (size_t m : all.clusters[all.cluster_of[update.writer]].members)
        for (const Read& read : all.candidates[m].reads)
            if (read.node == update.leaf && !reads_in_place(draft, update, m, read)) return false;
    return true;
}

/// True if the value needs no second buffer.
void store_only_there(Draft& draft, const Update& update, const Buffers& buffers) {
    const Candidate& c = draft.clustering.candidates[update.writer];
    auto& stores = draft.stores[update.writer];
    auto& place = draft.plan.places[index(c.node)];
    if (!c.copies && place && stores.front().buffer == place->buffer && place->iterations.empty() &&
        buffers.role(place->buffer) == loop::Buffer::Role::activation) {
        stores.erase(stores.begin());
        place = update.place;
    }
    stores.push_back(update.place);
}

/// The units of a region with the edges that its updates add.
struct UpdateOrder {
    Units units;
    UnitGraph ways;
    std::vector<bool> feeds_early; // by unit: something that the loss needs runs after it

    UpdateOrder(const Draft& draft, const RegionIndex& regions, int region)
        : units(draft.plan.flat, draft.clustering, regions, region), ways(units.next), feeds_early(units.size()) {
        std::vector<size_t> waiting;
        std::vector<std::set<size_t>> previous(units.size());
        for (size_t unit = 0; unit < units.size(); ++unit)
            for (size_t next : units.next[unit]) previous[next].insert(unit);
        for (size_t c : regions.candidates[size_t(region)])
            if (draft.early[c]) waiting.push_back(*around(draft, draft.clustering.cluster_of[c]));
        while (!waiting.empty()) {
            size_t unit = waiting.back();
            waiting.pop_back();
            if (feeds_early[unit]) continue;
            feeds_early[unit] = true;
            waiting.insert(waiting.end(), previous[unit].begin(), previous[unit].end());
        }
    }
    std::optional<size_t> around(const Draft& draft, size_t cluster) const {
        return units.around(draft.plan.flat, draft.clustering, cluster);
    }
};

class Updates {
public:
    Updates(Draft& draft, Buffers& buffers, Indices& indices)
        : draft_(draft), buffers_(buffers), indices_(indices), regions_(draft.plan.flat, draft.clustering.candidates) {
        for (size_t c = 0; c < draft.clustering.candidates.size(); ++c)
            for (const Read& read : draft.clustering.candidates[c].reads)
                readers_[read.node].insert(draft.clustering.cluster_of[c]);
        draft.first.resize(draft.plan.flat.regions.size());
    }

    void run() {
        for (const Update& update : draft_.updates) {
            if (!order_ || region_ != update.region) begin(update.region);
            if (write_directly(update)) store_only_there(draft_, update, buffers_);
            else copy_at_end(update);
        }
        count_steps();
    }

private:
    void begin(int region) {
        count_steps();
        order_.emplace(draft_, regions_, region);
        region_ = region;
    }
    void count_steps() {
        if (order_) draft_.plan.steps += order_->ways.steps();
    }
    bool waits(const Update& update) const { return update.variable && draft_.guarded; }

    bool write_directly(const Update& update) {
        size_t own = draft_.clustering.cluster_of[update.writer];
        size_t unit = order_->units.unit_of_cluster.at(own);
        if (!in_place(draft_, update) || (waits(update) && order_->feeds_early[unit])) return false;
        std::vector<std::pair<size_t, std::optional<size_t>>> before; // readers of the old value
        for (size_t cluster : readers_[update.leaf])
            if (cluster != own) before.push_back({cluster, order_->around(draft_, cluster)});
        for (auto [cluster, other] : before)
            if (other && order_->ways.may_reach(unit, *other)) return false;
        for (auto [cluster, other] : before) {
            draft_.first[size_t(update.region)].push_back({cluster, own});
            if (other) order_->ways.add(*other, unit);
        }
        if (waits(update)) draft_.after_guard.push_back(own);
        return true;
    }

    void copy_at_end(const Update& update) {
        Clustering& all = draft_.clustering;
        const Candidate writer = all.candidates[update.writer];
        const Type type = draft_.plan.flat.graph.type(writer.node);
        auto& place = draft_.plan.places[index(writer.node)];
        Storage waiting;
        if (place && !writer.copies) {
            waiting = *place;
        } else {
            waiting = buffers_.fresh(draft_.plan.flat.graph[writer.node].name + "_next", type);
            draft_.stores[update.writer].push_back(waiting);
            if (!writer.copies) place = waiting;
        }
        size_t candidate = all.candidates.size(), cluster = all.clusters.size();
        auto& first = draft_.first[size_t(update.region)];
        for (size_t before : readers_[update.leaf]) first.push_back({before, cluster});
        first.push_back({all.cluster_of[update.writer], cluster});
        if (waits(update)) draft_.after_guard.push_back(cluster);
        all.candidates.push_back(
            {writer.node, true, update.region, fresh_axes(type.shape, indices_), {}, false, {}, {}});
        all.clusters.push_back({{candidate}, type.rank(), type.shape, false, false, update.region, update.variable});
        all.cluster_of.push_back(cluster);
        draft_.early.push_back(false);
        draft_.stages.push_back({0});
        draft_.stores.push_back({update.place});
        draft_.from.resize(candidate + 1);
        draft_.from[candidate] = waiting;
    }

    Draft& draft_;
    Buffers& buffers_;
    Indices& indices_;
    RegionIndex regions_;
    std::unordered_map<NodeId, std::set<size_t>> readers_; // clusters, by node
    std::optional<UpdateOrder> order_;                     // of the region of the last update
    int region_ = 0;
};

} // namespace

void place_updates(Draft& draft, Buffers& buffers, Indices& indices) { Updates(draft, buffers, indices).run(); }

} // namespace gradc
