// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each kernel is analysed once: which other members or buffers each of its members reads.
#include "compiler/plan/repeats.h"
#include "compiler/plan/members.h"
#include "compiler/plan/program_plan.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <set>

namespace gradc {

namespace {

/// Operations for one element: those of the node and of the formulas inside it, down to stored values and members.
double formula_operations(const Graph& graph, const std::vector<bool>& apart, NodeId id, std::set<NodeId>& seen) {
    double result = cost_of(graph, id);
    for (NodeId input : graph[id].inputs)
        if (!apart[index(input)] && !is_leaf(graph, input) && seen.insert(input).second)
            result += formula_operations(graph, apart, input, seen);
    return result;
}

double operations_of(const Graph& graph, const std::vector<bool>& apart, const Member& member, int64_t batch) {
    if (member.copies) return 0;
    double elements = double(count(graph.type(member.node).shape, batch));
    if (is_reduction(graph, member.node)) elements *= double(count(reduced_sizes(graph, member.node), batch));
    std::set<NodeId> seen;
    double each = graph[member.node].op == Op::contract ? 2 : 1;
    return elements * (each + formula_operations(graph, apart, member.node, seen));
}

} // namespace

Repeats::Repeats(const ProgramPlan& program, const std::vector<loop::Buffer>& buffers, int64_t batch)
    : program_(program), buffers_(buffers), batch_(batch), stored_(stored_members(program)) {
    for (const FusedKernel& kernel : program.kernels) names_.insert(kernel.name);
}

/// The buffer where the member stores its value for other kernels.
std::optional<size_t> Repeats::buffer_of(const Member& member) const {
    std::optional<size_t> result;
    const auto& place = program_.places[index(member.node)];
    for (const Storage& store : member.stores) {
        if (buffers_[store.buffer].role != loop::Buffer::Role::activation || !store.iterations.empty()) continue;
        if (!result || (place && place->buffer == store.buffer)) result = store.buffer;
    }
    return result;
}

const std::vector<Repeats::Computed>& Repeats::anatomy(uint32_t number) {
    auto [place, fresh] = anatomies_.try_emplace(number);
    if (!fresh) return place->second;
    const FusedKernel& kernel = program_.kernels[number];
    std::vector<bool> apart = stored_;
    std::unordered_map<NodeId, size_t> known; // member that computes a node
    std::vector<Computed>& result = place->second;
    for (size_t stage = 0; stage < kernel.stages.size(); ++stage)
        for (size_t i = 0; i < kernel.stages[stage].members.size(); ++i) {
            const Member& member = kernel.stages[stage].members[i];
            result.push_back({stage, i, buffer_of(member), {}, 0});
            if (member.copies) continue;
            known[member.node] = result.size() - 1;
            apart[index(member.node)] = true;
        }
    for (Computed& one : result) {
        const Member& member = kernel.stages[one.stage].members[one.place];
        one.needs = needs(kernel, one, apart, known, result);
        one.operations = operations_of(program_.flat.graph, apart, member, batch_);
    }
    return result;
}

std::vector<Repeats::Need> Repeats::needs(const FusedKernel& kernel, const Computed& one,
                                          const std::vector<bool>& apart,
                                          const std::unordered_map<NodeId, size_t>& known,
                                          const std::vector<Computed>& all) const {
    const Stage& stage = kernel.stages[one.stage];
    const Member& member = stage.members[one.place];
    if (member.from) return {{{}, member.from->buffer, false}};
    const Graph& graph = program_.flat.graph;
    Indices indices(batch_);
    Candidate c = analyse(program_.flat, apart, member.node, member.copies, kernel.region, indices, batch_);
    Position at = c.axes; // of one iteration of the stage
    if (at.size() == kernel.space.size() && !stage.inner.empty())
        at.insert(at.end(), c.reduced.begin(), c.reduced.end());
    std::vector<Need> result;
    for (const Read& read : c.reads) {
        const auto& place = program_.places[index(read.node)];
        auto found = known.find(read.node);
        if (found == known.end() || &all[found->second] == &one) {
            if (place) result.push_back({{}, place->buffer, false});
            continue;
        }
        bool of_point = graph.type(read.node).shape.size() == kernel.space.size();
        bool in_register = of_point || (all[found->second].stage == one.stage && read.at == at);
        result.push_back({found->second, all[found->second].buffer, in_register});
    }
    return result;
}

Repeats::Part Repeats::part(uint32_t kernel, size_t buffer, const std::function<bool(size_t)>& there,
                            const std::function<bool(size_t)>& wanted) {
    const std::vector<Computed>& all = anatomy(kernel);
    std::vector<bool> needed(all.size(), false), stored(all.size(), false);
    std::vector<size_t> waiting;
    std::set<size_t> reads, writes;
    auto need = [&](size_t member) {
        if (!needed[member]) waiting.push_back(member);
        needed[member] = true;
    };
    for (size_t m = 0; m < all.size(); ++m)
        if (all[m].buffer == buffer) need(m), stored[m] = true;
    while (!waiting.empty()) {
        size_t m = waiting.back();
        waiting.pop_back();
        for (const Need& one : all[m].needs) {
            if (!one.member || (one.buffer && *one.buffer != buffer && there(*one.buffer))) {
                reads.insert(*one.buffer);
                continue;
            }
            need(*one.member);
            if (one.buffer && (!one.in_register || wanted(*one.buffer))) stored[*one.member] = true;
        }
    }
    Part result;
    for (size_t m = 0; m < all.size(); ++m) {
        if (!needed[m]) continue;
        result.members.push_back({m, stored[m]});
        result.operations += all[m].operations;
        if (stored[m]) writes.insert(*all[m].buffer);
    }
    result.reads.assign(reads.begin(), reads.end());
    result.writes.assign(writes.begin(), writes.end());
    return result;
}

FusedKernel Repeats::built(uint32_t number, const Part& part) {
    const FusedKernel& whole = program_.kernels[number];
    const std::vector<Computed>& all = anatomy(number);
    FusedKernel result{whole.kind, "", whole.region, whole.space, {}, number};
    std::optional<size_t> stage;
    for (auto [m, stored] : part.members) {
        const Computed& one = all[m];
        if (stage != one.stage) result.stages.push_back({whole.stages[one.stage].inner, {}});
        stage = one.stage;
        Member member = whole.stages[one.stage].members[one.place];
        std::erase_if(member.stores, [&](const Storage& place) { return !stored || place.buffer != one.buffer; });
        result.stages.back().members.push_back(std::move(member));
    }
    if (whole.kind == FusedKernel::Kind::product && part.members[0].first != 0) result.kind = FusedKernel::Kind::nest;
    std::string name = whole.name + "_again";
    for (int copy = 2; !names_.insert(name).second; ++copy) name = whole.name + "_again_" + std::to_string(copy);
    result.name = name;
    return result;
}

size_t Repeats::number(uint32_t kernel, const Part& part, std::vector<KernelAccesses>& accesses) {
    auto [place, fresh] = numbers_.try_emplace({kernel, part.members}, all_.size());
    if (!fresh) return place->second;
    all_.push_back(built(kernel, part));
    accesses.push_back(accesses_of(program_, all_.back(), stored_, batch_));
    return place->second;
}

} // namespace gradc
