// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values are nodes that kernels store or that have a name; a value that is only part of other formulas belongs to their
// kernels. Links follow the graph: a line belongs to the values whose nodes come from it.
#include "compiler/page/page_data.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include "compiler/plan/members.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {
namespace {

bool is_adjoint_name(const std::string& name) { return name.rfind("dL/d", 0) == 0; }

class Collection {
public:
    Collection(const Plan& plan, size_t program, std::vector<std::string> texts, const Symbols& symbols,
               const VariableRoles& roles, const Sources& sources, uint32_t main)
        : plan_(plan), program_(plan.programs[program]), graph_(program_.flat.graph), symbols_(symbols), roles_(roles),
          sources_(sources), main_(main), value_of_(graph_.size(), SIZE_MAX), members_(graph_.size(), false),
          lane_(graph_.size(), Lane::backward) {
        result_.name = program_.name;
        for (size_t i = 0; i < members_.size(); ++i)
            members_[i] = program_.places[i] && !is_stored_leaf(graph_, NodeId(uint32_t(i)));
        for (const FusedKernel& kernel : program_.kernels)
            for (const Stage& stage : kernel.stages)
                for (const Member& member : stage.members)
                    if (!member.copies && !member.stores.empty()) members_[index(member.node)] = true;
        find_sources();
        find_roots();
        find_lanes();
        name_members();
        name_loops();
        make_values();
        make_kernels(std::move(texts));
        make_buffers();
        join_results();
        name_buffers();
        spread_lines();
    }
    PageProgram take() { return std::move(result_); }

private:
    /// Carried and stacked values of loops count as the values that the loop was given.
    void find_sources() {
        for (const Region& region : program_.flat.regions) {
            for (const Carry& carry : region.carries) {
                stands_for_[carry.inside] = carry.initial;
                stands_for_[carry.after] = carry.next;
            }
            for (const Yield& yield : region.yields) stands_for_[yield.stacked] = yield.value;
        }
    }

    NodeId source(NodeId id) const {
        for (auto found = stands_for_.find(id); found != stands_for_.end(); found = stands_for_.find(id))
            id = found->second;
        return id;
    }

    void find_roots() {
        for (const Output& output : program_.flat.outputs) roots_.push_back(output.node);
        for (const Output& assign : program_.flat.assigns) roots_.push_back(assign.node);
        for (const Region& region : program_.flat.regions)
            for (const Carry& carry : region.carries) roots_.push_back(carry.next);
        for (const Region& region : program_.flat.regions)
            for (const Yield& yield : region.yields) roots_.push_back(yield.value);
        reached_ = reachable(graph_, roots_);
    }

    // ---- lanes

    std::string role_of(const std::string& path) const {
        auto found = roles_.find(path);
        return found == roles_.end() ? "state" : found->second;
    }

    void mark_forward(std::vector<NodeId> waiting) {
        std::vector<bool> seen(graph_.size(), false);
        while (!waiting.empty()) {
            NodeId id = waiting.back();
            waiting.pop_back();
            if (seen[index(id)]) continue;
            seen[index(id)] = true;
            lane_[index(id)] = Lane::forward;
            for (NodeId input : graph_[id].inputs) waiting.push_back(input);
            if (NodeId other = source(id); other != id) waiting.push_back(other);
        }
    }

    /// Forward values are those that the results need, updates those after the adjoints of the parameters, backward
    /// values all others.
    void find_lanes() {
        std::vector<NodeId> forward, moved;
        for (const Output& output : program_.flat.outputs)
            if (!is_adjoint_name(output.name)) forward.push_back(output.node);
        for (const Output& assign : program_.flat.assigns) {
            std::string role = role_of(assign.name);
            (role == "parameter" || role == "optimizer" ? moved : forward).push_back(assign.node);
        }
        adjoint_below_.assign(graph_.size(), false);
        for (NodeId id : reached_) {
            bool own = is_adjoint_name(graph_[id].name), below = false;
            for (NodeId input : graph_[id].inputs) below = below || adjoint_below_[index(input)];
            if (NodeId other = source(id); other != id) below = below || adjoint_below_[index(other)];
            adjoint_below_[index(id)] = own || below;
        }
        std::vector<bool> seen(graph_.size(), false);
        for (std::vector<NodeId> waiting = moved; !waiting.empty();) {
            NodeId id = waiting.back();
            waiting.pop_back();
            bool elementwise = kind(graph_[id].op) == Kind::elementwise || graph_[id].op == Op::broadcast ||
                               kind(graph_[id].op) == Kind::leaf || !adjoint_below_[index(id)];
            if (seen[index(id)] || is_adjoint_name(graph_[id].name) || !elementwise) continue;
            seen[index(id)] = true;
            lane_[index(id)] = Lane::update;
            for (NodeId input : graph_[id].inputs) waiting.push_back(input);
        }
        mark_forward(forward);
        for (uint32_t i = 0; i < graph_.size(); ++i)
            if (kind(graph_[NodeId(i)].op) == Kind::leaf && lane_[i] == Lane::backward) lane_[i] = Lane::forward;
    }

    // ---- values

    /// Members without a name get one, so that formulas can refer to them.
    void name_members() {
        std::set<std::string> used;
        for (NodeId id : reached_) used.insert(graph_[id].name);
        for (const Output& assign : program_.flat.assigns) { // the value that a variable gets
            const Node& node = graph_[assign.node];
            auto symbol = symbols_.find(assign.name);
            std::string name = (symbol == symbols_.end() ? assign.name : symbol->second) + " new";
            if (node.name.empty() && members_[index(assign.node)] && used.insert(name).second)
                graph_.rename_node(assign.node, name);
        }
        std::map<char, int> numbers;
        for (NodeId id : reached_) {
            bool copy = kind(graph_[id].op) == Kind::move && graph_[graph_[id].inputs[0]].op == Op::variable;
            if (copy && members_[index(id)]) graph_.rename_node(id, textbook_formula(graph_, id, symbols_)); // W2'
            if (!members_[index(id)] || !graph_[id].name.empty() || kind(graph_[id].op) == Kind::leaf) continue;
            char letter = lane_[index(id)] == Lane::forward ? 'v' : lane_[index(id)] == Lane::backward ? 'g' : 'u';
            std::string name;
            do name = fmt::format("{}{}", letter, ++numbers[letter]);
            while (!used.insert(name).second);
            graph_.rename_node(id, name);
        }
    }

    /// For a value h in a loop: h[t-1] is the input of an iteration, h[last] the result of the last one, h[:] the
    /// results of all iterations.
    void name_loops() {
        for (const Region& region : program_.flat.regions) {
            for (const Carry& carry : region.carries) {
                const std::string& next = graph_[carry.next].name;
                if (next.empty()) continue;
                graph_.rename_node(carry.inside, next + (region.reverse ? "[t+1]" : "[t-1]"));
                graph_.rename_node(carry.after, next + "[last]");
            }
            for (const Yield& yield : region.yields)
                if (const std::string& value = graph_[yield.value].name; !value.empty())
                    graph_.rename_node(yield.stacked, value + "[:]");
        }
    }

    bool shown(NodeId id) const {
        const Node& node = graph_[id];
        if (node.op == Op::variable) return true;
        if (node.op == Op::input) return attribute<Input>(node).source == Input::Source::field && source(id) == id;
        if (kind(node.op) == Kind::leaf) return false;
        return members_[index(id)] || !node.name.empty();
    }

    void make_values() {
        for (NodeId id : reached_) {
            if (!shown(id)) continue;
            const Node& node = graph_[id];
            PageValue value;
            value.node = id;
            value.name = node.op == Op::input ? attribute<Input>(node).name : textbook_name(graph_, id, symbols_);
            value.type = dimensions(node.type.shape) + " " + gradc::name(node.type.dtype);
            value.lane = lane_[index(id)];
            if (kind(node.op) != Kind::leaf) value.formula = textbook_formula(graph_, id, symbols_);
            if (value.formula == value.name)
                value.formula = "a copy of " + textbook_name(graph_, node.inputs[0], symbols_);
            value.role = node.op == Op::input          ? "data"
                         : node.op == Op::variable     ? role_of(attribute<VariableName>(node).path)
                         : value.lane == Lane::forward ? "value"
                         : !adjoint_below_[index(id)] && value.lane == Lane::backward ? "value"
                         : value.lane == Lane::backward                               ? "gradient"
                                                                                      : "update";
            value_of_[index(id)] = result_.values.size();
            result_.values.push_back(std::move(value));
        }
        for (size_t v = 0; v < result_.values.size(); ++v) follow_inputs(v);
        drop_idle_variables();
        add_results();
    }

    /// The shown inputs, also through nodes that are not shown, whose lines are added to the value.
    void follow_inputs(size_t v) {
        PageValue& value = result_.values[v];
        std::set<NodeId> seen;
        std::vector<NodeId> waiting = {value.node};
        while (!waiting.empty()) {
            NodeId id = waiting.back();
            waiting.pop_back();
            if (!seen.insert(id).second) continue;
            size_t other = value_of_[index(id)];
            if (id != value.node && other != SIZE_MAX) {
                if (other < v && std::find(value.inputs.begin(), value.inputs.end(), other) == value.inputs.end())
                    value.inputs.push_back(other);
                continue;
            }
            note_line(graph_[id], value.lines);
            for (NodeId input : graph_[id].inputs) waiting.push_back(source(input));
        }
        std::sort(value.inputs.begin(), value.inputs.end());
    }

    /// Gradients that are results of the program and equal to another value.
    void add_results() {
        for (const Output& output : program_.flat.outputs) {
            if (!is_adjoint_name(output.name)) continue;
            auto symbol = symbols_.find(output.name.substr(4));
            std::string name = symbol == symbols_.end() ? output.name : "dL/d" + symbol->second;
            size_t same = value_of_[index(output.node)];
            if (same != SIZE_MAX && result_.values[same].name == name) continue;
            PageValue value;
            value.node = output.node;
            value.name = name;
            value.formula = textbook_name(graph_, output.node, symbols_);
            const Type& type = graph_.type(output.node);
            value.type = dimensions(type.shape) + " " + gradc::name(type.dtype);
            value.role = "gradient";
            value.lane = Lane::backward;
            if (same != SIZE_MAX) {
                value.inputs = {same};
                value.lines = result_.values[same].lines;
            }
            result_of_[output.name] = result_.values.size();
            result_.values.push_back(std::move(value));
        }
    }

    void note_line(const Node& node, std::set<uint32_t>& lines) const {
        for (const Span& span : {node.origin, node.span})
            if (span.known() && span.source == main_) {
                lines.insert(sources_.place(span.source, span.begin).line);
                return;
            }
    }

    /// A variable that only updates read is placed in their lane.
    void drop_idle_variables() {
        for (PageValue& value : result_.values) {
            if (graph_[value.node].op != Op::variable || value.role != "optimizer") continue;
            bool read = false;
            for (const PageValue& other : result_.values)
                for (size_t input : other.inputs)
                    read = read || (&result_.values[input] == &value && other.lane != Lane::update);
            if (!read) value.lane = Lane::update;
        }
    }

    // ---- kernels

    void make_kernels(std::vector<std::string> texts) {
        Indices indices(plan_.batch);
        for (const FusedKernel& kernel : program_.kernels) {
            PageKernel shown;
            shown.name = kernel.name;
            shown.text = std::move(texts[result_.kernels.size()]);
            for (const Stage& stage : kernel.stages)
                for (const Member& member : stage.members) note_member(kernel, member, shown, indices);
            for (size_t value : shown.values) result_.values[value].kernels.insert(result_.kernels.size());
            result_.kernels.push_back(std::move(shown));
        }
        int step = 0;
        for (const loop::Step& entry : program_.table) {
            if (entry.kind != loop::Step::Kind::kernel) continue;
            PageKernel& kernel = result_.kernels[entry.kernel];
            if (kernel.first_step < 0) kernel.first_step = step;
            kernel.last_step = step++;
        }
        result_.steps = step;
    }

    void note_member(const FusedKernel& kernel, const Member& member, PageKernel& shown, Indices& indices) {
        for (const Storage& place : member.stores) touch(place.buffer, shown);
        note_inside(member.node, shown);
        if (member.from) return touch(member.from->buffer, shown);
        Candidate c = analyse(program_.flat, members_, member.node, member.copies, kernel.region, indices, plan_.batch);
        for (const Read& read : c.reads)
            if (const auto& place = program_.places[index(read.node)]) touch(place->buffer, shown);
    }

    void touch(loop::BufferId buffer, PageKernel& kernel) {
        auto [known, fresh] = buffer_of_.emplace(buffer, result_.buffers.size());
        if (fresh) result_.buffers.push_back({});
        kernel.buffers.insert(known->second);
        result_.buffers[known->second].kernels.insert(result_.kernels.size());
    }

    /// The member's own value and those that are part of its formula.
    void note_inside(NodeId member, PageKernel& kernel) const {
        std::vector<NodeId> waiting = {member};
        std::set<NodeId> seen;
        while (!waiting.empty()) {
            NodeId id = waiting.back();
            waiting.pop_back();
            if (!seen.insert(id).second) continue;
            if (value_of_[index(id)] != SIZE_MAX && kind(graph_[id].op) != Kind::leaf)
                kernel.values.insert(value_of_[index(id)]);
            if (id != member && members_[index(id)]) continue;
            for (NodeId input : graph_[id].inputs)
                if (!members_[index(input)]) waiting.push_back(input);
        }
    }

    // ---- buffers

    std::string role_of(const loop::Buffer& buffer) const {
        switch (buffer.role) {
        case loop::Buffer::Role::field: return "data";
        case loop::Buffer::Role::scalar: return "constant";
        case loop::Buffer::Role::variable: return role_of(buffer.name);
        case loop::Buffer::Role::output: return "result";
        case loop::Buffer::Role::constant: return "constant";
        default: return "activation";
        }
    }

    void make_buffers() {
        for (const auto& [id, number] : buffer_of_) {
            const loop::Buffer& from = plan_.buffers[id];
            PageBuffer& buffer = result_.buffers[number];
            auto symbol = symbols_.find(from.name);
            buffer.name = symbol == symbols_.end() ? from.name : symbol->second;
            buffer.role = role_of(from);
            buffer.type = dimensions(from.shape) + " " + gradc::name(from.dtype);
            buffer.offset = from.offset;
            buffer.size = from.size;
            buffer.first_step = result_.steps;
            for (size_t kernel : buffer.kernels) {
                buffer.first_step = std::min(buffer.first_step, result_.kernels[kernel].first_step);
                buffer.last_step = std::max(buffer.last_step, result_.kernels[kernel].last_step);
            }
            if (buffer.role != "activation") buffer.first_step = 0, buffer.last_step = result_.steps - 1;
        }
        for (uint32_t i = 0; i < graph_.size(); ++i)
            if (value_of_[i] != SIZE_MAX && program_.places[i]) join(value_of_[i], program_.places[i]->buffer);
        for (const FusedKernel& kernel : program_.kernels)
            for (const Stage& stage : kernel.stages)
                for (const Member& member : stage.members)
                    for (const Storage& place : member.stores)
                        if (value_of_[index(member.node)] != SIZE_MAX)
                            join(value_of_[index(member.node)], place.buffer);
    }

    /// Results that are copies of another value: their buffers by name, and the kernels that write them.
    void join_results() {
        for (const loop::Result& result : program_.results) {
            auto value = result_of_.find(result.name);
            if (value == result_of_.end()) continue;
            join(value->second, result.buffer);
            auto buffer = buffer_of_.find(result.buffer);
            if (buffer == buffer_of_.end()) continue;
            for (size_t kernel : result_.buffers[buffer->second].kernels) {
                result_.values[value->second].kernels.insert(kernel);
                result_.kernels[kernel].values.insert(value->second);
            }
        }
    }

    void join(size_t value, loop::BufferId id) {
        auto buffer = buffer_of_.find(id);
        if (buffer == buffer_of_.end()) return;
        result_.values[value].buffers.insert(buffer->second);
        result_.buffers[buffer->second].values.insert(value);
    }

    /// A buffer that holds a value between kernels has the name of the value.
    void name_buffers() {
        for (PageBuffer& buffer : result_.buffers)
            if (buffer.role == "activation" && !buffer.values.empty())
                buffer.name = result_.values[*buffer.values.begin()].name;
    }

    void spread_lines() {
        for (const PageValue& value : result_.values) {
            for (size_t kernel : value.kernels)
                result_.kernels[kernel].lines.insert(value.lines.begin(), value.lines.end());
            for (size_t buffer : value.buffers)
                result_.buffers[buffer].lines.insert(value.lines.begin(), value.lines.end());
        }
    }

    const Plan& plan_;
    const ProgramPlan& program_;
    Graph graph_; // names are added
    const Symbols& symbols_;
    const VariableRoles& roles_;
    const Sources& sources_;
    uint32_t main_;
    std::vector<size_t> value_of_; // by node
    std::vector<bool> members_, adjoint_below_;
    std::vector<Lane> lane_;
    std::map<NodeId, NodeId> stands_for_;
    std::vector<NodeId> roots_, reached_;
    std::map<loop::BufferId, size_t> buffer_of_;
    std::map<std::string, size_t> result_of_; // by output
    PageProgram result_;
};

} // namespace

PageProgram page_program(const Plan& plan, size_t program, std::vector<std::string> texts, const Symbols& symbols,
                         const VariableRoles& roles, const Sources& sources, uint32_t main) {
    return Collection(plan, program, std::move(texts), symbols, roles, sources, main).take();
}

} // namespace gradc
