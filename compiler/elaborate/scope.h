// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names and their values at one point of a function. Blocks run on a copy; what they gave a new
// value is taken over by the block around. A Frame is one call: its path names parameters, states
// and random streams.
#pragma once
#include "compiler/elaborate/definitions.h"
#include <map>

namespace gradc {

class Elaborator;
struct Scope;

/// What the place of an expression adds to the language: readers in a data set, `gradient`, `loss`,
/// `total` and `inner` in an optimizer, parameters by path in a train block. Each returns nothing
/// where it does not know the name.
struct Extension {
    virtual ~Extension() = default;
    virtual std::optional<Term> name(Elaborator&, const std::string&, Span, Scope&) { return {}; }
    virtual std::optional<Term> call(Elaborator&, const ast::Call&, Span, Scope&) { return {}; }
    virtual std::optional<Term> member(Elaborator&, const ast::Member&, Span, Scope&) { return {}; }
    /// An expression standing as a statement (`inner`). False where it means nothing here.
    virtual bool effect(Elaborator&, const ast::Expr&, Scope&) { return false; }
    /// A param or state. False where the language's own rule holds (a variable named by the call
    /// path).
    virtual bool declare(Elaborator&, const ast::Declaration&, Span, Scope&) { return false; }
    /// Sees every assignment `name = ..` before it is made.
    virtual void assigning(Elaborator&, const ast::Target&, Scope&) {}
};

/// One call of a function, a model, an optimizer, or a block of its own (train, dataset).
struct Frame {
    std::string path;   // of parameters and states: "mlp.linear_1"; "" outside of any model
    std::string stream; // of random numbers: as path, with the calls of models counted:
                        // "train.mlp_2.dropout_1"
    uint32_t module = 0;
    const FunctionEntry* function = nullptr; // null for a block of its own
    Frame* caller = nullptr;
    Span call_span;
    Extension* extension = nullptr;
    Dtype floating_default = Dtype::f32; // of params, zeros and random numbers: that of the arguments
    bool makes_parameters = false;       // inside a model
    int repeats = 0;                     // how many `repeat` blocks are open: names of params are counted
    std::map<std::string, int> counts;   // of callees, and of params made in a `repeat`
    std::optional<Term> initial_shape;   // while an initial value is evaluated: what `shape:` is by default
    bool frozen = false;                 // declares a state that `freeze` names: `training` is false, no state changes
};

/// True if a pattern of an optimizer or freeze line names the variable: a path, what lies under it, or with `*` for
/// any part.
bool matches(const std::string& pattern, const std::string& path);

/// The name under which the axes of `..` are known in a function: a list.
inline constexpr const char* group_name = "..";

/// A name's value. What `<-` may change has a cell: its value is then Elaborator::cell(cell).
struct Binding {
    Term value;
    Span span;
    std::string cell = {}; // path of a state, or what an extension bound
    bool fixed = false;    // an index or turn: cannot be assigned
};

struct Scope {
    Frame* frame = nullptr;
    std::map<std::string, Binding> names;
    std::vector<Term>* yields = nullptr; // of the turn of a scan under way
    bool conditional = false;            // under an `if` that is decided at run time

    const Binding* find(const std::string& name) const {
        auto found = names.find(name);
        return found == names.end() ? nullptr : &found->second;
    }
    void bind(const std::string& name, Term value, Span span = {}) { names[name] = Binding{std::move(value), span}; }
    void bind_cell(const std::string& name, const std::string& cell, Span span = {}) {
        names[name] = Binding{Term{}, span, cell};
    }
    /// After a block: names known here take their values from there.
    void adopt(const Scope& inner);
};

} // namespace gradc
