// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Symbolic positions inside tensors. An Index is a constant plus multiples of symbols: loop counters, quotients,
// looked-up numbers. Views are functions on indices, so permute, slice, reshape and window cost nothing. A quotient and
// its remainder combine again, so a reshape and its inverse leave the original index.
#pragma once
#include "compiler/graph/graph.h"
#include <deque>
#include <map>

namespace gradc {

/// Number of a symbol of one Indices.
using SymbolId = uint32_t;

/// constant + sum of coefficient * symbol.
struct Index {
    int64_t constant = 0;
    std::vector<std::pair<SymbolId, int64_t>> terms; // ascending symbols, no zero coefficients
    friend auto operator<=>(const Index&, const Index&) = default;
    bool is_constant() const { return terms.empty(); }
};
using Position = std::vector<Index>; // one index an axis

/// An integer that is unknown until run time.
struct Symbol {
    enum class Kind : uint8_t {
        axis,      // counter of a loop, or another number that its creator defines
        quotient,  // of / divisor, rounded down
        remainder, // of - divisor * quotient
        clamped,   // `of` clamped to [0, size)
        looked_up, // the integer element `at` of `node`
        iteration, // counter of the table loop at depth `divisor`
    } kind = Kind::axis;
    int64_t size = 1; // values lie in [0, size)
    Index of = {};
    int64_t divisor = 1;
    NodeId node = NodeId::none;
    Position at = {};
};

/// The symbols of one kernel. All but axes are hash-consed.
class Indices {
public:
    explicit Indices(int64_t batch) : batch_(batch) {}
    Index axis(int64_t size); // a new symbol, or the constant 0 if size is 1; the size of N is the largest batch
    Index quotient(const Index&, int64_t divisor);
    Index remainder(const Index&, int64_t divisor);
    Index clamped(const Index&, int64_t size);
    Index looked_up(NodeId node, Position at, int64_t size);
    Index iteration(int depth, int64_t iterations);
    const Symbol& operator[](SymbolId id) const { return symbols_[id]; }
    size_t size() const { return symbols_.size(); }

    Index sum(const Index& a, const Index& b) const;
    Index scaled(const Index& a, int64_t factor) const;
    Index shifted(Index a, int64_t by) const;
    std::pair<int64_t, int64_t> range(const Index&) const; // inclusive
    bool lies_within(const Index&, int64_t size) const;    // in [0, size) for all values of the symbols

private:
    Index find_or_add(Symbol symbol);
    Index rejoined(Index sum) const;
    /// A multiple of the divisor, and the rest.
    std::pair<Index, Index> divided(const Index&, int64_t divisor) const;

    int64_t batch_;
    std::deque<Symbol> symbols_;
    std::map<std::tuple<int, Index, int64_t, NodeId, Position>, SymbolId> interned_;
};

} // namespace gradc
