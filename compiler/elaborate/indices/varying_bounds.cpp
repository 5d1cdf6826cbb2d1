// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bounds of reductions that depend on other indices or on values of the run: `sum[u < t + 1](x[u])`. Such an index runs
// to the largest value of its bound, and the reduction masks the rest. If the bound is a sum of indices, only the ends
// that it reaches must lie inside an axis: in x[t - u] with u < t + 1 these are x[t] and x[0].
#include "compiler/elaborate/indices/indices.h"
#include "compiler/elaborate/values.h"
#include "compiler/graph/row_ranges.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

/// `sum` with `label` replaced by bound - 1, or by 0 if `bound` is null.
Affine replaced(Affine sum, int label, const Affine* bound) {
    int64_t factor = sum.factors.at(label);
    sum.factors.erase(label);
    if (!bound) return sum;
    sum.constant += factor * (bound->constant - 1);
    for (auto [other, times] : bound->factors)
        if (!(sum.factors[other] += factor * times)) sum.factors.erase(other);
    return sum;
}

} // namespace

const IndexSpace::Varying* IndexSpace::varying(int label) const {
    auto found =
        std::find_if(varying_.begin(), varying_.end(), [&](const Varying& each) { return each.label == label; });
    return found == varying_.end() ? nullptr : &*found;
}

std::vector<const IndexSpace::Varying*> IndexSpace::varying(const Binders& binders) const {
    std::vector<const Varying*> result;
    for (const ast::IndexBinder& binder : binders)
        for (const Varying& each : varying_)
            if (each.binder == &binder) result.push_back(&each);
    return result;
}

bool IndexSpace::masks(const Affine& at) const {
    return std::any_of(at.factors.begin(), at.factors.end(), [&](const auto& each) {
        const Varying* index = varying(each.first);
        return index && index->at;
    });
}

/// An index stands in `varying_` before those that its bound depends on. Processing in order replaces each of them.
void IndexSpace::add_ends() {
    for (const Varying& index : varying_) {
        if (!index.at || index.at->factors.count(index.label)) continue;
        std::vector<Place> places;
        for (const Place& place : places_) {
            auto found = place.at.factors.find(index.label);
            bool depends = found != place.at.factors.end();
            if (!depends || place.end == End::none) places.push_back(place);
            if (!depends) continue;
            for (End end : {End::low, End::high}) {
                if (place.end != End::none && place.end != end) continue;
                bool first = (end == End::low) == (found->second > 0);
                places.push_back(
                    {replaced(place.at, index.label, first ? nullptr : &*index.at), place.size, place.span, end});
            }
        }
        places_ = std::move(places);
    }
}

/// True if the sizes of all indices in the bound are known.
bool IndexSpace::is_ready(const Varying& index) const {
    auto sized = [&](int label) { return elaborator_.labels.size(label) != 0; };
    for (const auto& [name, binding] : index.scope.names) {
        Scope one;
        one.names[name] = binding;
        if (!mentions_index(*index.binder->bound, one)) continue;
        auto group = binding.value.as<ListTerm>();
        if (!group && !sized(index_label(index.scope, name))) return false;
        if (group)
            for (const Term& item : group->items)
                if (!sized(int(item.as<ConstantNumber>()->value))) return false;
    }
    return true;
}

bool IndexSpace::solve_varying(bool& grown) {
    for (auto each = varying_.rbegin(); each != varying_.rend(); ++each) {
        if (elaborator_.labels.size(each->label) != 0 || !is_ready(*each)) continue;
        if (!adopt_largest(*each)) return false;
        grown = true;
    }
    return true;
}

bool IndexSpace::adopt_largest(Varying& index) {
    Span span = index.binder->bound->span;
    const std::string& name = index.binder->name;
    Scope names = index.scope; // its indices were made before their sizes were known
    for (auto& [each, binding] : names.names)
        if (int label = index_label(names, each); label >= 0)
            binding.value = index_number(elaborator_, label, binding.span);
    index.bound = elaborator_.evaluate(*index.binder->bound, names);
    auto bound = to_operand(elaborator_, index.bound, span);
    if (!bound) return false;
    Graph& graph = elaborator_.graph();
    const Type type = graph.type(bound->node);
    if (!integer(type.dtype) || bound->weak || type.rank() != int(bound->labels.size())) {
        elaborator_.error(
            Code::not_integer, span,
            fmt::format("the bound of an index must be one integer, not {}", describe(elaborator_, index.bound)));
        return false;
    }
    RowRange range = RowRanges(graph)(bound->node);
    bool open = range.high >= double(range_of(Dtype::i32).high);
    if (open && range.high_rows > 0) {
        elaborator_.error(Code::index_bound, span, fmt::format("the largest value of `{}` is not known", name), "",
                          "give the bound a largest value: `min(.., 8)`, or `int < 8` for a field");
        return false;
    }
    if (range.high < 1) {
        elaborator_.error(Code::negative_size, span,
                          fmt::format("`{}` takes no value: its bound is never above {}", name, range.high));
        return false;
    }
    elaborator_.labels.adopt(index.label, open ? rows : int64_t(range.high));
    explicit_.insert(index.label);
    return true;
}

bool IndexSpace::check_ends() {
    for (const Place& place : places_) {
        if (place.end == End::none || place.size == rows) continue;
        int64_t reached = place.at.constant;
        bool by_rows = false;
        for (auto [label, factor] : place.at.factors) {
            int64_t size = elaborator_.labels.size(label);
            by_rows = by_rows || size == rows;
            if ((factor > 0) == (place.end == End::high)) reached += factor * (size - 1);
        }
        if (by_rows || (place.end == End::low ? reached >= 0 : reached < place.size)) continue;
        elaborator_.error(Code::out_of_range, place.span,
                          fmt::format("`{}` reaches {}, but the axis has {}",
                                      elaborator_.definitions.sources->text(place.span), reached, place.size));
        return false;
    }
    return true;
}

} // namespace gradc
