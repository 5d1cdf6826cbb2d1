// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lists behind op.h: the kind and the name of each op, the machine's primitives with their arities.
#include "compiler/graph/op.h"
#include "compiler/util/check.h"

namespace gradc {

Kind kind(Op op) {
    switch (op) {
    case Op::constant:
    case Op::input:
    case Op::variable:
    case Op::iota:
    case Op::random: return Kind::leaf;
    case Op::elementwise:
    case Op::cast:
    case Op::custom_gradient: return Kind::elementwise;
    case Op::sum:
    case Op::max_of: return Kind::reduce;
    case Op::reshape:
    case Op::permute:
    case Op::broadcast:
    case Op::slice:
    case Op::pad:
    case Op::window:
    case Op::fold: return Kind::move;
    case Op::gather:
    case Op::scatter: return Kind::index;
    case Op::contract: return Kind::contract;
    case Op::scan:
    case Op::part: return Kind::loop;
    case Op::assign: return Kind::effect;
    }
    return Kind::leaf;
}

std::string_view name(Op op) {
    static constexpr std::string_view names[] = {
        "constant", "input",  "variable", "iota",     "random",    "elementwise", "cast",  "custom_gradient",
        "sum",      "max_of", "reshape",  "permute",  "broadcast", "slice",       "pad",   "window",
        "fold",     "gather", "scatter",  "contract", "scan",      "part",        "assign"};
    return names[size_t(op)];
}

const Op* find_op(std::string_view word) {
    static constexpr auto last = size_t(Op::assign);
    static const auto all = [] {
        std::vector<Op> ops;
        for (size_t i = 0; i <= last; ++i) ops.push_back(Op(i));
        return ops;
    }();
    for (const Op& op : all)
        if (name(op) == word) return &op;
    return nullptr;
}

PrimitiveTable::PrimitiveTable() {
    static constexpr struct {
        const char* name;
        int arity;
    } own[] = {{"add", 2},
               {"subtract", 2},
               {"multiply", 2},
               {"divide", 2},
               {"negate", 1},
               {"maximum", 2},
               {"minimum", 2},
               {"abs", 1},
               {"sqrt", 1},
               {"floor", 1},
               {"less", 2},
               {"less_equal", 2},
               {"equal", 2},
               {"select", 3},
               {"logical_and", 2},
               {"logical_or", 2},
               {"logical_not", 1},
               {"remainder", 2},
               {"fused_multiply_add", 3},
               {"bits", 1},
               {"from_bits", 1},
               {"bit_and", 2},
               {"bit_or", 2},
               {"bit_xor", 2},
               {"shift_left", 2},
               {"shift_right", 2},
               {"quotient", 2}};
    static_assert(std::size(own) == size_t(Primitive::first_declared));
    for (auto& each : own) declare(each.name, each.arity);
}

Primitive PrimitiveTable::declare(const std::string& name, int arity) {
    if (auto found = find(name)) {
        check(this->arity(*found) == arity, "graph", "primitive " + name + " declared twice");
        return *found;
    }
    check(entries_.size() < UINT16_MAX, "graph", "too many primitives");
    entries_.push_back({name, arity, Primitive(entries_.size())});
    numbers_.emplace(name, entries_.back().self);
    return entries_.back().self;
}

const Primitive* PrimitiveTable::find(std::string_view name) const {
    auto found = numbers_.find(std::string(name));
    return found == numbers_.end() ? nullptr : &found->second;
}

std::string_view PrimitiveTable::name(Primitive primitive) const { return entries_.at(size_t(primitive)).name; }

int PrimitiveTable::arity(Primitive primitive) const { return entries_.at(size_t(primitive)).arity; }

size_t PrimitiveTable::size() const { return entries_.size(); }

} // namespace gradc
