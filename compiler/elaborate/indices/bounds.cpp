// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes of indices. Objects of accesses that depend on no index are evaluated once, here. Their shapes determine the
// sizes: first of indices that stand alone, then of windows, from known to unknown indices.
#include "compiler/elaborate/indices/indices.h"
#include "compiler/elaborate/values.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

std::string word(int64_t size) { return size == rows ? "N" : std::to_string(size); }

} // namespace

IndexSpace::~IndexSpace() {
    for (auto expression : evaluated_) elaborator_.evaluated.erase(expression);
}

bool IndexSpace::solve(const Binders& binders, const ast::Expr& formula, Scope& scope, bool reduces) {
    if (hidden(binders, scope)) return false;
    // Groups first: their sizes determine how many labels exist. Labels are made in order of the text, those on the
    // left first.
    for (Stage stage : {Stage::groups, Stage::places}) {
        Scope names = scope;
        if (stage == Stage::groups) sets_[&binders] = {};
        make_labels(binders, names);
        bool group = std::any_of(binders.begin(), binders.end(), [](auto& each) { return each.ellipsis; });
        if (group) group_scopes_.push_back(&binders);
        walk(formula, names, stage);
        for (const ast::IndexBinder& binder : binders)
            if (binder.bound) walk(*binder.bound, names, stage);
        if (stage == Stage::places) good_ = solve_bounds(binders, names, reduces) && good_;
        if (group) group_scopes_.pop_back();
        if (!good_) return false;
    }
    add_ends();
    if (!solve_alone()) return false;
    for (bool grown = true; grown;) {
        grown = false;
        if (!solve_windows(grown) || !solve_varying(grown)) return false;
    }
    return report_unsolved() && check_ends();
}

bool IndexSpace::hidden(const Binders& binders, const Scope& scope) {
    for (const ast::IndexBinder& binder : binders) {
        if (binder.ellipsis) continue;
        bool known = scope.find(binder.name) != nullptr;
        if (!known && binder.name != "N" && binder.name != "training") continue;
        elaborator_.error(Code::hidden_name, binder.span, fmt::format("`{}` already has a value here", binder.name), "",
                          "choose another name for the index");
        return true;
    }
    return false;
}

/// Binds the indices in `scope`. In the first stage the number of axes of a group is not known: it has no axes, and the
/// labels are discarded.
void IndexSpace::make_labels(const Binders& binders, Scope& scope) {
    Set& set = sets_[&binders];
    if (set.each.size() != binders.size() || !set.each.empty()) set = {};
    for (const ast::IndexBinder& binder : binders) {
        int wide = 1;
        if (binder.ellipsis) {
            auto known = group_sizes_.find(&binders);
            wide = known == group_sizes_.end() ? 0 : known->second;
        }
        ListTerm group;
        std::vector<int> labels;
        for (int i = 0; i < wide; ++i) {
            int label = elaborator_.labels.fresh(0);
            names_[label] = {binder.ellipsis ? ".." : binder.name, binder.span};
            labels.push_back(label);
            group.items.push_back(integer_number(label));
        }
        if (binder.ellipsis) scope.names[index_group] = {Term{group}, binder.span, "", true};
        else scope.names[binder.name] = {index_number(elaborator_, labels[0], binder.span), binder.span, "", true};
        set.each.push_back(labels);
        set.all.insert(set.all.end(), labels.begin(), labels.end());
    }
}

Scope IndexSpace::inside(const Binders& binders, const Scope& scope) const {
    Scope result = scope;
    const Set& set = sets_.at(&binders);
    for (size_t i = 0; i < binders.size(); ++i) {
        if (!binders[i].ellipsis) {
            Term number = index_number(elaborator_, set.each[i][0], binders[i].span);
            result.names[binders[i].name] = {number, binders[i].span, "", true};
            continue;
        }
        ListTerm group;
        for (int label : set.each[i]) group.items.push_back(integer_number(label));
        result.names[index_group] = {Term{group}, binders[i].span, "", true};
    }
    return result;
}

void IndexSpace::walk(const ast::Expr& expression, Scope& scope, Stage stage) {
    auto visit = [&](const ast::ExprRef& each) {
        if (each) walk(*each, scope, stage);
    };
    if (auto unary = std::get_if<ast::Unary>(&expression.node)) visit(unary->operand);
    if (auto tick = std::get_if<ast::Transpose>(&expression.node)) visit(tick->operand);
    if (auto list = std::get_if<ast::List>(&expression.node))
        for (const auto& item : list->items) visit(item);
    if (auto binary = std::get_if<ast::Binary>(&expression.node)) visit(binary->left), visit(binary->right);
    if (auto access = std::get_if<ast::Index>(&expression.node)) walk_access(expression, *access, scope, stage);
    auto call = std::get_if<ast::Call>(&expression.node);
    if (!call) return;
    if (!call->indexed) {
        for (const auto& argument : call->arguments) visit(argument.value);
        return;
    }
    if (stage == Stage::groups && hidden(call->indices, scope)) {
        good_ = false;
        return;
    }
    Scope names = scope;
    make_labels(call->indices, names);
    bool group = std::any_of(call->indices.begin(), call->indices.end(), [](auto& each) { return each.ellipsis; });
    if (group) group_scopes_.push_back(&call->indices);
    for (const auto& argument : call->arguments) walk(*argument.value, names, stage);
    for (const ast::IndexBinder& binder : call->indices)
        if (binder.bound) walk(*binder.bound, names, stage);
    if (group) group_scopes_.pop_back();
    if (stage == Stage::places) good_ = solve_bounds(call->indices, names, true) && good_;
}

const Term* IndexSpace::object_value(const ast::ExprRef& object, Scope& scope) {
    if (mentions_index(*object, scope) || failed_.count(object.get())) return nullptr;
    auto known = elaborator_.evaluated.find(object.get());
    if (known == elaborator_.evaluated.end()) {
        Term value = elaborator_.evaluate(*object, scope);
        if (value.poisoned()) {
            failed_.insert(object.get());
            good_ = false;
        }
        known = elaborator_.evaluated.insert_or_assign(object.get(), std::move(value)).first;
        evaluated_.push_back(object.get());
    }
    return &known->second;
}

void IndexSpace::walk_access(const ast::Expr&, const ast::Index& access, Scope& scope, Stage stage) {
    const Term* object = object_value(access.object, scope);
    if (!object) walk(*access.object, scope, stage);
    else if (auto type = type_of(elaborator_, *object)) {
        if (stage == Stage::places) add_places(access, type->shape, scope);
        bool group = std::any_of(access.items.begin(), access.items.end(),
                                 [](const auto& item) { return std::holds_alternative<ast::Ellipsis>(item->node); });
        if (stage == Stage::groups && group && !group_scopes_.empty())
            group_sizes_.emplace(group_scopes_.back(), int(type->shape.size()) - int(access.items.size()) + 1);
    }
    for (const auto& item : access.items) walk(*item, scope, stage);
}

void IndexSpace::add_places(const ast::Index& access, const Shape& shape, Scope& scope) {
    size_t axis = 0;
    for (const auto& item : access.items) {
        if (std::holds_alternative<ast::Ellipsis>(item->node)) {
            size_t wide = shape.size() + 1 >= access.items.size() ? shape.size() + 1 - access.items.size() : 0;
            auto group = scope.find(index_group);
            if (group && group->value.as<ListTerm>()->items.size() == wide)
                for (size_t i = 0; i < wide; ++i) {
                    int label = int(group->value.as<ListTerm>()->items[i].as<ConstantNumber>()->value);
                    places_.push_back({Affine{{{label, 1}}, 0}, shape[axis + i], item->span});
                }
            axis += wide;
            continue;
        }
        if (axis >= shape.size()) return;
        int64_t size = shape[axis++];
        if (std::holds_alternative<ast::Slice>(item->node) || std::holds_alternative<ast::Range>(item->node)) continue;
        if (!mentions_index(*item, scope)) continue;
        auto at = affine(elaborator_, *item, scope);
        if (at && !at->factors.empty()) places_.push_back({*at, size, item->span});
    }
}

bool IndexSpace::solve_bounds(const Binders& binders, Scope& scope, bool reduces) {
    const Set& set = sets_.at(&binders);
    for (size_t i = binders.size(); i-- > 0;) { // bounds may depend on the indices before them
        if (!binders[i].bound) continue;
        Span span = binders[i].bound->span;
        Term bound;
        bool varies = mentions_index(*binders[i].bound, scope);
        if (!varies) {
            bound = elaborator_.evaluate(*binders[i].bound, scope);
            if (bound.poisoned()) return false;
            varies = bound.as<NodeTerm>() && type_of(elaborator_, bound)->shape.empty() &&
                     integer(type_of(elaborator_, bound)->dtype);
        }
        if (varies && reduces) {
            varying_.push_back({&binders[i], set.each[i][0], scope, affine(elaborator_, *binders[i].bound, scope)});
            continue;
        }
        if (varies) {
            elaborator_.error(
                Code::index_bound, span,
                fmt::format("the bound of `{}` must be constant: it is an axis of the result", binders[i].name), "",
                "use the largest bound and mask with `where(.., .., 0)`");
            return false;
        }
        int64_t size = rows;
        if (!bound.as<RowsSize>()) {
            auto number = constant_integer(elaborator_, bound, span, "the bound of an index");
            if (!number) return false;
            size = *number;
            if (size < 1) {
                elaborator_.error(Code::negative_size, span,
                                  fmt::format("an index must take at least 1 value, not {}", size));
                return false;
            }
        }
        for (int label : set.each[i]) {
            elaborator_.labels.adopt(label, size);
            explicit_.insert(label);
        }
    }
    return true;
}

bool IndexSpace::solve_alone() {
    std::map<int, const Place*> first;
    for (const Place& place : places_) {
        int label = place.at.factors.empty() ? -1 : place.at.factors.begin()->first;
        if (!place.at.alone() || place.end != End::none || varying(label)) continue;
        int64_t size = elaborator_.labels.size(label);
        if (size == 0) {
            elaborator_.labels.adopt(label, place.size);
            first[label] = &place;
            continue;
        }
        bool fits =
            size == place.size || (explicit_.count(label) && size != rows && place.size != rows && size <= place.size);
        if (fits) continue;
        auto& report = elaborator_.error(Code::index_bound, place.span,
                                         explicit_.count(label)
                                             ? fmt::format("`{}` runs to {}, but this axis has {}", names_[label].first,
                                                           word(size), word(place.size))
                                             : fmt::format("`{}` runs over an axis of {} here and one of {} elsewhere",
                                                           names_[label].first, word(place.size), word(size)));
        if (first.count(label)) report.remarks.push_back({first[label]->span, "the other axis"});
        return false;
    }
    return true;
}

/// Solves an index that is the only unknown of a place: its sum stays in 0 .. size - 1.
bool IndexSpace::solve_windows(bool& grown) {
    std::map<int, int64_t> least;
    std::set<int> by_rows;
    for (const Place& place : places_) {
        int unknown = -1, count = 0;
        int64_t low = place.at.constant, high = place.at.constant;
        bool open = place.size == rows;
        for (auto [label, factor] : place.at.factors) {
            int64_t size = elaborator_.labels.size(label);
            if (size == 0) {
                unknown = label, ++count;
                continue;
            }
            open = open || size == rows;
            (factor > 0 ? high : low) += factor * (size - 1);
        }
        if (count != 1 || varying(unknown)) continue;
        if (place.size == rows && place.at.alone()) by_rows.insert(unknown);
        int64_t factor = place.at.factors.at(unknown);
        bool other_side = place.end != End::none && (place.end == End::high) != (factor > 0);
        if (open || other_side) continue;
        int64_t size = factor > 0 ? floor_divide(place.size - 1 - high, factor) + 1 : floor_divide(low, -factor) + 1;
        auto [known, fresh] = least.emplace(unknown, size);
        if (!fresh) known->second = std::min(known->second, size);
    }
    for (auto [label, size] : least) {
        if (size < 1) {
            elaborator_.error(
                Code::index_bound, names_[label].second,
                fmt::format("there is no position for `{}`: the window is wider than its axis", names_[label].first));
            return false;
        }
        elaborator_.labels.adopt(label, size);
    }
    for (int label : by_rows) elaborator_.labels.adopt(label, rows);
    grown = grown || !least.empty() || !by_rows.empty();
    return true;
}

bool IndexSpace::report_unsolved() {
    std::set<int> labels; // in order of the text, not of the addresses of its tree
    for (const auto& each : sets_) labels.insert(each.second.all.begin(), each.second.all.end());
    bool all = true;
    auto unknown = [&](int label) { return elaborator_.labels.size(label) == 0; };
    bool plain =
        std::any_of(labels.begin(), labels.end(), [&](int label) { return unknown(label) && !varying(label); });
    for (int label : labels) {
        if (!unknown(label) || (plain && varying(label))) continue; // it depends on other indices
        const auto& [name, span] = names_[label];
        elaborator_.error(Code::index_bound, span, fmt::format("the bound of `{}` is not known", name), "",
                          fmt::format("no axis determines it: write `{} < ..`", name));
        all = false;
    }
    return all;
}

} // namespace gradc
