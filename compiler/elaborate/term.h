// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The value of an expression during elaboration: a node of a graph, a constant known when compiling, the size N,
// several results, or an object that only a data set or an optimizer understands. Operations on constants give
// constants, which become nodes when they meet one.
#pragma once
#include "compiler/graph/graph.h"
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace gradc {

struct Term;

/// The value after a reported error: every result computed from it is poisoned too.
struct Poison {};

/// A number known when compiling. `true` and `false` are boolean; 4 and 8 / 2 are integers; 0.5 and 1.0 are real.
struct ConstantNumber {
    enum class Kind : uint8_t { boolean, integer, real } kind = Kind::real;
    double value = 0;
};

/// N as a size.
struct RowsSize {};

struct ConstantText {
    std::string value;
};

/// A value of the run. A weak value is held in f64 and takes the floating type of its partner: literals, t, step,
/// flags.
struct NodeTerm {
    NodeId node = NodeId::none;
    bool weak = false;
    int level = 0; // of the graph that holds the node: 0, or the depth of the scan whose body it is in
    /// Indices of definitions by index that the value depends on, ascending. They name its first axes, in this order.
    std::vector<int> labels = {};
};

/// [N, T, 3] or [[0, 0], [0, 1]]: a shape, or the elements of a tensor.
struct ListTerm {
    std::vector<Term> items;
};

/// Several results of a call.
struct TupleTerm {
    std::vector<Term> items;
};

/// An object that only an Extension understands: an optimizer passed as `inner`, a data reader.
struct Foreign {
    virtual ~Foreign() = default;
};

struct Term {
    std::variant<Poison, ConstantNumber, RowsSize, ConstantText, NodeTerm, ListTerm, TupleTerm,
                 std::shared_ptr<const Foreign>>
        data;

    template <class T> const T* as() const { return std::get_if<T>(&data); }
    bool poisoned() const { return as<Poison>(); }
};

inline Term real(double value) { return {ConstantNumber{ConstantNumber::Kind::real, value}}; }
inline Term integer_number(int64_t value) { return {ConstantNumber{ConstantNumber::Kind::integer, double(value)}}; }
inline Term truth(bool value) { return {ConstantNumber{ConstantNumber::Kind::boolean, double(value)}}; }

/// True for numbers, texts, N and lists of them.
bool constant(const Term& term);
/// Same constants, or same nodes of the same level.
bool same(const Term& a, const Term& b);
/// Equal for terms that are `same`.
size_t hash(const Term& term);

} // namespace gradc
