// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A region as a graph of units: its clusters and its inner loops. An edge leads from a unit to one that must run later.
// Units are joined and edges are added one by one. After each change fusion asks whether a path joins two units. So
// each unit has a level, and edges lead to higher levels. A search looks only at units between the two levels, from
// both ends, with a bound of steps that does not grow with the program.
#pragma once
#include "compiler/plan/cluster.h"
#include <map>
#include <set>

namespace gradc {

/// By region: its candidates and those of the loops inside it, ascending; the loops that stand in it directly.
struct RegionIndex {
    std::vector<std::vector<size_t>> candidates;
    std::vector<std::vector<int>> loops;

    RegionIndex(const Flat&, const std::vector<Candidate>&);
};

/// The units of one region and the edges between them.
struct Units {
    std::vector<size_t> clusters;       // unit -> cluster, ascending, for the first of them
    std::vector<int> loops;             // then loops
    std::vector<std::set<size_t>> next; // unit -> units that read it
    std::unordered_map<size_t, size_t> unit_of_cluster;
    std::unordered_map<int, size_t> unit_of_loop;

    Units(const Flat&, const Clustering&, const RegionIndex&, int region);
    size_t size() const { return clusters.size() + loops.size(); }
    bool is_loop(size_t unit) const { return unit >= clusters.size(); }
    int loop(size_t unit) const { return loops[unit - clusters.size()]; }
    /// The unit that contains a region or a cluster; nullopt if it is outside of this region.
    std::optional<size_t> around(const Flat&, int inner) const;
    std::optional<size_t> around(const Flat&, const Clustering&, size_t cluster) const;
};

/// A directed acyclic graph of units that answers questions about paths while it changes.
class UnitGraph {
public:
    explicit UnitGraph(const std::vector<std::set<size_t>>& next);

    /// True if there is a path, or if the search reached its bound before it knew.
    bool may_reach(size_t from, size_t to) { return search(from, to, false); }
    /// The same for a path through a third unit, in either direction.
    bool path_around(size_t a, size_t b);
    /// Adds an edge. There must be no path from `after` to `before`.
    void add(size_t before, size_t after);
    /// `gone` becomes part of `kept`. To be called right after path_around returned false for the two.
    void join(size_t gone, size_t kept);
    int64_t steps() const { return steps_; } // edges followed so far

private:
    using Edges = std::vector<std::set<size_t>>;
    struct Side;
    static constexpr size_t no_unit = SIZE_MAX;
    bool search(size_t from, size_t to, bool third);
    size_t whole(size_t unit); // the unit that it was joined into
    void move(const Edges& edges, size_t unit, int64_t level, int direction);

    Edges next_, previous_;
    std::vector<int64_t> level_;
    std::vector<uint64_t> met_[2]; // by unit: the search that met it from either end
    uint64_t searches_ = 0;
    bool ahead_ = true;        // the last search saw everything between from its start; else from its end
    size_t witness_ = no_unit; // a third unit on the path that it found
    std::map<std::pair<size_t, size_t>, size_t> witnesses_; // of paths around: valid until the unit is joined
    std::vector<size_t> part_of_;
    int64_t steps_ = 0;
};

} // namespace gradc
