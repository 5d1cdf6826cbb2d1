// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Labels are few, so sets of them are sorted vectors; subsets of operands are bit masks.
#include "compiler/optimize/product_order.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <limits>

namespace gradc {
namespace {

constexpr size_t most_exact = 10;

bool contains(const Labels& labels, int label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Labels joined(Labels a, const Labels& b) { // in the order of their first use
    for (int label : b)
        if (!contains(a, label)) a.push_back(label);
    return a;
}

double volume(const Labels& labels, const LabelSizes& sizes) {
    double product = 1;
    for (int label : labels) product *= double(sizes.of.at(label));
    return product;
}

/// The labels of `all` that `elsewhere` needs, N first.
Labels kept(const Labels& all, const Labels& elsewhere, const LabelSizes& sizes) {
    Labels result;
    for (int label : all)
        if (contains(elsewhere, label)) result.push_back(label);
    std::stable_partition(result.begin(), result.end(), [&](int label) { return contains(sizes.rows, label); });
    return result;
}

bool storable(const Labels& labels, const LabelSizes& sizes) {
    return std::count_if(labels.begin(), labels.end(), [&](int label) { return contains(sizes.rows, label); }) <= 1;
}

constexpr double impossible = std::numeric_limits<double>::infinity();

class Exact {
public:
    Exact(const std::vector<Labels>& operands, const Labels& out, const LabelSizes& sizes)
        : count_(operands.size()), sizes_(sizes), best_(size_t(1) << operands.size()) {
        for (size_t mask = 1; mask < best_.size(); ++mask) {
            Labels inside, outside = out;
            for (size_t i = 0; i < count_; ++i)
                if (mask >> i & 1) inside = joined(inside, operands[i]);
                else outside = joined(outside, operands[i]);
            bool single = (mask & (mask - 1)) == 0, whole = mask == best_.size() - 1;
            best_[mask].out = single ? inside : whole ? out : kept(inside, outside, sizes);
            if (!single) split(mask);
            if (!single && !whole && !storable(best_[mask].out, sizes)) best_[mask].cost = impossible;
        }
    }

    ProductOrder order() {
        ProductOrder result;
        result.cost = best_.back().cost;
        if (result.cost < impossible) emit(best_.size() - 1, result);
        return result;
    }

private:
    struct Best {
        Labels out;
        double cost = 0;
        size_t left = 0; // mask of the half that holds the first operand
    };

    void split(size_t mask) {
        Best& best = best_[mask];
        best.cost = impossible;
        size_t first = mask & (~mask + 1);
        for (size_t right = (mask - 1) & mask; right; right = (right - 1) & mask) {
            if (right & first) continue; // each pair of halves once
            size_t left = mask ^ right;
            double cost =
                best_[left].cost + best_[right].cost + volume(joined(best_[left].out, best_[right].out), sizes_);
            if (cost < best.cost) best.cost = cost, best.left = left;
        }
    }

    size_t emit(size_t mask, ProductOrder& order) {
        if ((mask & (mask - 1)) == 0) {
            size_t number = 0;
            while (!(mask >> number & 1)) ++number;
            return number;
        }
        size_t left = emit(best_[mask].left, order), right = emit(mask ^ best_[mask].left, order);
        order.steps.push_back({left, right, best_[mask].out});
        return count_ + order.steps.size() - 1;
    }

    size_t count_;
    const LabelSizes& sizes_;
    std::vector<Best> best_; // by subset of the operands
};

/// Greedy: contracts the cheapest pair until one operand is left.
ProductOrder greedy(std::vector<Labels> operands, const Labels& out, const LabelSizes& sizes) {
    ProductOrder order;
    std::vector<size_t> alive;
    for (size_t i = 0; i < operands.size(); ++i) alive.push_back(i);
    auto result_of = [&](size_t a, size_t b) {
        if (alive.size() == 2) return out;
        Labels outside = out;
        for (size_t i = 0; i < alive.size(); ++i)
            if (i != a && i != b) outside = joined(outside, operands[alive[i]]);
        return kept(joined(operands[alive[a]], operands[alive[b]]), outside, sizes);
    };
    while (alive.size() > 1) {
        size_t a = 0, b = 0;
        double least = impossible;
        for (size_t i = 0; i < alive.size(); ++i)
            for (size_t j = i + 1; j < alive.size(); ++j)
                if (double cost = contraction_cost(operands[alive[i]], operands[alive[j]], sizes);
                    cost < least && (alive.size() == 2 || storable(result_of(i, j), sizes)))
                    least = cost, a = i, b = j;
        order.cost += least;
        if (least == impossible) return order;
        order.steps.push_back({alive[a], alive[b], result_of(a, b)});
        operands.push_back(order.steps.back().out);
        alive[a] = operands.size() - 1;
        alive.erase(alive.begin() + long(b));
    }
    return order;
}

} // namespace

double contraction_cost(const Labels& left, const Labels& right, const LabelSizes& sizes) {
    return volume(joined(left, right), sizes);
}

ProductOrder cheapest_order(const std::vector<Labels>& operands, const Labels& out, const LabelSizes& sizes) {
    check(operands.size() >= 2, "product_order", "nothing to multiply");
    return operands.size() <= most_exact ? Exact(operands, out, sizes).order() : greedy(operands, out, sizes);
}

} // namespace gradc
