// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A kernel that updates a parameter is named after it. Others are named after the parameter that they read, the result
// that they store, or the last value that has a name.
#include "compiler/plan/kernel_name.h"
#include <algorithm>

namespace gradc {

namespace {

constexpr std::string_view transposed = "_transposed"; // see operands.cpp

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin <= path.size();) {
        size_t end = std::min(path.find('.', begin), path.size());
        parts.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::string parent(const std::string& path) { return path.substr(0, path.rfind('.')); }

/// "train.adam.m/mlp.linear_1.weight": the parameter that an optimizer's state belongs to; others as they are.
std::string owner(const std::string& path) { return path.substr(path.find('/') + 1); }

/// "linear_2" without its number.
std::string stem_of(const std::string& part) {
    size_t at = part.find_last_not_of("0123456789");
    return at == std::string::npos || at + 1 == part.size() || part[at] != '_' ? part : part.substr(0, at);
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts)
        if (!part.empty()) text += (text.empty() ? "" : "_") + part;
    return text;
}

/// Sums over a split: "train.training.loss".
bool is_metric(const std::string& path) {
    auto inside = [&](const char* part) { return path.find(part) != std::string::npos; };
    return !inside("/") && (inside(".training.") || inside(".evaluation."));
}

bool is_word(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

} // namespace

PathNames::PathNames(const std::vector<std::string>& paths) {
    std::set<std::string> models;
    for (const std::string& path : paths) {
        models.insert(path.substr(0, path.find('.')));
        for (std::string prefix = path; prefix.find('.') != std::string::npos; prefix = parent(prefix))
            prefixes_.insert(prefix);
    }
    one_model_ = models.size() == 1;
}

/// True if the model has another layer of this kind at the same place: linear_1 and linear_2.
bool PathNames::has_siblings(const std::string& prefix) const {
    std::string stem = stem_of(prefix);
    return prefixes_.count(stem + (prefix == stem + "_1" ? "_2" : "_1")) != 0;
}

std::string PathNames::operator()(const std::string& path) const {
    std::vector<std::string> parts = parts_of(path), words;
    std::string prefix;
    for (size_t i = 0; i < parts.size(); ++i) {
        prefix += (i ? "." : "") + parts[i];
        bool model = i == 0 && parts.size() > 1, block = i == 1 && i + 2 < parts.size();
        if (model && one_model_) continue;
        bool layer = i > 0 && i + 1 < parts.size();
        words.push_back(layer && (block || !has_siblings(prefix)) ? stem_of(parts[i]) : parts[i]);
    }
    return joined(words);
}

PathNames path_names(const Flat& flat) {
    std::vector<std::string> paths;
    auto add = [&](const std::string& path) {
        if (!is_metric(path)) paths.push_back(owner(path));
    };
    for (uint32_t i = 0; i < flat.graph.size(); ++i)
        if (auto variable = std::get_if<VariableName>(&flat.graph[NodeId(i)].attributes)) add(variable->path);
    for (const Output& assign : flat.assigns) add(assign.name);
    return PathNames(paths);
}

/// The words of a parameter's path.
std::string PathNames::layer(const std::string& path) const {
    std::string all = (*this)(path), last = path.substr(path.rfind('.') + 1);
    return all == last ? all : all.substr(0, all.size() - last.size() - 1);
}

std::string operation_word(const Graph& graph, NodeId id) {
    const Node& node = graph[id];
    if (auto elementwise = std::get_if<Elementwise>(&node.attributes))
        return std::string(graph.primitives().name(elementwise->primitive));
    return std::string(name(node.op));
}

KernelNames::KernelNames(const Draft& draft, const Buffers& buffers)
    : draft_(draft), graph_(draft.plan.flat.graph), buffers_(buffers), paths_(path_names(draft.plan.flat)) {
    for (uint32_t i = 0; i < graph_.size(); ++i)
        if (auto variable = std::get_if<VariableName>(&graph_[NodeId(i)].attributes))
            reads_parameters_ = reads_parameters_ || !is_metric(variable->path);
}

const std::string& KernelNames::buffer_name(const Storage& place) const { return buffers_.name(place.buffer); }

KernelNames::Updates KernelNames::updates(const FusedKernel& kernel) const {
    Updates result;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members)
            for (const Storage& place : member.stores) {
                if (buffers_.role(place.buffer) != loop::Buffer::Role::variable) continue;
                const std::string& path = buffer_name(place);
                if (is_metric(path)) {
                    result.metrics = true;
                    continue;
                }
                size_t slash = path.find('/');
                if (slash != std::string::npos) {
                    std::vector<std::string> state = parts_of(path.substr(0, slash));
                    if (state.size() > 2) result.optimizer = state[state.size() - 2];
                    result.states.push_back(state.back());
                }
                auto& all = result.parameters;
                if (std::find(all.begin(), all.end(), owner(path)) == all.end()) all.push_back(owner(path));
            }
    return result;
}

/// Names of results that are words, and of values.
KernelNames::Written KernelNames::written(const FusedKernel& kernel) const {
    Written result;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) {
            for (const Storage& place : member.stores)
                if (buffers_.role(place.buffer) == loop::Buffer::Role::output) {
                    std::string output = buffer_name(place).substr(draft_.plan.name.size() + 1);
                    if (is_word(output)) result.outputs.push_back(output);
                }
            if (!graph_[member.node].name.empty()) result.values.push_back(graph_[member.node].name);
        }
    return result;
}

/// The layer of the first parameter that is read: by a product, where one is.
std::string KernelNames::layer_read(const std::vector<size_t>& members) const {
    for (size_t member : members)
        for (const Read& read : draft_.clustering.candidates[member].reads) {
            const Node& node = graph_[read.node];
            auto variable = std::get_if<VariableName>(&node.attributes);
            std::string path = variable ? variable->path : node.name;
            bool copy = !variable && path.ends_with(transposed);
            if ((variable || copy) && path.find('.') != std::string::npos && path.find('/') == std::string::npos &&
                !is_metric(path))
                return paths_.layer(path);
        }
    return "";
}

std::string KernelNames::update_name(const FusedKernel& kernel, const Updates& updates, bool early) const {
    const auto& all = updates.parameters;
    bool initial = !reads_parameters_;
    std::string subject = all.empty() ? "metrics" : paths_(all[0]);
    for (const std::string& other : all)
        if (other != all[0]) subject = parent(other) == parent(all[0]) ? paths_.layer(all[0]) : "parameters";
    if (initial) {
        bool one_state = all.size() == 1 && updates.states.size() == 1;
        return joined({"initial", subject, one_state ? updates.states[0] : ""});
    }
    if (all.empty()) return "sum_metrics";
    bool reduces = false;
    for (const Stage& stage : kernel.stages)
        for (const Member& member : stage.members) reduces = reduces || is_reduction(graph_, member.node);
    std::string pass = early ? "forward" : reduces || kernel.kind != FusedKernel::Kind::nest ? "backward" : "update";
    std::string optimizer = updates.optimizer.empty() && pass == "backward" ? "update" : updates.optimizer;
    return joined({pass, subject, optimizer});
}

std::string KernelNames::value_name(const FusedKernel& kernel, const std::vector<size_t>& members,
                                    bool backward) const {
    Written made = written(kernel);
    const Member& last = kernel.stages.back().members.back();
    std::string layer = layer_read(members);
    auto says = [&](const char* output) {
        return std::find(made.outputs.begin(), made.outputs.end(), output) != made.outputs.end();
    };
    if (says("loss")) return "loss";
    if (kernel.kind == FusedKernel::Kind::product && !layer.empty()) return layer + (backward ? "_input" : "");
    if (!made.outputs.empty() && made.outputs.size() <= 2) return joined(made.outputs);
    bool reduces = is_reduction(graph_, last.node);
    if (!layer.empty()) return joined({layer, reduces ? operation_word(graph_, last.node) : ""});
    if (!made.values.empty()) return made.values.back();
    return kernel.kind == FusedKernel::Kind::product ? "product" : operation_word(graph_, last.node);
}

/// Of a kernel that only moves values: "copy_label", "transpose_linear_2_weight".
std::string KernelNames::move_name(const Member& last) const {
    std::string value = graph_[last.node].name;
    if (value.empty() && last.copies && !last.stores.empty()) value = buffer_name(last.stores[0]);
    if (value.ends_with(transposed)) value.resize(value.size() - transposed.size());
    if (value.find('.') != std::string::npos) value = paths_(value);
    return joined({last.copies ? "copy" : "transpose", value});
}

std::string KernelNames::text(const FusedKernel& kernel, const std::vector<size_t>& members) const {
    bool early = !draft_.guarded;
    for (size_t member : members) early = early || draft_.early[member];
    Updates all = updates(kernel);
    if (all.metrics || !all.parameters.empty()) return update_name(kernel, all, early && reads_parameters_);
    const Member& last = kernel.stages.back().members.back();
    if (last.copies || graph_[last.node].op == Op::permute) return move_name(last);
    std::string pass = !early ? "backward" : reads_parameters_ ? "forward" : "compute";
    return joined({pass, value_name(kernel, members, !early)});
}

std::string KernelNames::name(const FusedKernel& kernel, const std::vector<size_t>& members) {
    std::string base = text(kernel, members);
    for (char& letter : base)
        if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    std::string name = base;
    while (!taken_.insert(name).second)
        name = base + "_" + std::to_string(++numbers_.try_emplace(base, 1).first->second);
    return name;
}

} // namespace gradc
