// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reports of errors, the limits of an elaboration, and the entry points that guard the C++ stack.
#include "compiler/elaborate/elaborator.h"
#include "compiler/elaborate/expressions.h"
#include <fmt/format.h>

namespace gradc {

namespace {

struct Entries {
    int64_t count = 0;
    int depth = 0;
};

constexpr int deepest_list = 64;

/// The entries of nested lists and tuples. Entries below the deepest level are not counted.
Entries entries_of(const Term& term, int depth) {
    auto list = term.as<ListTerm>();
    auto tuple = term.as<TupleTerm>();
    if (!list && !tuple) return {1, depth};
    Entries all{0, depth + 1};
    if (depth >= deepest_list) return all;
    for (const Term& item : list ? list->items : tuple->items) {
        Entries inner = entries_of(item, depth + 1);
        all.count += inner.count;
        all.depth = std::max(all.depth, inner.depth);
    }
    return all;
}

/// Copying a list is work: so many of its entries count as one evaluation.
void count_copy(Definitions& definitions, const Term& term) {
    constexpr int64_t entries_for_step = 16;
    if (term.as<ListTerm>() || term.as<TupleTerm>())
        definitions.evaluations += entries_of(term, 0).count / entries_for_step;
}

} // namespace

Elaborator::Elaborator(Definitions& definitions, Graph& graph, ElaborationMode mode)
    : definitions(definitions), mode(mode), floating_default(definitions.options.precision),
      levels(graph, mode.largest_batch) {}

Elaborator::~Elaborator() { definitions.nodes_made += levels.nodes_added(); }

/// An error inside a library function is caused by the call in the user's file.
Diagnostic& Elaborator::error(Code code, Span span, std::string message, std::string caret, std::string repair) {
    Span inside = span;
    if (span.known() && definitions.standard(span.source))
        for (size_t i = calls.all().size(); i > 0; --i) {
            const CallStack::Call& call = calls.all()[i - 1];
            if (definitions.standard(call.span.source)) continue;
            span = call.span;
            message = fmt::format("in `{}`: {}", call.function->tree->name, message);
            break;
        }
    for (const Diagnostic& known : definitions.diagnostics->all())
        if (known.code == code && known.span == span && span.known()) return repeated_ = known;
    bool moved = !(span == inside);
    auto& report = definitions.diagnostics->report(code, span, std::move(message), moved ? "" : std::move(caret),
                                                   std::move(repair));
    if (moved) report.remarks.push_back({inside, caret.empty() ? "here in the library" : std::move(caret)});
    return report;
}

Term Elaborator::term(NodeId node, std::vector<int> labels, bool weak) const {
    return {NodeTerm{node, weak, level(), std::move(labels)}};
}

/// Guards the C++ stack: expressions and calls that nest too deep are an error.
struct Elaborator::Depth {
    Depth(Elaborator& elaborator, Span span) : elaborator(elaborator) {
        if (++elaborator.depth_ <= 1500) return;
        elaborator.error(Code::call_depth, span, "calls and expressions nest too deep here");
        --elaborator.depth_;
        throw Abandoned{};
    }
    ~Depth() { --elaborator.depth_; }
    Elaborator& elaborator;
};

Term Elaborator::evaluate(const ast::Expr& expression, Scope& scope) {
    if (auto known = evaluated.find(&expression); known != evaluated.end()) return known->second;
    Depth depth(*this, expression.span);
    check_limits(*this, expression.span);
    Term result = elaborate_expression(*this, expression, scope);
    count_copy(definitions, result);
    return result;
}

Term Elaborator::call(const FunctionEntry& function, std::vector<NamedTerm> arguments, Span span, Scope& caller) {
    Depth depth(*this, span);
    check_limits(*this, span);
    return elaborate_call(*this, function, std::move(arguments), span, caller);
}

void check_size(Elaborator& elaborator, const Shape& shape, Span span) {
    int64_t elements = count(shape, std::max<int64_t>(1, elaborator.mode.largest_batch));
    if (elements >= 0 && elements <= INT64_MAX / 8) return;
    elaborator.error(Code::too_large, span, fmt::format("a tensor {} has more than 2^63 bytes", print(shape)));
    throw Abandoned{};
}

void check_limits(Elaborator& elaborator, Span span) {
    Definitions& definitions = elaborator.definitions;
    int64_t nodes = definitions.nodes_made + elaborator.levels.nodes_added();
    int64_t limit = definitions.options.node_limit;
    bool long_winded = ++definitions.evaluations > limit * work_for_node;
    if (nodes <= limit && !long_winded) return;
    elaborator.error(Code::node_limit, span,
                     long_winded ? fmt::format("the program passes {} elaboration steps here", limit * work_for_node)
                                 : fmt::format("the program passes {} nodes here", limit),
                     "", "a `repeat` unrolls: use `scan` for long loops, or raise --max-nodes");
    throw Abandoned{};
}

void check_entries(Elaborator& elaborator, const Term& term, Span span) {
    Definitions& definitions = elaborator.definitions;
    Entries entries = entries_of(term, 0);
    definitions.entries_made += entries.count;
    int64_t most = definitions.options.node_limit * entries_for_node;
    bool deep = entries.depth > deepest_list;
    if (!deep && definitions.entries_made <= most) return;
    elaborator.error(Code::too_large, span,
                     deep ? fmt::format("lists nest more than {} levels deep here", deepest_list)
                          : fmt::format("the lists of the program pass {} entries here", most),
                     "", "read large tensors from a file; write a constant tensor as `full(value, shape)`");
    throw Abandoned{};
}

} // namespace gradc
