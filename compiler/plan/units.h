// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A region as a graph of units: its clusters, and the loops inside it, each as a whole. Edges lead from what must
// run first. Units are joined and edges added one by one, and after each it must be known at once whether a way
// leads from one unit to another: so each unit has a level, edges lead to higher ones, and a search looks only at
// what lies between, from both ends, up to a number of steps that does not grow with the program.
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
    /// The unit that a region lies in, or a cluster does; none where that is outside.
    std::optional<size_t> around(const Flat&, int inner) const;
    std::optional<size_t> around(const Flat&, const Clustering&, size_t cluster) const;
};

/// Without cycles, always.
class UnitGraph {
public:
    explicit UnitGraph(const std::vector<std::set<size_t>>& next);

    /// A way from one to the other; true as well where none was found within the bound.
    bool may_reach(size_t from, size_t to) { return search(from, to, false); }
    /// The same through a third unit, in either direction.
    bool way_around(size_t a, size_t b);
    /// `after` must not reach `before`.
    void add(size_t before, size_t after);
    /// `gone` becomes part of `kept`; right after way_around said that there is none.
    void join(size_t gone, size_t kept);
    int64_t steps() const { return steps_; } // edges looked at so far

private:
    using Edges = std::vector<std::set<size_t>>;
    struct Side;
    static constexpr size_t no_unit = SIZE_MAX;
    bool search(size_t from, size_t to, bool third);
    size_t whole(size_t unit); // what it is part of by now
    void move(const Edges& edges, size_t unit, int64_t level, int direction);

    Edges next_, previous_;
    std::vector<int64_t> level_;
    std::vector<uint64_t> met_[2]; // by unit: the search that met it from either end
    uint64_t searches_ = 0;
    bool ahead_ = true;        // the last search saw all that lies between from its start; else from its end
    size_t witness_ = no_unit; // a third unit on the way that it found
    std::map<std::pair<size_t, size_t>, size_t> witnesses_; // of ways around: as long as it stands apart there is one
    std::vector<size_t> part_of_;
    int64_t steps_ = 0;
};

} // namespace gradc
