// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elaborates expressions, statements and calls into one graph. One Elaborator builds one graph in
// one mode (a step, an evaluation, a prediction, the initial values); Definitions are shared by all
// of a compilation. Each user's error is reported once and gives a poisoned Term; internal errors
// are checks.
#pragma once
#include "compiler/elaborate/scope.h"
#include "compiler/graph/build.h"
#include "compiler/graph/ranges.h"

namespace gradc {

struct ElaborationMode {
    bool training = true;
    bool rows_of_data = false;    // random numbers of a row go by field "#row", else by the row's place in the batch
    bool initial = false;         // of Definitions::initial: random numbers by seed and stream, not by step
    bool custom_gradients = true; // derivative clauses are kept beside their values; false in patterns of rules
    bool in_run = false;          // of a train block: defaults of parameters may read run_scalars
    int64_t largest_batch = 0;    // of N, for ranges and sizes; 0: unknown
};

/// Numbers of the run that formulas of a train block see.
inline constexpr const char* run_scalars[] = {"step", "steps", "epoch"};

class IndexSpace;

/// An argument of a call from C++.
struct NamedTerm {
    std::string name; // "" if by position
    Term value;
    Span span = {};     // of the value
    Span argument = {}; // with its name
};

class Elaborator {
public:
    Elaborator(Definitions& definitions, Graph& graph, ElaborationMode mode);
    ~Elaborator();
    Elaborator(const Elaborator&) = delete;

    // ---- the language ---------------------------------------------------------------------------
    Term evaluate(const ast::Expr& expression, Scope& scope);
    /// Runs the statements in `scope` itself; the returned term is set where a `return` was met.
    std::optional<Term> run(const ast::Block& block, Scope& scope);
    std::optional<Term> run(const ast::Statement& statement, Scope& scope);
    Term call(const FunctionEntry& function, std::vector<NamedTerm> arguments, Span span, Scope& caller);
    /// As `call` by name, with "did you mean" where nothing has it.
    Term call(const std::string& name, std::vector<NamedTerm> arguments, Span span, Scope& caller);
    /// Evaluates a call's arguments where they stand.
    std::vector<NamedTerm> arguments(const ast::Call& call, Scope& scope);

    // ---- terms to nodes and numbers -------------------------------------------------------------
    /// The value as a node of the current graph; whole constants as i32, other weak ones as
    /// `element` or, without it, the frame's floating default. NodeId::none after an error.
    NodeId node(const Term& term, Span span, std::optional<Dtype> dtype = {});
    /// As a floating scalar or tensor of `element` (converted by the rules of idea 4: no float to
    /// another float).
    NodeId floating_node(const Term& term, Dtype dtype, Span span);
    /// As a scalar f64: flags, schedules.
    NodeId scalar_node(const Term& term, Span span);
    Term term(NodeId node, bool weak = false) const; // of the current level
    std::optional<double> constant_number(const Term& term, Span span, const char* what);
    std::optional<int64_t> constant_integer(const Term& term, Span span,
                                            const char* what); // "comes out whole"
    std::optional<Shape> shape_of_list(const Term& term, Span span);
    /// Shape of the element of a definition by index (labels not counted); nothing after an error.
    std::optional<Type> type_of(const Term& term) const;
    Dtype language_dtype(const std::string& name) const; // "f32" is what --dtype says
    /// False after a report: a type that the language has a word for, but no arithmetic.
    bool has_arithmetic(const std::string& dtype, Span span);

    // ---- operators (the term-level meaning of the language's)
    // --------------------------------------
    Term binary(ast::BinaryOperator op, const Term& left, const Term& right, Span span, Span left_span = {},
                Span right_span = {}, Span op_span = {});
    Term negate(const Term& operand, Span span);
    Term select(const Term& condition, const Term& yes, const Term& no, Span span);
    /// Converts what is assigned, returned or passed to the type as written (`names` solves names
    /// in its shape).
    Term convert(const Term& term, const ast::TypeExpr& type, Scope& names, const std::string& what, Span span);
    /// A type that must be known in full: of a param, a field, a dataset's column. Nothing after an
    /// error.
    struct FullType {
        Type type;
        bool dtype_given = false, shape_given = false;
        std::optional<int64_t> upper; // exclusive bound of whole numbers
    };
    std::optional<FullType> full_type(const ast::TypeExpr& type, Scope& scope);

    // ---- variables
    // --------------------------------------------------------------------------------
    /// The variable at `path`, made now if there is none: its start is `initial` evaluated in
    /// `scope` (`shape:` is the type's), in Definitions::initial. Both type and initial may be
    /// null, not both.
    Term variable(Variable::Role role, const std::string& path, const ast::TypeExpr* type, const ast::ExprRef& initial,
                  Scope& scope, Span span, const std::optional<Type>& default_type = {}, int block = -1);
    Term new_variable(Variable variable, const std::optional<FullType>& written, const ast::ExprRef& initial,
                      Scope& scope);
    /// A value of this graph as it is before the first step, in Definitions::initial; nothing after
    /// a report.
    std::optional<Term> at_start(const Term& term, const std::string& what, Span span);
    /// The node of a variable that exists, in the current graph; nothing if it does not.
    std::optional<Term> existing_variable(const std::string& path);
    std::optional<NodeTerm> root_variable(const std::string& path); // the same in the graph outside of all loops
    /// Cells are what `<-` changes. `cell` is the value from here on; `set_cell` gives the first or
    /// a new one.
    const Term* cell(const std::string& name) const;
    void set_cell(const std::string& name, Term value) { cells_[name] = std::move(value); }
    const std::map<std::string, Term>& cells() const { return cells_; }
    /// Says that `cell` changes here: a loop around must carry it.
    void note_update(const std::string& cell);
    /// States of models that were updated: path and last value, in order of path. They become
    /// assigns.
    std::vector<std::pair<std::string, Term>> updated_states();

    // ---- scalars of the run
    // ---------------------------------------------------------------------------
    Term scalar(const std::string& name); // "step", "steps", "epoch", a flag's input: weak f64
    NodeId row_count(Span span = {});     // N as i64 scalar of the current graph
    Term uniform(const Shape& shape, Dtype dtype, Scope& scope,
                 Span span); // one random op in [0, 1)

    // ---- the elaboration itself
    // -------------------------------------------------------------------------
    Definitions& definitions;
    ElaborationMode mode;
    /// Values that came out of calls which misuse.h watches, in the graph where they are.
    std::map<std::pair<const Graph*, NodeId>, std::string> made_by;
    Graph& graph(); // of the current level
    Graph& root() { return *root_; }
    int level() const;
    Diagnostic& error(Code code, Span span, std::string message, std::string caret = {}, std::string repair = {});
    std::string describe(const Term& term) const;                              // "f32[N, 64]", "the constant 4"
    std::string describe(const ast::Expr& expression, const Term& term) const; // "x [N, 64]"
    /// Reports a tensor whose bytes pass 2^63 and gives up.
    void check_size(const Shape& shape, Span span);
    void check_limits(Span span); // reports once and throws Abandoned when too many nodes exist
    /// The same for the entries of lists and of several results, which are copied wherever they go.
    void check_entries(const Term& term, Span span);
    /// Copies of lists are work: so many of their entries as one evaluation.
    void count_copy(const Term& term);
    /// A frame for a block of its own: a train block, a data set.
    Frame block_frame(const std::string& name, uint32_t module, Extension* extension) const;

    IndexSpace* indices = nullptr; // of the definition by index under way

    // ---- for the parts of the elaborator
    // ------------------------------------------------------------
    struct Level {
        Graph* graph = nullptr;
        std::unique_ptr<Graph> body; // of a scan; the root's graph belongs to the caller
        int64_t iterations = 1;
        NodeId iteration = NodeId::none; // in `body`
        std::unique_ptr<IntegerRanges> ranges = {};
        std::vector<NodeId> captured;    // nodes of the level outside, by number of capture
        std::map<NodeId, NodeId> copies; // of those, in this graph
        std::set<std::string> cells;     // those that a turn hands to the next
        std::set<std::string> updated;   // cells that a turn updates and that are not among those
    };
    struct Remembered { // one call of a model
        const FunctionEntry* function;
        std::vector<Term> arguments;
        Term result;
        int level;
        size_t number; // in order of the calls
    };
    /// What a body that is elaborated a second time must start from again.
    struct Counters {
        std::map<std::string, int> model_calls;
        size_t remembered;
    };
    Counters counters() const { return {model_calls_, remembered_count_}; }
    void restore(const Counters& counters);

    Level& open_level(int64_t iterations);
    Level close_level();
    Level& current_level() { return *levels_.back(); }
    NodeTerm imported(const NodeTerm& outer); // a value of an outer level, brought into the current graph
    Range range(NodeId node) { return (*current_level().ranges)(node); } // of a whole node
    Term lookup(const std::string& name, Span span,
                Scope& scope); // a name's value; reports unknown ones
    std::vector<std::string> known_names(const Scope& scope) const;
    int fresh_label(int64_t size);
    int64_t label_size(int label) const { return label_sizes_[size_t(label)]; }
    Term make(NodeId node, std::vector<int> labels = {}, bool weak = false) const;
    /// The term as a node of the current graph, weak where it is a literal; nothing (after a
    /// report) if it is none.
    std::optional<NodeTerm> operand(const Term& term, Span span);
    /// `operand` in another element; a literal is made anew in it.
    NodeTerm in_dtype(const NodeTerm& operand, Dtype dtype, Span span);
    /// IndexSpace of definitions by index that come from elsewhere (a derivative's arguments), with
    /// their sizes.
    void adopt_label(int label, int64_t size);
    /// Guards the C++ stack: reports once and gives up when expressions and calls nest too deep.
    struct Depth {
        Depth(Elaborator& elaborator, Span span);
        ~Depth() { --elaborator.depth_; }
        Elaborator& elaborator;
    };
    std::string next_stream(Scope& scope, const std::string& callee); // "train.mlp_1.uniform_2"
    Dtype floating_default() const { return floating_default_; }
    const Term* evaluated(const ast::Expr& expression) const; // an access' object, evaluated ahead
    void set_evaluated(const ast::Expr& expression, Term value);
    void forget_evaluated(const ast::Expr& expression) { evaluated_.erase(&expression); }
    std::set<std::string>& states() { return states_; }
    std::map<std::string, Term>& all_cells() { return cells_; }
    const Term* remembered(const FunctionEntry& function, const std::vector<Term>& arguments) const;
    void remember(const FunctionEntry& function, std::vector<Term> arguments, Term result);
    std::vector<const FunctionEntry*>& running() { return running_; }
    std::vector<Span>& call_spans() { return call_spans_; } // of those under way
    std::map<std::string, int>& model_calls() { return model_calls_; }

    /// Floating type of literals, params and random numbers while it lives.
    class FloatingDefault {
    public:
        FloatingDefault(Elaborator& elaborator, Dtype dtype)
            : elaborator_(elaborator), before_(elaborator.floating_default_) {
            elaborator_.floating_default_ = dtype;
        }
        ~FloatingDefault() { elaborator_.floating_default_ = before_; }
        FloatingDefault(const FloatingDefault&) = delete;

    private:
        Elaborator& elaborator_;
        Dtype before_;
    };

private:
    Graph* root_;
    std::vector<std::unique_ptr<Level>> levels_;
    std::map<std::string, Term> cells_;
    std::set<std::string> states_;                 // cells that are states of models
    std::multimap<size_t, Remembered> remembered_; // by hash of the call
    size_t remembered_count_ = 0;
    std::map<std::string, int> model_calls_; // distinct ones, for streams
    std::vector<int64_t> label_sizes_;
    std::vector<const FunctionEntry*> running_; // calls under way, for recursion
    std::vector<Span> call_spans_;
    Dtype floating_default_;
    int depth_ = 0;
    Diagnostic repeated_; // an error that another graph of the same text already met
    size_t size_at_start_;
    std::map<const ast::Expr*, Term> evaluated_;
};

/// For whoever differentiates: clauses of the library and of the user's file, elaborated on demand.
std::shared_ptr<const DerivativeRules> derivative_rules(std::shared_ptr<Definitions> definitions);
const DerivativeRules& derivative_rules(Definitions& definitions);
/// Elaborates every clause of a custom_gradient with these inputs for its own sake, for what is wrong in it.
void check_clauses(Elaborator& elaborator, const std::vector<NodeId>& inputs, uint64_t custom_gradient);

} // namespace gradc
