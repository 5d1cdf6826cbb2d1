// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a graph to a draft: members, stores, kernels. A value that leaves the program (results, variables, carries and
// stacked results of loops) is stored by the kernel that computes it, or by a copy if no kernel does.
#include "compiler/plan/kernel_name.h"
#include "compiler/plan/view.h"
#include "compiler/util/check.h"
#include <set>

namespace gradc {

namespace {

class Planner {
public:
    Planner(const NamedGraph& named, Buffers& buffers, const PlanOptions& options)
        : draft_{{named.name, flatten(named.graph, options.batch), {}, {}, {}, {}}, {}, {}, {}, {}, {}, false, {}, {}},
          buffers_(buffers), options_(options), indices_(options.batch), paths_(path_names(flat())) {}

    ProgramPlan run() {
        members_ = choose_members(flat(), options_.batch, options_.fuse);
        add_candidates();
        write_results();
        write_loops();
        write_variables();
        note_early();
        FusionOptions fusion{options_.fuse, options_.batch, std::vector<bool>(candidates_.size(), false), draft_.early};
        for (size_t writer : setters_) fusion.late[writer] = true;
        draft_.clustering = cluster(flat(), std::move(candidates_), fusion);
        for (const Cluster& c : draft_.clustering.clusters)
            draft_.stages.push_back(stages_of(flat(), draft_.clustering, c));
        place_leaves();
        store_what_others_read();
        place_updates(draft_, buffers_, indices_);
        order_kernels(draft_, buffers_, options_.memory > 0);
        draft_.plan.steps += draft_.clustering.steps;
        return std::move(draft_.plan);
    }

private:
    Flat& flat() { return draft_.plan.flat; }
    const Graph& graph() { return draft_.plan.flat.graph; }

    void add_candidates() {
        for (uint32_t i = 0; i < graph().size(); ++i)
            if (members_[i]) {
                candidate_of_[NodeId(i)] = candidates_.size();
                candidates_.push_back(
                    analyse(flat(), members_, NodeId(i), false, flat().region_of[i], indices_, options_.batch));
            }
        draft_.stores.resize(candidates_.size());
    }

    /// The candidate that computes `node` in this region, or a new copy.
    size_t writer(NodeId node, int region) {
        auto found = candidate_of_.find(node);
        if (found != candidate_of_.end() && candidates_[found->second].region == region) return found->second;
        candidates_.push_back(analyse(flat(), members_, node, true, region, indices_, options_.batch));
        draft_.stores.push_back({});
        return candidates_.size() - 1;
    }

    void write_results() {
        for (const Output& output : flat().outputs) {
            std::string name = draft_.plan.name + "." + output.name;
            Storage place = buffers_.shared(loop::Buffer::Role::output, name, graph().type(output.node));
            draft_.stores[writer(output.node, 0)].push_back(place);
            draft_.plan.results.push_back({output.name, place.buffer});
        }
    }

    void write_loops() {
        for (size_t r = 1; r < flat().regions.size(); ++r) {
            const Region region = flat().regions[r];
            for (const Carry& carry : region.carries) {
                Storage place = buffers_.fresh(name_of(carry.next, "carry"), graph().type(carry.inside));
                carried_[carry.inside] = carried_[carry.after] = place;
                changing_.insert(place.buffer);
                size_t first = writer(carry.initial, region.parent);
                draft_.stores[first].push_back(place);
                candidates_[first].feeds.push_back(int(r));
                draft_.updates.push_back({carry.inside, place, writer(carry.next, int(r)), int(r), false});
            }
            for (const Yield& yield : region.yields) {
                Storage place = buffers_.fresh(name_of(yield.value, "yield"), graph().type(yield.stacked));
                carried_[yield.stacked] = place;
                changing_.insert(place.buffer);
                size_t axis = size_t(iteration_axis(graph().type(yield.value).shape));
                place.iterations = {{region.depth - 1, place.strides[axis]}};
                place.strides.erase(place.strides.begin() + long(axis));
                draft_.stores[writer(yield.value, int(r))].push_back(place);
            }
        }
    }

    void write_variables() {
        std::map<std::string, NodeId> leaves;
        for (uint32_t i = 0; i < graph().size(); ++i)
            if (graph()[NodeId(i)].op == Op::variable)
                leaves[attribute<VariableName>(graph()[NodeId(i)]).path] = NodeId(i);
        for (const Output& assign : flat().assigns) {
            Storage place = buffers_.shared(loop::Buffer::Role::variable, assign.name, graph().type(assign.node));
            auto leaf = leaves.find(assign.name);
            draft_.updates.push_back(
                {leaf == leaves.end() ? NodeId::none : leaf->second, place, writer(assign.node, 0), 0, true});
            setters_.insert(draft_.updates.back().writer);
        }
    }

    /// By candidate: true if the output "loss" needs it, through loops too.
    void note_early() {
        draft_.early.assign(candidates_.size(), false);
        std::vector<NodeId> roots;
        for (const Output& output : flat().outputs)
            if (output.name == "loss") roots.push_back(output.node);
        draft_.guarded = !roots.empty() && !flat().assigns.empty();
        if (!draft_.guarded) return;
        std::unordered_map<NodeId, const Region*> loop_of; // by result of a loop
        for (const Region& region : flat().regions) {
            for (const Carry& carry : region.carries) loop_of[carry.after] = &region;
            for (const Yield& yield : region.yields) loop_of[yield.stacked] = &region;
        }
        std::vector<bool> needed(graph().size(), false);
        while (!roots.empty()) {
            NodeId id = roots.back();
            roots.pop_back();
            if (needed[index(id)]) continue;
            needed[index(id)] = true;
            roots.insert(roots.end(), graph()[id].inputs.begin(), graph()[id].inputs.end());
            if (auto loop = loop_of.find(id); loop != loop_of.end()) add_loop(*loop->second, roots);
        }
        for (size_t i = 0; i < candidates_.size(); ++i) // a copy is early if it feeds a loop or a result that is
            draft_.early[i] = needed[index(candidates_[i].node)] && (!candidates_[i].copies || !setters_.count(i));
    }

    static void add_loop(const Region& region, std::vector<NodeId>& roots) {
        for (const Carry& carry : region.carries) roots.insert(roots.end(), {carry.initial, carry.next});
        for (const Yield& yield : region.yields) roots.push_back(yield.value);
    }

    void place_leaves() {
        auto& places = draft_.plan.places;
        places.resize(graph().size());
        for (uint32_t i = 0; i < graph().size(); ++i) {
            NodeId id = NodeId(i);
            if (!is_stored_leaf(graph(), id)) continue;
            const Node& node = graph()[id];
            if (auto found = carried_.find(id); found != carried_.end()) places[i] = found->second;
            else if (node.op == Op::constant) places[i] = buffers_.constant(attribute<Constant>(node), node.type);
            else if (node.op == Op::variable)
                places[i] =
                    buffers_.shared(loop::Buffer::Role::variable, attribute<VariableName>(node).path, node.type);
            else {
                const Input& input = attribute<Input>(node);
                auto role =
                    input.source == Input::Source::field ? loop::Buffer::Role::field : loop::Buffer::Role::scalar;
                places[i] = buffers_.shared(role, input.name, node.type);
            }
        }
    }

    /// True if the reader finds the value in a register: at the same point of the same kernel.
    bool in_register(size_t producer, size_t reader, const Read& read) const {
        const Clustering& all = draft_.clustering;
        size_t c = all.cluster_of[producer];
        if (all.cluster_of[reader] != c) return false;
        const Cluster& cluster = all.clusters[c];
        const Candidate& made = all.candidates[producer];
        if (int(made.axes.size()) == cluster.rank) return true;
        return stage(c, producer) == stage(c, reader) && read.at == iteration(all.candidates[reader], cluster.rank);
    }
    size_t stage(size_t cluster, size_t candidate) const {
        const auto& members = draft_.clustering.clusters[cluster].members;
        auto found = std::lower_bound(members.begin(), members.end(), candidate);
        return draft_.stages[cluster][size_t(found - members.begin())];
    }

    void store_what_others_read() {
        const auto& candidates = draft_.clustering.candidates;
        std::set<size_t> stored;
        for (size_t c = 0; c < candidates.size(); ++c)
            for (const Read& read : candidates[c].reads) {
                auto producer = candidate_of_.find(read.node);
                if (producer != candidate_of_.end() && !in_register(producer->second, c, read))
                    stored.insert(producer->second);
            }
        for (size_t c : stored) {
            NodeId node = candidates[c].node;
            if (!steady_place(c)) draft_.stores[c].insert(draft_.stores[c].begin(), own_place(node));
            draft_.plan.places[index(node)] = *steady_place(c);
        }
    }

    Storage own_place(NodeId node) { return buffers_.fresh(name_of(node, ""), graph().type(node)); }

    /// A place that nothing overwrites during the live range of the value: not one that a loop changes.
    std::optional<Storage> steady_place(size_t candidate) {
        for (const Storage& place : draft_.stores[candidate])
            if (!place.iterations.empty() || !changing_.count(place.buffer)) return place;
        return std::nullopt;
    }

    /// The name of the value, or the word of its operation, with a number if that is already used.
    std::string name_of(NodeId node, const std::string& otherwise) {
        const std::string& own = graph()[node].name;
        if (!own.empty()) return own;
        std::string word = otherwise.empty() ? operation_word(graph(), node) : otherwise;
        for (NodeId input : graph()[node].inputs)
            if (graph()[node].op == Op::contract && graph()[input].op == Op::variable)
                word = paths_.layer(attribute<VariableName>(graph()[input]).path);
        int number = ++words_[word];
        return number == 1 ? word : word + "_" + std::to_string(number);
    }

    Draft draft_;
    Buffers& buffers_;
    const PlanOptions& options_;
    Indices indices_;
    std::vector<bool> members_;
    std::vector<Candidate> candidates_;
    std::unordered_map<NodeId, size_t> candidate_of_;
    std::unordered_map<NodeId, Storage> carried_; // leaves of loops
    std::set<loop::BufferId> changing_;           // their buffers
    std::set<size_t> setters_;                    // candidates that set variables
    PathNames paths_;
    std::map<std::string, int> words_; // for buffers without a name: how often the word is used
};

} // namespace

std::vector<bool> stored_members(const ProgramPlan& program) {
    std::vector<bool> members(program.flat.graph.size(), false);
    for (size_t i = 0; i < members.size(); ++i)
        members[i] = program.places[i] && !is_stored_leaf(program.flat.graph, NodeId(i));
    return members;
}

ProgramPlan plan_program(const NamedGraph& named, Buffers& buffers, const PlanOptions& options) {
    return Planner(named, buffers, options).run();
}

} // namespace gradc
