// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything that the files of one compilation declare, and the variables that their elaboration makes. It outlives the
// elaboration: later derivatives read clauses from it.
#pragma once
#include "compiler/elaborate/options.h"
#include "compiler/elaborate/term.h"
#include "compiler/spec/training.h"
#include "dsl/ast.h"
#include "dsl/diagnostic.h"
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

namespace gradc {

/// A function and the file that declares it.
struct FunctionEntry {
    const ast::Function* tree = nullptr;
    uint32_t module = 0;                     // index into Definitions::modules
    std::optional<Primitive> primitive = {}; // set if it has no body
    /// True for a private function of the library, whose name begins with `_`: models cannot call it.
    bool hidden() const { return tree->name.starts_with('_'); }
};

/// One file. Names are looked up in it, then in the files that it uses, then in the library.
struct Module {
    explicit Module(std::shared_ptr<const ast::Module> parsed) : parsed(std::move(parsed)), tree(*this->parsed) {}
    std::shared_ptr<const ast::Module> parsed;
    const ast::Module& tree;
    bool standard = false;
    std::vector<uint32_t> uses;
    std::map<std::string, FunctionEntry> functions;
    std::map<std::string, Term> constants;
    std::map<std::string, Span> constant_spans;
};

/// The call whose derivative clauses a custom gradient uses, with its constant arguments.
struct CustomGradientCall {
    const FunctionEntry* function = nullptr;
    std::vector<std::pair<std::string, Term>> arguments; // a node's id is the number of an input of the custom gradient
    std::vector<std::pair<std::string, Term>> sizes;     // names solved from the arguments' shapes
    std::vector<int> labels;                             // of the result
};

/// Files, functions, constants and variables of one compilation. The references of the constructor must outlive the
/// elaboration, until `detach`.
class Definitions {
public:
    Definitions(Sources& sources, SourceReader& reader, const Options& options, Diagnostics& diagnostics);

    /// Parses the library, file `main` and the files that it uses; declares their functions and constants. Reports all
    /// errors.
    void load(uint32_t main);

    /// The library alone, parsed and declared.
    void load_library();

    /// True for a source of the library.
    bool standard(uint32_t source) const;
    /// The function of this name as seen from `module`; null if there is none.
    const FunctionEntry* find_function(const std::string& name, uint32_t module) const;
    /// The constant of this name in `module` or the files that it uses; null if there is none.
    const Term* find_constant(const std::string& name, uint32_t module) const;
    Span constant_span(const std::string& name, uint32_t module) const; // nowhere if there is none
    std::vector<std::string> function_names(uint32_t module) const;     // for "did you mean"
    std::vector<std::string> constant_names(uint32_t module) const;

    /// The variable at `path`; null if there is none. The pointer is valid until the next variable is added.
    Variable* find_variable(const std::string& path);
    /// Adds a variable and, to `initial`, the assign of `start` (a node of `initial`). `again`: a node of `derived`, for
    /// a start that depends on other variables.
    Variable& add_variable(Variable variable, NodeId start, NodeId again = NodeId::none);
    /// Drops all but the first `count` variables, which nothing refers to.
    void forget_variables(size_t count);
    /// The node of `initial` that a variable starts from; in `derived`, its node there or the variable itself.
    NodeId start_of(const std::string& path) const { return starts_.at(path); }
    NodeId derived_start_of(const std::string& path);

    /// Ends the elaboration: afterwards this object refers to nothing of the caller.
    void detach();

    Sources* sources;     // the caller's while elaborating, own ones afterwards
    SourceReader* reader; // null afterwards
    Options options;
    Diagnostics* diagnostics; // where errors go
    std::shared_ptr<PrimitiveTable> primitives;
    std::deque<Module> modules; // modules[main_module] is the user's file
    uint32_t main_module = 0;
    std::vector<Variable> variables; // in order of creation
    Graph initial;                   // computes every initial value; outputs are assigns, in order of `variables`
    Graph derived;                   // the initial values that depend on other variables, from their present values
    std::deque<CustomGradientCall> custom_gradient_calls;  // by clause number
    uint64_t clause_of(CustomGradientCall call);           // the number of an equal one, or a new one
    std::map<std::string, Span> made_in;                   // path of a variable -> the call of the model that made it
    std::vector<std::string> data_read;                    // hashes of the contents of data files, in order of reading
    std::set<std::string> settings_used;                   // names of --set that a const took
    std::set<const ast::Function*> job;                    // functions whose bodies were elaborated
    bool checks_clause = false;                            // a derivative clause is being checked
    std::vector<const ast::Derivative*> clauses_under_way; // each is elaborated inside the one before
    int64_t nodes_made = 0;                                // of all graphs so far, against options.node_limit
    int64_t evaluations = 0;  // of expressions and iterations, against work_for_node times that
    int64_t entries_made = 0; // of lists and of several results, against entries_for_node times that

    std::unique_ptr<DerivativeRules> clauses; // made on first use, see derivative_rules

private:
    using Tree = std::shared_ptr<const ast::Module>;
    uint32_t load_module(uint32_t source, Tree known, std::vector<std::string>& under_way); // null: it is parsed
    void use(uint32_t number, const ast::Use& use, std::vector<std::string>& under_way);
    void declare(uint32_t number);
    void declare_function(uint32_t number, const ast::Function& function);
    void define_constant(const ast::Constant& constant, uint32_t number);
    void report_unused_settings();

    std::vector<uint32_t> library_; // modules of dsl/std
    std::map<std::string, uint32_t> module_of_path_;
    Sources own_sources_;
    Diagnostics late_;
    std::unordered_map<std::string, size_t> variable_numbers_;
    std::unordered_map<std::string, NodeId> starts_, derived_starts_;
};

/// The limit of evaluations is the limit of nodes times this.
inline constexpr int64_t work_for_node = 10;
/// The limit of entries of lists is the limit of nodes times this.
inline constexpr int64_t entries_for_node = 4;

/// Thrown after a report to end the elaboration (too many nodes); caught by `elaborate`.
struct Abandoned {};

/// The library's files, embedded when gradc is built.
struct StandardFile {
    const char* name; // "std/losses.grad"
    std::string_view text;
};
const std::vector<StandardFile>& standard_library();

} // namespace gradc
