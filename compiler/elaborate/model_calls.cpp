// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Equality is `same`: equal constants, or the same nodes.
#include "compiler/elaborate/model_calls.h"
#include <algorithm>

namespace gradc {

namespace {

size_t hash_call(const FunctionEntry& model, const std::vector<Term>& arguments) {
    size_t seed = std::hash<const void*>()(&model);
    for (const Term& each : arguments) seed = seed * 31 + hash(each);
    return seed;
}

} // namespace

const Term* ModelCalls::find(const FunctionEntry& model, const std::vector<Term>& arguments) const {
    auto [first, last] = calls_.equal_range(hash_call(model, arguments));
    for (auto at = first; at != last; ++at)
        if (at->second.model == &model && std::equal(arguments.begin(), arguments.end(), at->second.arguments.begin(),
                                                     at->second.arguments.end(), same))
            return &at->second.result;
    return nullptr;
}

void ModelCalls::add(const FunctionEntry& model, std::vector<Term> arguments, Term result, int level) {
    size_t key = hash_call(model, arguments);
    calls_.insert({key, {&model, std::move(arguments), std::move(result), level, added_++}});
}

void ModelCalls::forget_above(int level) {
    std::erase_if(calls_, [&](const auto& each) { return each.second.level > level; });
}

void ModelCalls::restore(const Mark& mark) {
    numbers_ = mark.numbers;
    std::erase_if(calls_, [&](const auto& each) { return each.second.number >= mark.added; });
}

} // namespace gradc
