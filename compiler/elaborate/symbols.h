// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names and their values at one point of a function. A Scope holds the names; a block runs on a copy of it, and the
// block around takes over the new values. A Frame is one call: its paths name parameters, states and random streams. An
// Extension adds names that only one kind of place knows.
#pragma once
#include "compiler/elaborate/definitions.h"
#include <map>

namespace gradc {

class Elaborator;
struct Scope;

/// What the place of an expression adds to the language: readers in a data set, `gradient`, `loss`, `total` and `inner`
/// in an optimizer, parameters by path in a train block. A function returns nothing if it does not know the name.
/// Errors are reported through the Elaborator and give a poisoned term.
struct Extension {
    virtual ~Extension() = default;
    virtual std::optional<Term> name(Elaborator&, const std::string&, Span, Scope&) { return {}; }
    virtual std::optional<Term> call(Elaborator&, const ast::Call&, Span, Scope&) { return {}; }
    virtual std::optional<Term> member(Elaborator&, const ast::Member&, Span, Scope&) { return {}; }
    /// An expression that stands as a statement (`inner`). False if it means nothing here.
    virtual bool effect(Elaborator&, const ast::Expr&, Scope&) { return false; }
    /// A param or state. False if the language's own rule holds: a variable named by the path of the call.
    virtual bool declare(Elaborator&, const ast::Declaration&, Span, Scope&) { return false; }
    /// Called before every assignment `name = ..`.
    virtual void assigning(Elaborator&, const ast::Target&, Scope&) {}
};

/// One call of a function, a model or an optimizer, or a block of its own (train, dataset). Pointers are not owned.
struct Frame {
    std::string path;      // of parameters and states: "mlp.linear_1"; "" outside of any model
    std::string stream;    // of random numbers: as path, with calls of models counted: "train.mlp_2.dropout_1"
    std::string saved_as;  // names of its variables in files begin with it; "": they are the paths
    std::string called_as; // of the functions that the current statement calls: its `as`
    uint32_t module = 0;
    const FunctionEntry* function = nullptr; // null for a block of its own
    Frame* caller = nullptr;                 // null for a block of its own
    Span call_span;
    Extension* extension = nullptr;
    Dtype floating_default = Dtype::f32; // of params, zeros and random numbers: that of the arguments
    bool makes_parameters = false;       // inside a model
    int repeats = 0;                     // how many `repeat` blocks are open: names of params are counted there
    std::map<std::string, int> counts;   // of callees, and of params made in a `repeat`
    std::optional<Term> initial_shape;   // the default of `shape:` while an initial value is evaluated
    bool frozen = false; // declares a state that `freeze` names: `training` is false, and no state changes
};

/// The frame of a block of its own. `extension` may be null and is not owned.
Frame block_frame(const Definitions& definitions, const std::string& name, uint32_t module, Extension* extension);

/// The name of the axes that `..` stands for in a function: a list of sizes.
inline constexpr const char* group_name = "..";

/// A name's value. A name that `<-` may change has a cell and no value here: see Cells.
struct Binding {
    Term value;
    Span span;             // where the name got its value
    std::string cell = {}; // path of a state, or what an extension bound
    bool fixed = false;    // an index, the number of an iteration or a solved size: cannot be assigned
};

struct Scope {
    Frame* frame = nullptr; // not owned
    std::map<std::string, Binding> names;
    std::vector<Term>* yields = nullptr; // of the iteration of a scan under way; not owned
    bool conditional = false;            // under an `if` that is decided at run time

    /// Null for an unknown name. The pointer is valid until the name is bound again.
    const Binding* find(const std::string& name) const {
        auto found = names.find(name);
        return found == names.end() ? nullptr : &found->second;
    }
    void bind(const std::string& name, Term value, Span span = {}) { names[name] = Binding{std::move(value), span}; }
    void bind_cell(const std::string& name, const std::string& cell, Span span = {}) {
        names[name] = Binding{Term{}, span, cell};
    }
    /// After a block: takes over its values of the names that are known here.
    void adopt(const Scope& inner);
};

/// The value of a name: of the scope, a word of the language, the frame's extension or a const of the file. An unknown
/// name is reported once per scope and gives a poisoned term.
Term lookup(Elaborator& elaborator, const std::string& name, Span span, Scope& scope);

/// Appends the names that an expression reads, in order; those inside the body of a `scan` are left out.
void collect_names(const ast::Expr& expression, std::vector<std::string>& names);

} // namespace gradc
