// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elaborates expressions, statements and calls into one graph. One Elaborator builds one graph in one mode: a step, an
// evaluation, a prediction or the initial values. All elaborators of a compilation share Definitions. It holds the
// state of an elaboration in parts with interfaces of their own; what can be computed from the parts is a free function
// (values.h, operators.h, types.h, variables.h, ..). Each user's error is reported once and gives a poisoned Term;
// internal errors are checks.
#pragma once
#include "compiler/elaborate/calls.h"
#include "compiler/elaborate/cells.h"
#include "compiler/elaborate/levels.h"
#include "compiler/elaborate/model_calls.h"
#include "compiler/graph/build.h"

namespace gradc {

/// The purpose of an elaboration.
struct ElaborationMode {
    bool training = true;
    bool rows_of_data = false;    // random numbers of a row go by field "#row", else by the row's place in the batch
    bool initial = false;         // of Definitions::initial: random numbers by seed and stream, not by step
    bool custom_gradients = true; // derivative clauses are kept beside their values; false in patterns of rules
    bool in_run = false;          // of a train block: defaults of parameters may read run_scalars
    std::vector<std::string> frozen = {}; // patterns: states that they name keep their values
    int64_t largest_batch = 0;            // the largest N, for ranges and sizes; 0: unknown
};

/// Scalars of the run that formulas of a train block see, in f64.
inline constexpr const char* run_scalars[] = {"step", "steps", "epoch"};

class IndexSpace;

/// The index variables of definitions by index. Each is a label: a number that names an axis in front of a value's own.
class Labels {
public:
    /// A new label whose axis has `size` entries; 0: not known yet.
    int fresh(int64_t size) {
        sizes_.push_back(size);
        return int(sizes_.size()) - 1;
    }
    int64_t size(int label) const { return sizes_[size_t(label)]; }
    /// Sets the size of a label, also of one that comes from another elaboration.
    void adopt(int label, int64_t size) {
        if (sizes_.size() <= size_t(label)) sizes_.resize(size_t(label) + 1, 1);
        sizes_[size_t(label)] = size;
    }

private:
    std::vector<int64_t> sizes_;
};

class Elaborator {
public:
    /// Adds to `graph`. Both references must outlive the elaborator.
    Elaborator(Definitions& definitions, Graph& graph, ElaborationMode mode);
    ~Elaborator();
    Elaborator(const Elaborator&) = delete;

    /// The value of an expression; poisoned after an error. Throws Abandoned when a limit is passed, as `run` and
    /// `call`.
    Term evaluate(const ast::Expr& expression, Scope& scope);
    /// Runs the statements in `scope` itself. Returns the value of a `return`, if one was reached.
    std::optional<Term> run(const ast::Block& block, Scope& scope);
    std::optional<Term> run(const ast::Statement& statement, Scope& scope);
    /// Calls a function or model. `caller` gives the path of the call and the module of its names.
    Term call(const FunctionEntry& function, std::vector<NamedTerm> arguments, Span span, Scope& caller);
    /// Calls the function or built-in function of this name. An unknown name is an error with the nearest one.
    Term call(const std::string& name, std::vector<NamedTerm> arguments, Span span, Scope& caller);

    /// Reports an error. One inside the library is reported at the call in the user's file. The reference is valid
    /// until the next report; an error that was reported before is returned as a copy that nobody prints.
    Diagnostic& error(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {});

    /// A node of the current graph as a term. `labels` name its first axes; `weak`: see NodeTerm.
    Term term(NodeId node, std::vector<int> labels = {}, bool weak = false) const;
    Graph& graph() { return levels.graph(); }
    int level() const { return levels.depth(); }

    Definitions& definitions;
    ElaborationMode mode;
    Dtype floating_default; // of literals, parameters and random numbers; see FloatingDefault
    Levels levels;
    Cells cells;
    CallStack calls;
    ModelCalls model_calls;
    Labels labels;
    IndexSpace* indices = nullptr;                                  // of the definition by index under way
    std::map<const ast::Expr*, Term> evaluated;                     // expressions whose values IndexSpace already knows
    std::map<std::pair<const Graph*, NodeId>, std::string> made_by; // results of functions that misuse.h watches

private:
    struct Depth;
    int depth_ = 0;       // of expressions and calls in one another
    Diagnostic repeated_; // an error that another graph of the same text already reported
};

/// Sets the floating type of literals, parameters and random numbers while it lives.
class FloatingDefault {
public:
    FloatingDefault(Elaborator& elaborator, Dtype dtype)
        : elaborator_(elaborator), before_(std::exchange(elaborator.floating_default, dtype)) {}
    ~FloatingDefault() { elaborator_.floating_default = before_; }
    FloatingDefault(const FloatingDefault&) = delete;

private:
    Elaborator& elaborator_;
    Dtype before_;
};

/// Limits of an elaboration. Each reports once and throws Abandoned when its limit is passed. A tensor must have less
/// than 2^63 bytes, with N at its largest.
void check_size(Elaborator& elaborator, const Shape& shape, Span span);
/// Counts one evaluation. The nodes and the evaluations of the compilation are limited.
void check_limits(Elaborator& elaborator, Span span);
/// Counts the entries of lists and of several results, which are copied wherever they go.
void check_entries(Elaborator& elaborator, const Term& term, Span span);

/// Derivative clauses of the library and of the user's files, elaborated when differentiation asks for them. The shared
/// form keeps the definitions alive; the other one is owned by `definitions`.
std::shared_ptr<const DerivativeRules> derivative_rules(std::shared_ptr<Definitions> definitions);
const DerivativeRules& derivative_rules(Definitions& definitions);
/// Elaborates every clause of a custom gradient once for inputs of these types, to report the errors in it.
void check_clauses(Elaborator& elaborator, const std::vector<NodeId>& inputs, uint64_t custom_gradient);

} // namespace gradc
