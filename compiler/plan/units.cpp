// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// At first, levels are far apart and follow a topological order. A join that needs one unit above another moves the
// units between them. These are few, as the search before the join has just found; see units.h.
#include "compiler/plan/units.h"
#include <deque>
#include <queue>

namespace gradc {

namespace {

constexpr int64_t gap = int64_t(1) << 24; // between levels at first
constexpr int64_t most_steps = 512;       // edges that a search follows

} // namespace

// ---- regions ------------------------------------------------------------------------------------------

RegionIndex::RegionIndex(const Flat& flat, const std::vector<Candidate>& all)
    : candidates(flat.regions.size()), loops(flat.regions.size()) {
    for (size_t c = 0; c < all.size(); ++c)
        for (int r = all[c].region; r >= 0; r = flat.regions[size_t(r)].parent) candidates[size_t(r)].push_back(c);
    for (size_t l = 1; l < flat.regions.size(); ++l) loops[size_t(flat.regions[l].parent)].push_back(int(l));
}

Units::Units(const Flat& flat, const Clustering& all, const RegionIndex& regions, int region)
    : loops(regions.loops[size_t(region)]) {
    const std::vector<size_t>& candidates = regions.candidates[size_t(region)];
    std::set<size_t> own;
    for (size_t c : candidates)
        if (all.candidates[c].region == region) own.insert(all.cluster_of[c]);
    clusters.assign(own.begin(), own.end());
    for (size_t u = 0; u < clusters.size(); ++u) unit_of_cluster[clusters[u]] = u;
    for (size_t l = 0; l < loops.size(); ++l) unit_of_loop[loops[l]] = clusters.size() + l;
    next.resize(size());
    std::unordered_map<NodeId, size_t> maker; // unit that computes a node
    for (size_t c : candidates)
        if (!all.candidates[c].copies) maker[all.candidates[c].node] = *around(flat, all, all.cluster_of[c]);
    for (int loop : loops) {
        for (const Carry& carry : flat.regions[size_t(loop)].carries) maker[carry.after] = unit_of_loop.at(loop);
        for (const Yield& yield : flat.regions[size_t(loop)].yields) maker[yield.stacked] = unit_of_loop.at(loop);
    }
    for (size_t c : candidates) {
        size_t unit = *around(flat, all, all.cluster_of[c]);
        for (const Read& read : all.candidates[c].reads)
            if (auto found = maker.find(read.node); found != maker.end() && found->second != unit)
                next[found->second].insert(unit);
        for (int loop : all.candidates[c].feeds)
            if (auto to = around(flat, loop); to && *to != unit) next[unit].insert(*to);
    }
}

std::optional<size_t> Units::around(const Flat& flat, int inner) const {
    for (; inner > 0; inner = flat.regions[size_t(inner)].parent)
        if (auto found = unit_of_loop.find(inner); found != unit_of_loop.end()) return found->second;
    return std::nullopt;
}

std::optional<size_t> Units::around(const Flat& flat, const Clustering& all, size_t cluster) const {
    if (auto found = unit_of_cluster.find(cluster); found != unit_of_cluster.end()) return found->second;
    return around(flat, all.clusters[cluster].region);
}

// ---- paths --------------------------------------------------------------------------------------------

UnitGraph::UnitGraph(const Edges& next) : next_(next), previous_(next.size()), level_(next.size()) {
    for (auto& met : met_) met.assign(next.size(), 0);
    for (size_t unit = 0; unit < next.size(); ++unit) part_of_.push_back(unit);
    std::vector<size_t> missing(next.size(), 0);
    for (size_t unit = 0; unit < next.size(); ++unit)
        for (size_t reader : next[unit]) previous_[reader].insert(unit), ++missing[reader];
    std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
    for (size_t unit = 0; unit < next.size(); ++unit)
        if (missing[unit] == 0) ready.push(unit);
    for (int64_t level = gap; !ready.empty(); level += gap) {
        size_t unit = ready.top();
        ready.pop();
        level_[unit] = level;
        for (size_t reader : next_[unit])
            if (--missing[reader] == 0) ready.push(reader);
    }
}

/// One end of a search: the edges that it has not followed yet, the nearest first.
struct UnitGraph::Side {
    const Edges& edges;
    std::vector<uint64_t>& met;
    std::deque<std::pair<size_t, std::set<size_t>::const_iterator>> open;

    void enter(size_t unit, uint64_t search) {
        met[unit] = search;
        open.push_back({unit, edges[unit].begin()});
    }
    /// The next edge as (from, to); nullopt if all were followed.
    std::optional<std::pair<size_t, size_t>> follow() {
        while (!open.empty()) {
            auto& [unit, edge] = open.front();
            if (edge != edges[unit].end()) return std::pair(unit, *edge++);
            open.pop_front();
        }
        return std::nullopt;
    }
};

bool UnitGraph::search(size_t from, size_t to, bool third) {
    if (level_[from] >= level_[to]) return false;
    witness_ = no_unit;
    ++searches_;
    Side sides[2] = {{next_, met_[0], {}}, {previous_, met_[1], {}}};
    sides[0].enter(from, searches_);
    sides[1].enter(to, searches_);
    for (int64_t step = 0; step < most_steps; ++step) {
        Side &own = sides[step % 2], &other = sides[1 - step % 2];
        auto edge = own.follow();
        ++steps_;
        if (!edge) {
            ahead_ = step % 2 == 0;
            return false;
        }
        auto [before, unit] = *edge;
        bool whole_way = (before == from || before == to) && (unit == from || unit == to);
        if (whole_way && third) continue;
        if (other.met[unit] == searches_) {
            witness_ = unit == from || unit == to ? before : unit;
            return true;
        }
        if (level_[unit] <= level_[from] || level_[unit] >= level_[to] || own.met[unit] == searches_) continue;
        own.enter(unit, searches_);
    }
    return true;
}

size_t UnitGraph::whole(size_t unit) {
    while (part_of_[unit] != unit) unit = part_of_[unit] = part_of_[part_of_[unit]];
    return unit;
}

bool UnitGraph::path_around(size_t a, size_t b) {
    ++steps_;
    if (level_[a] > level_[b]) std::swap(a, b);
    if (auto known = witnesses_.find({a, b}); known != witnesses_.end()) {
        size_t third = known->second == no_unit ? no_unit : whole(known->second);
        if (third != a && third != b) return true;
    }
    if (!search(a, b, true)) return false;
    witnesses_[{a, b}] = witness_;
    return true;
}

/// Moves a unit to a level, and before it the units that block it in this direction (1: up).
void UnitGraph::move(const Edges& edges, size_t unit, int64_t level, int direction) {
    std::vector<std::pair<size_t, int64_t>> waiting{{unit, level}};
    while (!waiting.empty()) {
        auto [next, wanted] = waiting.back();
        waiting.pop_back();
        ++steps_;
        if (direction * level_[next] >= direction * wanted) continue;
        level_[next] = wanted;
        for (size_t further : edges[next]) waiting.push_back({further, wanted + direction});
    }
}

void UnitGraph::add(size_t before, size_t after) {
    next_[before].insert(after);
    previous_[after].insert(before);
    move(next_, after, level_[before] + 1, 1);
}

void UnitGraph::join(size_t gone, size_t kept) {
    part_of_[gone] = kept;
    size_t low = level_[gone] < level_[kept] ? gone : kept, high = low == gone ? kept : gone;
    int64_t level = level_[ahead_ ? high : low];
    for (int side = 0; side < 2; ++side) {
        Edges &edges = side ? previous_ : next_, &back = side ? next_ : previous_;
        for (size_t unit : edges[gone]) {
            ++steps_;
            back[unit].erase(gone);
            if (unit == kept) continue;
            back[unit].insert(kept);
            edges[kept].insert(unit);
        }
        edges[gone].clear();
    }
    level_[kept] = level;
    for (size_t unit : ahead_ ? next_[kept] : previous_[kept])
        move(ahead_ ? next_ : previous_, unit, level + (ahead_ ? 1 : -1), ahead_ ? 1 : -1);
}

} // namespace gradc
