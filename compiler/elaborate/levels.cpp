// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Captures are made level by level: a body two levels deep captures from the body around it, which captures from the
// root.
#include "compiler/elaborate/levels.h"

namespace gradc {

Levels::Levels(Graph& root, int64_t largest_batch) : largest_batch_(largest_batch), size_at_start_(root.size()) {
    levels_.push_back(std::make_unique<Level>());
    levels_.back()->graph = &root;
    levels_.back()->ranges = std::make_unique<IntegerRanges>(root, largest_batch);
}

Levels::Level& Levels::open(int64_t iterations) {
    auto level = std::make_unique<Level>();
    level->body = std::make_unique<Graph>(root().shared_primitives());
    level->graph = level->body.get();
    level->ranges = std::make_unique<IntegerRanges>(*level->graph, largest_batch_);
    level->iterations = iterations;
    level->iteration = level->graph->add(Op::input, {Dtype::i32, {}}, {},
                                         Input{Input::Source::iteration, "iteration", 0, iterations - 1});
    levels_.push_back(std::move(level));
    return *levels_.back();
}

Levels::Level Levels::close() {
    Level level = std::move(*levels_.back());
    levels_.pop_back();
    return level;
}

NodeTerm Levels::imported(const NodeTerm& outer) {
    NodeTerm result = outer;
    while (result.level < depth()) {
        Graph& from = *levels_[size_t(result.level)]->graph;
        Level& to = *levels_[size_t(result.level) + 1];
        const Node& node = from[result.node];
        auto known = to.copies.find(result.node);
        NodeId copy;
        if (known != to.copies.end()) copy = known->second;
        else if (node.op == Op::constant || node.op == Op::iota)
            copy = to.graph->add(node.op, node.type, {}, node.attributes, node.span);
        else {
            Input input{Input::Source::capture, std::to_string(to.captured.size()), 0, -1};
            if (integer(node.type.dtype)) {
                Range range = (*levels_[size_t(result.level)]->ranges)(result.node);
                input.low = range.low, input.high = range.high;
            }
            copy = to.graph->add(Op::input, node.type, {}, input, node.span);
            if (!node.name.empty()) to.graph->name_node(copy, node.name);
            to.captured.push_back(result.node);
        }
        to.copies[result.node] = copy;
        result.node = copy;
        ++result.level;
    }
    return result;
}

int64_t Levels::nodes_added() const {
    int64_t nodes = -int64_t(size_at_start_);
    for (const auto& each : levels_) nodes += int64_t(each->graph->size());
    return nodes;
}

} // namespace gradc
