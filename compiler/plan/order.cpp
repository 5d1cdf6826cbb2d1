// Updates and order. The last reader of an old value comes before whoever overwrites it; where that is impossible, or
// where the value is read elsewhere in the writing kernel, the new value waits in a buffer of its own and is copied.
// Among the orders that respect all this, kernels stand first come first, or by
// what frees most memory, if that lowers the most that is needed at once.
#include "compiler/plan/program_plan.h"
#include "compiler/util/check.h"
#include <algorithm>

namespace gradc {

namespace {

/// The units of one region with the orders that updates add.
struct Order {
    Units units;
    std::unordered_map<size_t, size_t> unit_of_cluster;

    Order(const Draft& draft, int region) : units(units_of(draft.plan.flat, draft.clustering, region)) {
        for (size_t u = 0; u < units.clusters.size(); ++u) unit_of_cluster[units.clusters[u]] = u;
        for (auto [before, after] : draft.first) {
            auto a = around(draft, before), b = around(draft, after);
            if (a && b && *a != *b) units.next[*a].insert(*b);
        }
    }

    /// The unit of this region that a cluster lies in.
    std::optional<size_t> around(const Draft& draft, size_t cluster) const {
        if (auto found = unit_of_cluster.find(cluster); found != unit_of_cluster.end()) return found->second;
        for (int r = draft.clustering.clusters[cluster].region; r > 0; r = draft.plan.flat.regions[size_t(r)].parent)
            for (size_t l = 0; l < units.loops.size(); ++l)
                if (units.loops[l] == r) return units.clusters.size() + l;
        return std::nullopt;
    }

    bool reaches(size_t from, size_t to) const {
        std::vector<size_t> stack{from};
        std::set<size_t> seen{from};
        while (!stack.empty()) {
            size_t at = stack.back();
            stack.pop_back();
            if (at == to) return true;
            for (size_t next : units.next[at])
                if (seen.insert(next).second) stack.push_back(next);
        }
        return false;
    }
};

size_t stage_of(const Draft& draft, size_t candidate) {
    size_t c = draft.clustering.cluster_of[candidate];
    const auto& members = draft.clustering.clusters[c].members;
    return draft.stages[c][size_t(std::lower_bound(members.begin(), members.end(), candidate) - members.begin())];
}

/// Within the writing kernel: the old element is read just where the new one is written.
bool reads_in_place(const Draft& draft, const Update& update, size_t reader, const Read& read) {
    const Clustering& all = draft.clustering;
    const Candidate &writes = all.candidates[update.writer], &reads = all.candidates[reader];
    const Cluster& cluster = all.clusters[all.cluster_of[reader]];
    Position where = iteration(reads, cluster.rank);
    if (cluster.alone) return false;
    return stage_of(draft, reader) == stage_of(draft, update.writer) && read.at == where &&
           iteration(writes, cluster.rank).size() == where.size() && writes.axes.size() == where.size();
}

/// Clusters that read the old value.
std::set<size_t> readers_of(const Draft& draft, const Update& update) {
    std::set<size_t> result;
    for (size_t c = 0; c < draft.clustering.candidates.size(); ++c)
        for (const Read& read : draft.clustering.candidates[c].reads)
            if (read.node == update.leaf) result.insert(draft.clustering.cluster_of[c]);
    return result;
}

/// The writing kernel itself reads the old value only there and then where it writes the new one.
bool in_place(const Draft& draft, const Update& update) {
    const Clustering& all = draft.clustering;
    for (size_t m : all.clusters[all.cluster_of[update.writer]].members)
        for (const Read& read : all.candidates[m].reads)
            if (read.node == update.leaf && !reads_in_place(draft, update, m, read)) return false;
    return true;
}

/// The loss is tested between what it needs and the first update.
bool before_the_guard(const Draft& draft, const Update& update, size_t cluster) {
    if (!update.variable || !draft.guarded) return false;
    const auto& members = draft.clustering.clusters[cluster].members;
    return std::any_of(members.begin(), members.end(), [&](size_t m) { return draft.early[m]; });
}

/// Clusters that must run before the update.
std::set<size_t> forerunners(const Draft& draft, const Update& update) {
    std::set<size_t> result = readers_of(draft, update);
    if (update.variable && draft.guarded)
        for (size_t c = 0; c < draft.clustering.candidates.size(); ++c)
            if (draft.early[c]) result.insert(draft.clustering.cluster_of[c]);
    return result;
}

bool write_directly(Draft& draft, const Update& update) {
    size_t own = draft.clustering.cluster_of[update.writer];
    if (!in_place(draft, update) || before_the_guard(draft, update, own)) return false;
    Order order(draft, update.region);
    size_t unit = order.unit_of_cluster.at(own);
    std::set<size_t> before = forerunners(draft, update);
    before.erase(own);
    for (size_t cluster : before)
        if (auto other = order.around(draft, cluster); other && order.reaches(unit, *other)) return false;
    for (size_t cluster : before) draft.first.push_back({cluster, own});
    return true;
}

/// The value need not lie elsewhere as well.
void store_only_there(Draft& draft, const Update& update, const Buffers& buffers) {
    const Candidate& c = draft.clustering.candidates[update.writer];
    auto& stores = draft.stores[update.writer];
    auto& place = draft.plan.places[index(c.node)];
    if (!c.copies && place && stores.front().buffer == place->buffer && place->turns.empty() &&
        buffers.role(place->buffer) == loop::Buffer::Role::activation) {
        stores.erase(stores.begin());
        place = update.place;
    }
    stores.push_back(update.place);
}

void copy_at_end(Draft& draft, const Update& update, Buffers& buffers, Indices& indices) {
    Clustering& all = draft.clustering;
    const Candidate writer = all.candidates[update.writer];
    const Type type = draft.plan.flat.graph.type(writer.node);
    auto& place = draft.plan.places[index(writer.node)];
    Storage waiting;
    if (place && !writer.copies) {
        waiting = *place;
    } else {
        waiting = buffers.fresh(draft.plan.flat.graph[writer.node].name + "_next", type);
        draft.stores[update.writer].push_back(waiting);
        if (!writer.copies) place = waiting;
    }
    size_t candidate = all.candidates.size(), cluster = all.clusters.size();
    for (size_t before : forerunners(draft, update)) draft.first.push_back({before, cluster});
    draft.first.push_back({all.cluster_of[update.writer], cluster});
    all.candidates.push_back({writer.node, true, update.region, fresh_axes(type.shape, indices), {}, false, {}, {}});
    all.clusters.push_back({{candidate}, type.rank(), type.shape, false, false, update.region, update.variable});
    all.cluster_of.push_back(cluster);
    draft.early.push_back(false);
    draft.stages.push_back({0});
    draft.stores.push_back({update.place});
    draft.from.resize(candidate + 1);
    draft.from[candidate] = waiting;
}

/// What the units of one region read and write of the program's own buffers. Buffers that
/// other regions touch as well are of no account: no order within this one frees them.
class Traffic {
public:
    Traffic(const Draft& draft, const Order& order, const Buffers& buffers)
        : draft_(draft), buffers_(buffers), touched_(order.units.size()) {
        std::set<loop::BufferId> elsewhere;
        const Clustering& all = draft.clustering;
        for (size_t c = 0; c < all.clusters.size(); ++c) {
            auto unit = order.around(draft, c);
            for (size_t m : all.clusters[c].members) note(m, unit, elsewhere);
        }
        for (auto& unit : touched_)
            for (loop::BufferId buffer : elsewhere) unit.erase(buffer);
        for (const auto& unit : touched_)
            for (loop::BufferId buffer : unit) ++readers_[buffer];
    }

    /// Bytes live while units run in turn: what `unit` makes, less what it reads for the last time.
    struct Tally {
        std::map<loop::BufferId, size_t> left; // units to come, by live buffer
        int64_t live = 0, most = 0;
    };
    int64_t growth(const Tally& tally, size_t unit) const {
        int64_t bytes = 0;
        for (loop::BufferId buffer : touched_[unit]) {
            auto found = tally.left.find(buffer);
            size_t left = found == tally.left.end() ? readers_.at(buffer) : found->second;
            if (found == tally.left.end()) bytes += size(buffer);
            if (left == 1) bytes -= size(buffer);
        }
        return bytes;
    }
    void run(Tally& tally, size_t unit) const {
        for (loop::BufferId buffer : touched_[unit])
            if (tally.left.emplace(buffer, readers_.at(buffer)).second) tally.live += size(buffer);
        tally.most = std::max(tally.most, tally.live);
        for (loop::BufferId buffer : touched_[unit])
            if (--tally.left[buffer] == 0) tally.live -= size(buffer);
    }

private:
    void note(size_t candidate, std::optional<size_t> unit, std::set<loop::BufferId>& elsewhere) {
        auto touch = [&](const Storage& place) {
            if (buffers_.role(place.buffer) != loop::Buffer::Role::activation) return;
            if (unit) touched_[*unit].insert(place.buffer);
            else elsewhere.insert(place.buffer);
        };
        for (const Storage& place : draft_.stores[candidate]) touch(place);
        if (candidate < draft_.from.size() && draft_.from[candidate]) return touch(*draft_.from[candidate]);
        for (const Read& read : draft_.clustering.candidates[candidate].reads)
            if (const auto& place = draft_.plan.places[index(read.node)]) touch(*place);
    }
    int64_t size(loop::BufferId buffer) const { return buffers_.size(buffer); }

    const Draft& draft_;
    const Buffers& buffers_;
    std::vector<std::set<loop::BufferId>> touched_; // by unit
    std::map<loop::BufferId, size_t> readers_;
};

/// Emits kernels and table of a region, units in an order that respects their needs.
class Emission {
public:
    Emission(Draft& draft, const Buffers& buffers) : draft_(draft), buffers_(buffers) {}

    void region(int number) {
        Order order(draft_, number);
        Traffic traffic(draft_, order, buffers_);
        Sequence sequence = in_order(order, traffic, number, false), lean = in_order(order, traffic, number, true);
        if (lean.most < sequence.most) sequence = std::move(lean);
        check(sequence.units.size() == order.units.size(), "plan",
              "kernels of " + draft_.plan.name + " wait for each other");
        size_t early_left = number == 0 ? count_early(order) : 0;
        bool guard = number == 0 && draft_.guarded;
        for (size_t unit : sequence.units) {
            emit(order, unit);
            if (guard && is_early(order, unit) && --early_left == 0)
                draft_.plan.table.push_back({loop::Step::What::guard});
        }
    }

private:
    struct Sequence {
        std::vector<size_t> units;
        int64_t most = 0; // bytes
    };
    using Ready = std::set<std::pair<NodeId, size_t>>;

    /// First come first, or (`lean`) what leaves least behind.
    Sequence in_order(const Order& order, const Traffic& traffic, int number, bool lean) const {
        std::vector<int> missing(order.units.size(), 0);
        for (const auto& next : order.units.next)
            for (size_t unit : next) ++missing[unit];
        Ready ready;
        for (size_t u = 0; u < missing.size(); ++u)
            if (missing[u] == 0) ready.insert({rank(order, u), u});
        size_t early_left = number == 0 ? count_early(order) : 0;
        Sequence result;
        Traffic::Tally tally;
        while (!ready.empty()) {
            size_t unit = next_unit(order, ready, early_left > 0, lean ? &traffic : nullptr, tally);
            ready.erase({rank(order, unit), unit});
            result.units.push_back(unit);
            traffic.run(tally, unit);
            early_left -= early_left > 0 && is_early(order, unit);
            for (size_t next : order.units.next[unit])
                if (--missing[next] == 0) ready.insert({rank(order, next), next});
        }
        result.most = tally.most;
        return result;
    }

    /// What the loss needs goes first, so that the test stands early.
    size_t next_unit(const Order& order, const Ready& ready, bool early, const Traffic* traffic,
                     const Traffic::Tally& tally) const {
        early =
            early && std::any_of(ready.begin(), ready.end(), [&](auto each) { return is_early(order, each.second); });
        std::optional<size_t> best;
        int64_t least = 0;
        for (auto [node, unit] : ready) {
            if (early && !is_early(order, unit)) continue;
            if (!traffic) return unit;
            int64_t growth = traffic->growth(tally, unit);
            if (best && growth >= least) continue;
            best = unit;
            least = growth;
        }
        return *best;
    }

    NodeId rank(const Order& order, size_t unit) const {
        if (unit >= order.units.clusters.size()) {
            NodeId first = NodeId::none;
            int loop = order.units.loops[unit - order.units.clusters.size()];
            for (const Candidate& c : draft_.clustering.candidates)
                if (c.region == loop) first = std::min(first, c.node);
            return first;
        }
        const auto& members = draft_.clustering.clusters[order.units.clusters[unit]].members;
        return draft_.clustering.candidates[members.back()].node;
    }

    bool is_early(const Order& order, size_t unit) const {
        if (unit < order.units.clusters.size()) {
            const auto& members = draft_.clustering.clusters[order.units.clusters[unit]].members;
            return std::any_of(members.begin(), members.end(), [&](size_t m) { return draft_.early[m]; });
        }
        int loop = order.units.loops[unit - order.units.clusters.size()];
        for (size_t c = 0; c < draft_.clustering.candidates.size(); ++c)
            for (int r = draft_.clustering.candidates[c].region; r > 0; r = draft_.plan.flat.regions[size_t(r)].parent)
                if (r == loop && draft_.early[c]) return true;
        return false;
    }
    size_t count_early(const Order& order) const {
        size_t result = 0;
        for (size_t u = 0; u < order.units.size(); ++u) result += is_early(order, u);
        return result;
    }

    void emit(const Order& order, size_t unit) {
        if (unit < order.units.clusters.size()) {
            draft_.plan.table.push_back({loop::Step::What::kernel, uint32_t(draft_.plan.kernels.size())});
            draft_.plan.kernels.push_back(kernel(order.units.clusters[unit]));
            return;
        }
        int loop = order.units.loops[unit - order.units.clusters.size()];
        const Region& r = draft_.plan.flat.regions[size_t(loop)];
        draft_.plan.table.push_back({loop::Step::What::loop_begin, 0, r.turns, r.reverse});
        region(loop);
        draft_.plan.table.push_back({loop::Step::What::loop_end});
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
        result.name = unique_name(result);
        return result;
    }

    /// After what the kernel leaves behind: "relu_h", with a number where that is taken.
    std::string unique_name(const FusedKernel& kernel) {
        const Graph& graph = draft_.plan.flat.graph;
        std::string text, op;
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members) {
                op = member.copies ? "copy" : std::string(name(graph[member.node].op));
                if (!graph[member.node].name.empty()) text = graph[member.node].name;
            }
        text = kernel.kind == FusedKernel::Kind::product ? "product" + (text.empty() ? "" : "_" + text)
                                                         : op + (text.empty() ? "" : "_" + text);
        for (char& letter : text)
            if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
        int taken = names_[text]++;
        return taken == 0 ? text : text + "_" + std::to_string(taken);
    }

    Draft& draft_;
    const Buffers& buffers_;
    std::map<std::string, int> names_;
};

} // namespace

void place_updates(Draft& draft, Buffers& buffers, Indices& indices) {
    for (const Update& update : draft.updates)
        if (write_directly(draft, update)) store_only_there(draft, update, buffers);
        else copy_at_end(draft, update, buffers, indices);
}

void order_kernels(Draft& draft, const Buffers& buffers) { Emission(draft, buffers).region(0); }

} // namespace gradc
