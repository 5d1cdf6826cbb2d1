// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Equality and hashes of terms, which decide whether two calls of a model are the same.
#include "compiler/elaborate/term.h"

namespace gradc {

namespace {

bool same_items(const std::vector<Term>& a, const std::vector<Term>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (!same(a[i], b[i])) return false;
    return true;
}

} // namespace

bool constant(const Term& term) {
    if (auto list = term.as<ListTerm>()) {
        for (const Term& item : list->items)
            if (!constant(item)) return false;
        return true;
    }
    return term.as<ConstantNumber>() || term.as<RowsSize>() || term.as<ConstantText>();
}

bool same(const Term& a, const Term& b) {
    if (a.data.index() != b.data.index()) return false;
    if (auto x = a.as<ConstantNumber>()) {
        auto y = b.as<ConstantNumber>();
        return x->kind == y->kind && x->value == y->value;
    }
    if (auto x = a.as<ConstantText>()) return x->value == b.as<ConstantText>()->value;
    if (auto x = a.as<NodeTerm>()) {
        auto y = b.as<NodeTerm>();
        return x->node == y->node && x->weak == y->weak && x->level == y->level && x->labels == y->labels;
    }
    if (auto x = a.as<ListTerm>()) return same_items(x->items, b.as<ListTerm>()->items);
    if (auto x = a.as<TupleTerm>()) return same_items(x->items, b.as<TupleTerm>()->items);
    if (auto x = a.as<std::shared_ptr<const Foreign>>()) return *x == *b.as<std::shared_ptr<const Foreign>>();
    return !a.poisoned();
}

size_t hash(const Term& term) {
    size_t seed = term.data.index();
    auto mix = [&](size_t value) { seed = seed * 1099511628211u + value; };
    if (auto number = term.as<ConstantNumber>()) mix(std::hash<double>()(number->value));
    if (auto text = term.as<ConstantText>()) mix(std::hash<std::string>()(text->value));
    if (auto node = term.as<NodeTerm>()) mix(index(node->node)), mix(size_t(node->level));
    if (auto list = term.as<ListTerm>())
        for (const Term& item : list->items) mix(hash(item));
    return seed;
}

} // namespace gradc
