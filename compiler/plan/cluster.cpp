// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Greedy fusion on a graph of units (clusters and inner loops), in three passes: kernels with the same space
// (epilogues, optimizers), then kernels with the same leading axes (rows), then tiny kernels.
#include "compiler/plan/cluster.h"
#include "compiler/plan/operands.h"
#include "compiler/plan/units.h"
#include <algorithm>

namespace gradc {

namespace {

constexpr int64_t tiny = 4096; // element computations; a kernel with fewer is fused with another where possible
constexpr size_t most_members = 48;
constexpr size_t most_neighbours = 64; // tiny kernels without axes that each is tried with

double work(const Graph& graph, const Candidate& c, int64_t batch) {
    double result = double(count(graph.type(c.node).shape, batch));
    if (is_reduction(graph, c.node)) result *= double(count(reduced_sizes(graph, c.node), batch));
    return result;
}

bool starts_with(const Position& at, const Position& axes, size_t rank) {
    return at.size() >= rank && axes.size() >= rank && std::equal(axes.begin(), axes.begin() + long(rank), at.begin());
}

class Fusion {
public:
    Fusion(const Flat& flat, std::vector<Candidate> candidates, const FusionOptions& options)
        : flat_(flat), options_(options) {
        result_.candidates = std::move(candidates);
        for (size_t i = 0; i < result_.candidates.size(); ++i) add(i);
        for (size_t i = 0; i < result_.candidates.size(); ++i)
            if (!result_.candidates[i].copies) candidate_of_[result_.candidates[i].node] = i;
    }

    Clustering run() {
        if (options_.fuse) {
            RegionIndex regions(flat_, result_.candidates);
            for (size_t region = 0; region < flat_.regions.size(); ++region) fuse(regions, int(region));
        }
        drop_empty();
        return std::move(result_);
    }

private:
    enum class Way { same_space, rows, small };
    using Links = std::vector<std::pair<const Candidate*, const Read*>>; // reads of one cluster by another

    void add(size_t i) {
        Candidate& c = result_.candidates[i];
        const Type& type = flat_.graph.type(c.node);
        Cluster single{{i}, type.rank(), type.shape};
        Op op = c.copies ? Op::constant : flat_.graph[c.node].op;
        work_.push_back(work(flat_.graph, c, options_.batch));
        single.product = op == Op::contract && !c.along && work_[i] >= smallest_product;
        single.product |= op == Op::contract && work_[i] >= 16 * smallest_product && !type.shape.empty();
        c.along = c.along && !single.product; // tiles sum inside; the epilogue belongs to the same stage
        single.alone = op == Op::scatter && !is_sparse_sum(flat_.graph, c.node);
        single.region = c.region;
        single.late = options_.late[i];
        result_.clusters.push_back(std::move(single));
        result_.cluster_of.push_back(i);
    }

    void fuse(const RegionIndex& regions, int region) {
        Units units(flat_, result_, regions, region);
        UnitGraph paths(units.next);
        units_ = &units, paths_ = &paths;
        scalars_.clear();
        for (size_t c : units.clusters)
            if (result_.clusters[c].rank == 0) scalars_.insert(c);
        for (Way way : {Way::same_space, Way::rows, Way::small})
            for (size_t c : units.clusters)
                while (join_one(c, way)) {
                }
        result_.steps += paths.steps();
    }

    /// Joins the cluster with one it reads from, products first. False if there is none.
    bool join_one(size_t reader, Way way) {
        if (result_.clusters[reader].members.empty()) return false;
        std::map<size_t, Links> producers;
        for (size_t m : result_.clusters[reader].members)
            for (const Read& read : result_.candidates[m].reads) {
                ++result_.steps;
                if (auto found = candidate_of_.find(read.node); found != candidate_of_.end())
                    producers[result_.cluster_of[found->second]].push_back({&result_.candidates[m], &read});
            }
        if (way == Way::small) add_neighbours(reader, producers);
        std::vector<size_t> order;
        for (auto each = producers.rbegin(); each != producers.rend(); ++each) order.push_back(each->first);
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return result_.clusters[a].product > result_.clusters[b].product; });
        for (size_t producer : order)
            if (producer != reader && try_join(producer, reader, producers.at(producer), way)) return true;
        return false;
    }

    /// Other tiny kernels of the region without axes: they read nothing of each other.
    void add_neighbours(size_t reader, std::map<size_t, Links>& producers) const {
        auto other = scalars_.find(reader);
        if (other == scalars_.end()) return;
        for (size_t i = 0; i < most_neighbours && other != scalars_.begin(); ++i) producers[*--other];
    }

    bool try_join(size_t producer, size_t reader, const Links& links, Way way) {
        const Cluster &p = result_.clusters[producer], &r = result_.clusters[reader];
        if (p.region != r.region || p.alone || r.alone || r.product) return false;
        if (p.members.size() + r.members.size() > most_members) return false;
        if ((p.late && early(r)) || (r.late && early(p))) return false;
        int rank = common_rank(p, r, links);
        bool same = p.space == r.space && rank == p.rank;
        if (way == Way::same_space && !same) return false;
        if (p.product && !(same && stays_simple(r))) return false;
        if (way == Way::rows && !worth_rows(p, r, rank)) return false;
        if (way == Way::small && total_work(p) + total_work(r) > tiny) return false;
        if (way == Way::small && wastes_lanes(p, r, rank)) rank = 0;
        if (paths_->path_around(unit(producer), unit(reader))) return false;
        join(producer, reader, rank);
        return true;
    }

    bool early(const Cluster& c) const {
        return std::any_of(c.members.begin(), c.members.end(), [&](size_t m) { return options_.early[m]; });
    }
    double total_work(const Cluster& c) const {
        double sum = 0;
        for (size_t m : c.members) sum += work_[m];
        return sum;
    }
    /// The epilogue of a product is computed point by point.
    bool stays_simple(const Cluster& c) const {
        return std::all_of(c.members.begin(), c.members.end(), [&](size_t m) {
            return !is_reduction(flat_.graph, result_.candidates[m].node) || result_.candidates[m].copies;
        });
    }
    bool worth_rows(const Cluster& p, const Cluster& r, int rank) const {
        if (rank == 0 || sums_below(p, rank) || sums_below(r, rank)) return false;
        if (wastes_lanes(p, r, rank)) return false;
        return p.space[0] == rows || points(p, rank) >= 16 || total_work(p) + total_work(r) <= tiny;
    }

    int64_t points(const Cluster& c, int rank) const {
        return count(Shape(c.space.begin(), c.space.begin() + rank), options_.batch);
    }

    /// True if fusion would leave inner loops too short to fill a vector, where the loops of the separate kernels run
    /// over all points.
    bool wastes_lanes(const Cluster& p, const Cluster& r, int rank) const {
        return rank > 0 && points(p, rank) >= 16 && (short_loops(p, rank) || short_loops(r, rank));
    }
    bool short_loops(const Cluster& c, int rank) const {
        constexpr int64_t half_a_vector = 8;
        int64_t longest = 0; // 0: no loops below the space
        for (size_t m : c.members) {
            const Shape& shape = flat_.graph.type(result_.candidates[m].node).shape;
            if (int(shape.size()) > rank)
                longest = std::max(longest, count(Shape(shape.begin() + rank, shape.end()), options_.batch));
        }
        return longest > 0 && longest < half_a_vector;
    }

    /// True if a row sum with rows longer than the space would lose its vectors.
    bool sums_below(const Cluster& c, int rank) const {
        return std::any_of(c.members.begin(), c.members.end(), [&](size_t m) {
            return result_.candidates[m].along && int(result_.candidates[m].axes.size()) > rank;
        });
    }

    /// Number of leading axes where each point of one cluster needs only the same point of the other.
    int common_rank(const Cluster& p, const Cluster& r, const Links& links) {
        int rank = 0;
        while (rank < std::min(p.rank, r.rank) && p.space[size_t(rank)] == r.space[size_t(rank)]) ++rank;
        result_.steps += int64_t(links.size());
        for (auto [reader, read] : links)
            while (rank > 0 && !starts_with(read->at, reader->axes, size_t(rank))) --rank;
        return rank;
    }

    size_t unit(size_t cluster) const { return units_->unit_of_cluster.at(cluster); }

    void join(size_t producer, size_t reader, int rank) {
        Cluster &p = result_.clusters[producer], &r = result_.clusters[reader];
        for (size_t m : p.members) result_.cluster_of[m] = reader;
        r.members.insert(r.members.end(), p.members.begin(), p.members.end());
        std::sort(r.members.begin(), r.members.end());
        p.members.clear();
        r.rank = rank;
        r.space.resize(size_t(rank));
        r.product |= p.product;
        r.late |= p.late;
        paths_->join(unit(producer), unit(reader));
        scalars_.erase(producer);
        if (rank == 0) scalars_.insert(reader);
    }

    void drop_empty() {
        std::vector<Cluster> kept;
        for (Cluster& c : result_.clusters) {
            if (c.members.empty()) continue;
            for (size_t m : c.members) result_.cluster_of[m] = kept.size();
            kept.push_back(std::move(c));
        }
        result_.clusters = std::move(kept);
    }

    const Flat& flat_;
    const FusionOptions& options_;
    Clustering result_;
    std::vector<double> work_; // by candidate
    std::unordered_map<NodeId, size_t> candidate_of_;
    // Of the region being fused:
    const Units* units_ = nullptr;
    UnitGraph* paths_ = nullptr;
    std::set<size_t> scalars_; // clusters without axes
};

} // namespace

Clustering cluster(const Flat& flat, std::vector<Candidate> candidates, const FusionOptions& options) {
    return Fusion(flat, std::move(candidates), options).run();
}

Position iteration(const Candidate& c, int rank) {
    Position result = c.axes;
    if (c.along && int(c.axes.size()) == rank) result.insert(result.end(), c.reduced.begin(), c.reduced.end());
    return result;
}

Shape iteration_sizes(const Flat& flat, const Candidate& c, int rank) {
    const Shape& shape = flat.graph.type(c.node).shape;
    Shape inner(shape.begin() + rank, shape.end());
    if (c.along && int(shape.size()) == rank) {
        Shape sizes = reduced_sizes(flat.graph, c.node);
        inner.insert(inner.end(), sizes.begin(), sizes.end());
    }
    return inner;
}

std::vector<size_t> stages_of(const Flat& flat, const Clustering& clustering, const Cluster& cluster) {
    std::vector<size_t> result;
    std::vector<Shape> inner_of_stage;
    std::unordered_map<NodeId, size_t> place; // node -> number in the cluster
    for (size_t m : cluster.members) {
        const Candidate& c = clustering.candidates[m];
        Shape inner = iteration_sizes(flat, c, cluster.rank);
        Position own = iteration(c, cluster.rank);
        size_t first = 0;
        for (const Read& read : c.reads) {
            auto found = place.find(read.node);
            if (found == place.end()) continue;
            const Candidate& producer = clustering.candidates[cluster.members[found->second]];
            bool sums = producer.along && int(producer.axes.size()) == cluster.rank;
            bool together = !sums && inner_of_stage[result[found->second]] == inner && read.at == own;
            first = std::max(first, result[found->second] + (together ? 0 : 1));
        }
        size_t stage = first;
        while (stage < inner_of_stage.size() && inner_of_stage[stage] != inner) ++stage;
        if (stage == inner_of_stage.size()) inner_of_stage.push_back(inner);
        if (!c.copies) place[c.node] = result.size();
        result.push_back(stage);
    }
    return result;
}

} // namespace gradc
