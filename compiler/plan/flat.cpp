// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies node by node in the order of ids. A scan becomes a region with leaves; its results become those leaves.
#include "compiler/plan/flat.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/graph/scan.h"
#include "compiler/plan/operands.h"
#include "compiler/util/check.h"
#include <algorithm>

namespace gradc {

namespace {

class Flattener {
public:
    Flattener(const Graph& source, int64_t batch) : flat_{Graph(source.shared_primitives()), {}, {}, {}, {}, {}} {
        flat_.regions.push_back({});
        batch_ = batch;
    }

    Flat run(const Graph& source) {
        std::vector<NodeId> roots;
        for (const Output& output : source.outputs) roots.push_back(output.node);
        std::vector<NodeId> copied = copy(source, roots, {});
        for (size_t i = 0; i < roots.size(); ++i) {
            const Node& root = source[roots[i]];
            if (root.op == Op::assign) flat_.assigns.push_back({attribute<Assign>(root).path, copied[i]});
            else flat_.outputs.push_back({source.outputs[i].name, copied[i]});
        }
        note_regions();
        return std::move(flat_);
    }

private:
    /// Copies the nodes that roots reach. `bound` maps the inputs of a body to nodes. An assign is replaced by its
    /// value.
    std::vector<NodeId> copy(const Graph& source, const std::vector<NodeId>& roots,
                             const std::unordered_map<NodeId, NodeId>& bound) {
        std::unordered_map<NodeId, NodeId> copies = bound;
        std::unordered_map<NodeId, int> scans; // of this source: region
        for (NodeId id : reachable(source, roots)) {
            if (copies.count(id)) continue;
            const Node& node = source[id];
            std::vector<NodeId> inputs;
            if (node.op != Op::part)
                for (NodeId input : node.inputs) inputs.push_back(copies.at(input));
            switch (node.op) {
            case Op::assign:
            case Op::custom_gradient: copies[id] = inputs[0]; break;
            case Op::scan:
                scans[id] = add_region(source, node, inputs);
                copies[id] = NodeId::none;
                break;
            case Op::part: copies[id] = part(scans.at(node.inputs[0]), attribute<Part>(node).number); break;
            case Op::contract: copies[id] = contract(source, id, inputs); break;
            default: copies[id] = noted(copy_node(source, id, inputs, flat_.graph)); break;
            }
        }
        std::vector<NodeId> result;
        for (NodeId root : roots) result.push_back(copies.at(root));
        return result;
    }

    NodeId noted(NodeId id) {
        note_regions();
        return id;
    }

    NodeId contract(const Graph& source, NodeId id, std::vector<NodeId> inputs) {
        Contract labels = attribute<Contract>(source[id]);
        OriginScope origin(flat_.graph, source[id].origin);
        NodeId wanted = arrange_operands(flat_.graph, inputs, labels, source[id].type, batch_);
        note_regions();
        if (wanted != NodeId::none) flat_.wanted[index(wanted)] = true;
        NodeId result = flat_.graph.add(Op::contract, source[id].type, inputs, labels, source[id].span);
        if (!source[id].name.empty()) flat_.graph.name_node(result, source[id].name);
        return noted(result);
    }

    NodeId leaf(Type type, Input::Source kind, std::string name, int region, int64_t high = -1) {
        NodeId id = flat_.graph.add(Op::input, std::move(type), {}, Input{kind, std::move(name), 0, high});
        note_regions();
        flat_.region_of[index(id)] = region;
        return id;
    }

    int add_region(const Graph& source, const Node& node, const std::vector<NodeId>& inputs) {
        const Scan& scan = attribute<Scan>(node);
        const Graph& body = source.body(scan.body);
        int parent = 0, number = int(flat_.regions.size());
        for (NodeId input : inputs)
            if (depth(flat_.region_of[index(input)]) > depth(parent)) parent = flat_.region_of[index(input)];
        flat_.regions.push_back({parent, depth(parent) + 1, scan.iterations, scan.reverse});
        std::unordered_map<NodeId, NodeId> bound;
        std::string prefix = std::to_string(number) + ".";
        std::vector<Carry> carries;
        ScanInputs wired = scan_inputs(body);
        wired.carries.resize(size_t(scan.carries), NodeId::none);
        for (int i = 0; i < scan.carries; ++i) {
            Type type = flat_.graph.type(inputs[size_t(i)]);
            NodeId inside = leaf(type, Input::Source::carry, prefix + std::to_string(i), number);
            NodeId after = leaf(type, Input::Source::capture, prefix + "after" + std::to_string(i), parent);
            carries.push_back({inside, inputs[size_t(i)], NodeId::none, after});
            if (wired.carries[size_t(i)] != NodeId::none) bound[wired.carries[size_t(i)]] = inside;
        }
        for (size_t i = 0; i < wired.captures.size(); ++i)
            if (wired.captures[i] != NodeId::none) bound[wired.captures[i]] = inputs[size_t(scan.carries) + i];
        if (wired.iteration != NodeId::none)
            bound[wired.iteration] = leaf({Dtype::i32, {}}, Input::Source::iteration,
                                          prefix + std::to_string(depth(parent)), number, scan.iterations - 1);
        std::vector<NodeId> roots;
        for (const Output& output : body.outputs) roots.push_back(output.node);
        std::vector<NodeId> values = copy(body, roots, bound);
        for (size_t i = 0; i < carries.size(); ++i) carries[i].next = values[i];
        std::vector<Yield> yields;
        for (size_t i = carries.size(); i < values.size(); ++i) {
            Type type = part_type(source, scan, int(i));
            std::string name = prefix + "yield" + std::to_string(i - carries.size());
            yields.push_back({values[i], leaf(type, Input::Source::capture, name, parent)});
        }
        flat_.regions[size_t(number)].carries = std::move(carries);
        flat_.regions[size_t(number)].yields = std::move(yields);
        return number;
    }

    NodeId part(int region, int number) const {
        const Region& loop = flat_.regions[size_t(region)];
        size_t at = size_t(number);
        return at < loop.carries.size() ? loop.carries[at].after : loop.yields[at - loop.carries.size()].stacked;
    }

    int depth(int region) const { return flat_.regions[size_t(region)].depth; }

    void note_regions() {
        while (flat_.region_of.size() < flat_.graph.size()) {
            const Node& node = flat_.graph[NodeId(flat_.region_of.size())];
            int region = 0;
            for (NodeId input : node.inputs)
                if (depth(flat_.region_of[index(input)]) > depth(region)) region = flat_.region_of[index(input)];
            flat_.region_of.push_back(region);
            flat_.wanted.push_back(false);
        }
    }

    Flat flat_;
    int64_t batch_;
};

} // namespace

Flat flatten(const Graph& graph, int64_t batch) { return Flattener(graph, batch).run(prune_scans(graph)); }

int iteration_depth(const Input& iteration) { return std::stoi(iteration.name.substr(iteration.name.find('.') + 1)); }

} // namespace gradc
