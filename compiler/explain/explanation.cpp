// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The derivative is optimized twice: alone, so that every observed rewrite belongs to it; and with the scalar, as a
// program of two results, which is planned and lowered like a training step. Passes keep the names of nodes, which tell
// the value of the derivation that a node, a buffer or a kernel computes.
#include "compiler/explain/explanation.h"
#include "compiler/graph/pattern.h"
#include "compiler/graph/rewrite.h"
#include "compiler/plan/members.h"
#include "compiler/program/lower.h"
#include "compiler/target/compile.h"
#include <algorithm>

namespace gradc {
namespace {

const TrainBlock* block_of(const TrainingJob& job, const Question& question) {
    for (const TrainBlock& block : job.blocks)
        if (block.name == question.name) return &block;
    return nullptr;
}

/// "the loss of train", "product"; the sum of all elements if a model's result is no scalar.
std::string scalar_of(const TrainingJob& job, const Question& question) {
    if (block_of(job, question)) return "the loss of " + question.name;
    for (const auto* models : {&job.circuits, &job.models})
        for (const TrainingJob::Circuit& circuit : *models)
            if (circuit.model == question.name && !circuit.graph.type(circuit.graph.outputs[0].node).shape.empty())
                return "the sum of all elements of " + question.name;
    return question.name;
}

constexpr const char* mark = "~"; // a temporary name of adjoints without one, while the kept values are collected

bool is_adjoint(const Node& node) { return node.name.rfind("dL/d", 0) == 0 || node.name == mark; }

/// The formulas of all adjoints of a graph by name, in order; its first output has the name `whole`.
std::vector<std::pair<std::string, std::string>> formulas(const Graph& graph, const Symbols& symbols,
                                                          const std::string& whole) {
    std::vector<std::pair<std::string, std::string>> result;
    NodeId root = graph.outputs[0].node;
    for (NodeId id : reachable(graph, {root}))
        if (is_adjoint(graph[id]) && id != root)
            result.push_back({graph[id].name, textbook_formula(graph, id, symbols)});
    bool own = graph[root].name.empty() || graph[root].name == whole; // else it was replaced by another value
    result.push_back({whole, own ? textbook_formula(graph, root, symbols) : textbook_name(graph, root, symbols)});
    return result;
}

class RewriteLog {
public:
    RewriteLog(const Symbols& symbols, const std::string& whole) : symbols_(symbols), integer_(whole) {}

    void rule(const PatternRule& rule, const Graph& graph, NodeId before, NodeId after) {
        Rewriting entry{"apply_identities", rule.text, "", textbook_formula(graph, before, symbols_),
                        textbook_name(graph, after, symbols_)};
        for (Rewriting& known : entries_)
            if (known.rule == entry.rule && known.before == entry.before && known.after == entry.after) {
                ++known.times;
                return;
            }
        entries_.push_back(std::move(entry));
    }

    void pass(const Pass& pass, const Graph& before, const Graph& after) {
        auto old = formulas(before, symbols_, integer_), now = formulas(after, symbols_, integer_);
        for (const auto& [name, text] : old) {
            auto found = std::find_if(now.begin(), now.end(), [&](const auto& each) { return each.first == name; });
            if (found != now.end() && found->second != text)
                entries_.push_back({pass.name, "", name, text, found->second});
        }
    }

    std::vector<Rewriting> take() { return std::move(entries_); }

private:
    const Symbols& symbols_;
    std::string integer_;
    std::vector<Rewriting> entries_;
};

std::vector<Rewriting> rewritings(const Derivation& derivation, const Symbols& symbols, OptimizeOptions options) {
    Graph graph = extract(derivation.graph, {{"gradient", derivation.gradient()}});
    optimize(graph, options); // endless rules are reported before their formulas fill the memory
    RewriteLog log(symbols, "dL/d" + derivation.stations.back().name);
    options.context.applied = [&](const PatternRule& rule, const Graph& graph, NodeId before, NodeId after) {
        log.rule(rule, graph, before, after);
    };
    options.observe = [&](int, const Pass& pass, const Graph& before, const Graph& after, double) {
        log.pass(pass, before, after);
    };
    optimize(std::move(graph), options);
    return log.take();
}

/// For each node, whether it depends on an adjoint.
std::vector<bool> way_back(const Graph& graph) {
    std::vector<bool> result(graph.size(), false);
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        result[i] = is_adjoint(node);
        for (NodeId input : node.inputs) result[i] = result[i] || result[index(input)];
    }
    return result;
}

class Compiling {
public:
    /// `marked`: the same plan, with a name for every adjoint.
    Compiling(const Symbols& symbols, const Plan& plan, const Plan& marked)
        : symbols_(symbols), plan_(plan), program_(plan.programs[0]), graph_(program_.flat.graph),
          back_(way_back(marked.programs[0].flat.graph)), members_(graph_.size(), false) {
        for (size_t i = 0; i < members_.size(); ++i)
            members_[i] = program_.places[i] && !is_stored_leaf(graph_, NodeId(i));
        for (const Output& output : program_.flat.outputs)
            if (output.name == "gradient") back_[index(output.node)] = true;
        for (const Region& region : program_.flat.regions)
            for (const Yield& yield : region.yields) yields_[yield.stacked] = yield.value;
    }

    bool computes_way_back(const FusedKernel& kernel) const {
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members)
                if (back_[index(member.node)]) return true;
        return false;
    }

    /// Stored values of the forward pass that kernels of the backward pass read.
    std::vector<KeptValue> kept() const {
        std::set<NodeId> ids;
        Indices indices(plan_.batch);
        for (const FusedKernel& kernel : program_.kernels)
            for (const Stage& stage : kernel.stages)
                for (const Member& member : stage.members) {
                    bool recomputing = kernel.region && returns(kernel.region);
                    if (!back_[index(member.node)] && !recomputing) continue;
                    Candidate c = analyse(program_.flat, members_, member.node, member.copies, kernel.region, indices,
                                          plan_.batch);
                    for (const Read& read : c.reads)
                        if (survives(read.node, kernel.region)) ids.insert(read.node);
                }
        std::vector<KeptValue> result;
        for (NodeId id : ids) result.push_back(kept_value(id));
        return result;
    }

    KernelShown shown(const FusedKernel& kernel, std::string text) const {
        KernelShown result;
        result.text = std::move(text);
        for (const Stage& stage : kernel.stages)
            for (const Member& member : stage.members) {
                const Node& node = graph_[member.node];
                if (!node.name.empty() && node.op != Op::variable) result.values.push_back(node.name);
                add_spans(member.node, result.spans);
            }
        return result;
    }

private:
    /// True for a forward value that is no copy of a parameter or of data and is computed outside this iteration of the
    /// loop.
    bool survives(NodeId id, int region) const {
        if (auto yield = yields_.find(id); yield != yields_.end()) return !back_[index(yield->second)];
        if (!members_[index(id)] || back_[index(id)]) return false;
        if (region && program_.flat.region_of[index(id)] == region) return false;
        while (kind(graph_[id].op) == Kind::move) id = graph_[id].inputs[0];
        return kind(graph_[id].op) != Kind::leaf || yields_.count(id);
    }

    /// True for a loop that computes a part of the backward pass.
    bool returns(int region) const {
        for (size_t i = 0; i < back_.size(); ++i)
            if (back_[i] && program_.flat.region_of[i] == region) return true;
        return false;
    }

    KeptValue kept_value(NodeId id) const {
        const loop::Buffer& buffer = plan_.buffers[program_.places[index(id)]->buffer];
        auto yield = yields_.find(id);
        if (yield == yields_.end())
            return {graph_[id].name, textbook_formula(graph_, id, symbols_), graph_.type(id), buffer.size};
        NodeId value = yield->second;
        for (const Region& region : program_.flat.regions)
            for (const Carry& carry : region.carries)
                if (carry.inside == value)
                    return {"", textbook_name(graph_, carry.next, symbols_) + " before each iteration", graph_.type(id),
                            buffer.size};
        return {"", textbook_name(graph_, value, symbols_) + " of each iteration", graph_.type(id), buffer.size};
    }

    /// The values of a member and of the formulas inside it.
    void add_spans(NodeId member, std::vector<Span>& spans) const {
        std::vector<NodeId> waiting{member};
        std::set<NodeId> seen;
        while (!waiting.empty()) {
            NodeId id = waiting.back();
            waiting.pop_back();
            if (!seen.insert(id).second) continue;
            for (const Span& span : {graph_[id].origin, graph_[id].span})
                if (span.known() && std::find(spans.begin(), spans.end(), span) == spans.end()) spans.push_back(span);
            const auto& inputs = graph_[id].inputs;
            for (auto input = inputs.rbegin(); input != inputs.rend(); ++input)
                if (!members_[index(*input)] && !is_leaf(graph_, *input)) waiting.push_back(*input);
        }
    }

    const Symbols& symbols_;
    const Plan& plan_;
    const ProgramPlan& program_;
    const Graph& graph_;
    std::vector<bool> back_, members_;
    std::map<NodeId, NodeId> yields_; // a stacked result of a loop -> its value in an iteration
};

/// Scalar and gradient as a program; `marked`: every adjoint has a name.
Plan planned(const Derivation& derivation, const OptimizeOptions& options, const std::string& name, bool marked) {
    Graph graph = derivation.graph;
    for (NodeId id : derivation.adjoints)
        if (marked && index(id) >= derivation.forward && kind(graph[id].op) != Kind::leaf && graph[id].name.empty())
            graph.rename_node(id, mark);
    graph = extract(graph, {{"L", derivation.value()}, {"gradient", derivation.gradient()}});
    return make_plan({{"derivative", optimize(std::move(graph), options)}}, {name, options.context.batch});
}

} // namespace

std::optional<Explanation> explain(const TrainingJob& job, const Question& question, NodeId parameter,
                                   const ExplainOptions& options) {
    std::optional<Derivation> derivation = derive(question, {parameter}, *job.rules);
    if (!derivation) return std::nullopt;
    Symbols symbols = name_values(*derivation, question);
    const TrainBlock* block = block_of(job, question);
    std::string scalar = scalar_of(job, question);
    Explanation result{*std::move(derivation),
                       scalar,
                       std::move(symbols),
                       block ? block->batch : planned_rows(question.graph, question.value),
                       {},
                       {},
                       {}};
    OptimizeOptions optimizing;
    optimizing.disabled = options.disabled_passes;
    optimizing.context.rules = job.pattern_rules.get();
    optimizing.context.batch = result.batch;
    result.rewritings = rewritings(result.derivation, result.symbols, optimizing);
    Plan plan = planned(result.derivation, optimizing, job.name, false);
    Plan marked = planned(result.derivation, optimizing, job.name, true);
    loop::Module module = lower(plan, options.isas, *job.math);
    Compiling compiling(result.symbols, plan, marked);
    result.kept = compiling.kept();
    std::vector<std::string> texts = target::print_cpp_kernels(module, 0, options.isas.back());
    const auto& kernels = plan.programs[0].kernels;
    for (size_t i = 0; i < kernels.size(); ++i)
        if (compiling.computes_way_back(kernels[i])) result.kernels.push_back(compiling.shown(kernels[i], texts[i]));
    return result;
}

} // namespace gradc
