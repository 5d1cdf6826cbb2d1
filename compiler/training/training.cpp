// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data sets come first, beginning with that of the first train block; then the blocks in the order of the text.
#include "compiler/training/training.h"
#include "compiler/training/block.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace gradc {

namespace {

template <class Node> std::vector<std::pair<const Node*, uint32_t>> items_of(Definitions& definitions, bool main_only) {
    std::vector<std::pair<const Node*, uint32_t>> result;
    for (uint32_t number = 0; number < definitions.modules.size(); ++number) {
        if (definitions.modules[number].standard || (main_only && number != definitions.main_module)) continue;
        for (const ast::Item& item : definitions.modules[number].tree.items)
            if (auto node = std::get_if<Node>(&item.node)) result.push_back({node, number});
    }
    return result;
}

/// Reports names that are defined twice.
template <class Node>
void check_names(Definitions& definitions, const std::vector<std::pair<const Node*, uint32_t>>& all) {
    std::map<std::string, Span> known;
    for (const auto& [node, module] : all) {
        auto [at, fresh] = known.emplace(node->name, node->name_span);
        if (fresh || node->name.empty()) continue;
        definitions.diagnostics
            ->report(Code::duplicate_definition, node->name_span, fmt::format("`{}` is defined twice", node->name))
            .remarks.push_back({at->second, "first defined here"});
    }
}

std::string first_data(const std::vector<std::pair<const ast::Train*, uint32_t>>& trains) {
    for (const auto& [train, module] : trains)
        for (const ast::TrainItem& item : train->items)
            if (auto setting = std::get_if<ast::Setting>(&item.node); setting && setting->key == "data")
                if (auto name = std::get_if<ast::Name>(&setting->value->node)) return name->name;
    return {};
}

} // namespace

void elaborate_blocks(Definitions& definitions, TrainingJob& result) {
    auto trains = items_of<ast::Train>(definitions, true);
    auto sets = items_of<ast::Dataset>(definitions, false);
    check_names(definitions, trains);
    check_names(definitions, sets);
    std::string first = first_data(trains);
    std::stable_partition(sets.begin(), sets.end(), [&](const auto& each) { return each.first->name == first; });
    std::vector<DatasetPlan> plans;
    bool complete = true;
    for (const auto& [tree, module] : sets) {
        size_t variables = definitions.variables.size();
        auto plan = elaborate_dataset(definitions, *tree, module);
        if (!plans.empty()) definitions.forget_variables(variables); // nobody reads its rows
        complete = complete && plan;
        if (plan) plans.push_back(std::move(*plan));
    }
    if (!complete) return;
    for (const DatasetPlan& plan : plans) {
        result.datasets.push_back(plan.spec);
        result.columns.push_back(plan.columns);
    }
    if (!plans.empty()) result.statistics = plans[0].statistics;
    std::set<std::string> names;
    for (const auto& [tree, module] : trains) {
        std::string name = tree->name.empty() ? "train" : tree->name;
        for (int i = 2; names.count(name); ++i) name = fmt::format("train_{}", i);
        names.insert(name);
        const TrainBlock* leader = result.blocks.empty() ? nullptr : &result.blocks.front();
        BlockContext context{definitions, plans, leader, int(names.size()) - 1};
        if (auto block = elaborate_block(context, *tree, name)) result.blocks.push_back(std::move(*block));
    }
}

} // namespace gradc
