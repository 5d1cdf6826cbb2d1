// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on affine indices. The range of each symbol decides whether a quotient is exact.
#include "compiler/plan/index.h"
#include "compiler/util/check.h"

namespace gradc {

namespace {

int64_t floor_quotient(int64_t a, int64_t b) { return a / b - (a % b < 0); }

Index of_symbol(SymbolId id) { return {0, {{id, 1}}}; }

Index added(const Index& a, const Index& b) {
    Index result{a.constant + b.constant, {}};
    auto x = a.terms.begin(), y = b.terms.begin();
    while (x != a.terms.end() || y != b.terms.end()) {
        if (y == b.terms.end() || (x != a.terms.end() && x->first < y->first)) result.terms.push_back(*x++);
        else if (x == a.terms.end() || y->first < x->first) result.terms.push_back(*y++);
        else {
            if (x->second + y->second != 0) result.terms.push_back({x->first, x->second + y->second});
            ++x, ++y;
        }
    }
    return result;
}

} // namespace

Index Indices::axis(int64_t size) {
    if (size == rows) size = batch_;
    if (size == 1) return {};
    symbols_.push_back({Symbol::Kind::axis, size});
    return of_symbol(SymbolId(symbols_.size() - 1));
}

Index Indices::find_or_add(Symbol symbol) {
    std::tuple key{int(symbol.kind), symbol.of, symbol.divisor, symbol.node, symbol.at};
    auto [found, added] = interned_.try_emplace(key, SymbolId(symbols_.size()));
    if (added) symbols_.push_back(std::move(symbol));
    return of_symbol(found->second);
}

std::pair<Index, Index> Indices::divided(const Index& x, int64_t divisor) const {
    Index whole, rest;
    whole.constant = floor_quotient(x.constant, divisor);
    rest.constant = x.constant - whole.constant * divisor;
    for (auto [symbol, coefficient] : x.terms) {
        int64_t q = floor_quotient(coefficient, divisor), r = coefficient - q * divisor;
        if (q != 0) whole.terms.push_back({symbol, q});
        if (r != 0) rest.terms.push_back({symbol, r});
    }
    return {whole, rest};
}

Index Indices::quotient(const Index& x, int64_t divisor) {
    if (divisor == 1) return x;
    auto [whole, rest] = divided(x, divisor);
    auto [low, high] = range(rest);
    int64_t first = floor_quotient(low, divisor);
    if (first == floor_quotient(high, divisor)) return shifted(whole, first);
    if (low < 0) { // symbols are not negative
        whole = shifted(whole, first);
        rest = shifted(rest, -first * divisor);
        high -= first * divisor;
    }
    Symbol symbol{Symbol::Kind::quotient, high / divisor + 1, rest, divisor};
    return sum(whole, find_or_add(std::move(symbol)));
}

Index Indices::remainder(const Index& x, int64_t divisor) {
    if (divisor == 1) return {};
    Index rest = divided(x, divisor).second;
    auto [low, high] = range(rest);
    int64_t first = floor_quotient(low, divisor);
    rest = shifted(rest, -first * divisor);
    if (first == floor_quotient(high, divisor)) return rest;
    return find_or_add({Symbol::Kind::remainder, divisor, rest, divisor});
}

Index Indices::clamped(const Index& x, int64_t size) {
    if (lies_within(x, size)) return x;
    if (size == 1) return {};
    return find_or_add({Symbol::Kind::clamped, size, x});
}

Index Indices::looked_up(NodeId node, Position at, int64_t size) {
    if (size == rows) size = batch_;
    if (size == 1) return {};
    return find_or_add({Symbol::Kind::looked_up, size, {}, 1, node, std::move(at)});
}

Index Indices::iteration(int depth, int64_t iterations) {
    if (iterations == 1) return {};
    return find_or_add({Symbol::Kind::iteration, iterations, {}, depth});
}

/// quotient * k * divisor + remainder * k is k times the index that both were computed from.
Index Indices::rejoined(Index sum) const {
    for (bool again = true; again;) {
        again = false;
        for (auto [symbol, coefficient] : sum.terms) {
            const Symbol& whole = symbols_[symbol];
            if (whole.kind != Symbol::Kind::quotient || coefficient % whole.divisor != 0) continue;
            std::tuple key{int(Symbol::Kind::remainder), whole.of, whole.divisor, NodeId::none, Position{}};
            auto peer = interned_.find(key);
            if (peer == interned_.end()) continue;
            int64_t factor = coefficient / whole.divisor;
            for (auto term : sum.terms)
                if (term == std::pair(peer->second, factor)) {
                    Index both{0, {{symbol, -coefficient}}};
                    sum = added(added(sum, both), Index{0, {{peer->second, -factor}}});
                    sum = added(sum, scaled(whole.of, factor));
                    again = true;
                    break;
                }
            if (again) break;
        }
    }
    return sum;
}

Index Indices::sum(const Index& a, const Index& b) const { return rejoined(added(a, b)); }

Index Indices::scaled(const Index& a, int64_t factor) const {
    if (factor == 0) return {};
    Index result = a;
    result.constant *= factor;
    for (auto& term : result.terms) term.second *= factor;
    return result;
}

Index Indices::shifted(Index a, int64_t by) const {
    a.constant += by;
    return a;
}

std::pair<int64_t, int64_t> Indices::range(const Index& x) const {
    int64_t low = x.constant, high = x.constant;
    for (auto [symbol, coefficient] : x.terms)
        (coefficient < 0 ? low : high) += coefficient * (symbols_[symbol].size - 1);
    return {low, high};
}

bool Indices::lies_within(const Index& x, int64_t size) const {
    auto [low, high] = range(x);
    return low >= 0 && high < (size == rows ? batch_ : size);
}

} // namespace gradc
