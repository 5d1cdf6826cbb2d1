// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The elaborator's own state: levels of graphs (a scan's body is one), scalars of the run, random
// streams, limits, and how terms become nodes.
#include "compiler/elaborate/elaborator.h"
#include "compiler/util/check.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc {

namespace {

uint64_t hash_stream(const std::string& path) { // FNV-1a, 64 bits
    uint64_t hash = 14695981039346656037u;
    for (unsigned char c : path) hash = (hash ^ c) * 1099511628211u;
    return hash;
}

} // namespace

Elaborator::Elaborator(Definitions& definitions, Graph& graph, ElaborationMode mode)
    : definitions(definitions), mode(mode), root_(&graph), floating_default_(definitions.options.precision),
      size_at_start_(graph.size()) {
    levels_.push_back(std::make_unique<Level>());
    levels_.back()->graph = &graph;
    levels_.back()->ranges = std::make_unique<IntegerRanges>(graph, mode.largest_batch);
}

Elaborator::~Elaborator() { definitions.nodes_made += int64_t(root_->size() - size_at_start_); }

Graph& Elaborator::graph() { return *levels_.back()->graph; }
int Elaborator::level() const { return int(levels_.size()) - 1; }

/// What a library function cannot do is the fault of the call in the user's file.
Diagnostic& Elaborator::error(Code code, Span span, std::string message, std::string caret, std::string repair) {
    Span inside = span;
    if (span.known() && definitions.standard(span.source))
        for (size_t i = call_spans_.size(); i > 0; --i) {
            if (definitions.standard(call_spans_[i - 1].source)) continue;
            span = call_spans_[i - 1];
            message = fmt::format("in `{}`: {}", running_[i - 1]->tree->name, message);
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

void Elaborator::check_size(const Shape& shape, Span span) {
    int64_t elements = count(shape, std::max<int64_t>(1, mode.largest_batch));
    if (elements >= 0 && elements <= INT64_MAX / 8) return;
    error(Code::too_large, span, fmt::format("a tensor {} has more than 2^63 bytes", print(shape)));
    throw Abandoned{};
}

void Elaborator::check_limits(Span span) {
    int64_t nodes = definitions.nodes_made - int64_t(size_at_start_);
    for (const auto& each : levels_) nodes += int64_t(each->graph->size());
    int64_t limit = definitions.options.node_limit;
    bool long_winded = ++definitions.evaluations > limit * work_for_node;
    if (nodes <= limit && !long_winded) return;
    error(Code::node_limit, span,
          long_winded ? fmt::format("elaborating the program passes {} steps here", limit * work_for_node)
                      : fmt::format("the program passes {} nodes here", limit),
          "", "a `repeat` unrolls: use `scan` for long loops, or raise --max-nodes");
    throw Abandoned{};
}

namespace {

struct Entries {
    int64_t count = 0;
    int depth = 0;
};

constexpr int deepest_list = 64;

/// Of lists and tuples in one another; those below the deepest are not counted.
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

} // namespace

void Elaborator::count_copy(const Term& term) {
    constexpr int64_t entries_for_step = 16;
    if (term.as<ListTerm>() || term.as<TupleTerm>())
        definitions.evaluations += entries_of(term, 0).count / entries_for_step;
}

void Elaborator::check_entries(const Term& term, Span span) {
    Entries entries = entries_of(term, 0);
    definitions.entries_made += entries.count;
    int64_t most = definitions.options.node_limit * entries_for_node;
    bool deep = entries.depth > deepest_list;
    if (!deep && definitions.entries_made <= most) return;
    error(Code::too_large, span,
          deep ? fmt::format("lists stand more than {} deep in one another here", deepest_list)
               : fmt::format("the lists of the program pass {} entries here", most),
          "", "numbers that many are read from a file; one number everywhere is `full(value, shape)`");
    throw Abandoned{};
}

Elaborator::Depth::Depth(Elaborator& elaborator, Span span) : elaborator(elaborator) {
    if (++elaborator.depth_ <= 1500) return;
    elaborator.error(Code::call_depth, span, "calls and expressions nest too deep here");
    --elaborator.depth_;
    throw Abandoned{};
}

Frame Elaborator::block_frame(const std::string& name, uint32_t module, Extension* extension) const {
    Frame frame;
    frame.stream = name;
    frame.module = module;
    frame.extension = extension;
    frame.floating_default = definitions.options.precision;
    return frame;
}

// ---- levels
// -----------------------------------------------------------------------------------------

Elaborator::Level& Elaborator::open_level(int64_t iterations) {
    auto level = std::make_unique<Level>();
    level->body = std::make_unique<Graph>(definitions.primitives);
    level->graph = level->body.get();
    level->ranges = std::make_unique<IntegerRanges>(*level->graph, mode.largest_batch);
    level->iterations = iterations;
    level->iteration = level->graph->add(Op::input, {Dtype::i32, {}}, {},
                                         Input{Input::Source::iteration, "iteration", 0, iterations - 1});
    levels_.push_back(std::move(level));
    return *levels_.back();
}

Elaborator::Level Elaborator::close_level() {
    Level level = std::move(*levels_.back());
    levels_.pop_back();
    std::erase_if(remembered_, [&](const auto& each) { return each.second.level > this->level(); });
    return level;
}

void Elaborator::restore(const Counters& counters) {
    model_calls_ = counters.model_calls;
    std::erase_if(remembered_, [&](const auto& each) { return each.second.number >= counters.remembered; });
}

NodeTerm Elaborator::imported(const NodeTerm& outer) {
    NodeTerm result = outer;
    while (result.level < level()) {
        Graph& from = *levels_[size_t(result.level)]->graph;
        Level& to = *levels_[size_t(result.level) + 1];
        const Node& node = from[result.node];
        auto known = to.copies.find(result.node);
        NodeId copy;
        if (known != to.copies.end()) copy = known->second;
        else if (node.op == Op::constant || node.op == Op::iota)
            copy = to.graph->add(node.op, node.type, {}, node.attributes, node.span);
        else {
            Input input{Input::Source::capture, std::to_string(to.captured.size()), 0, -1};
            if (integer(node.type.dtype)) {
                Range range = (*levels_[size_t(result.level)]->ranges)(result.node);
                input.low = range.low, input.high = range.high;
            }
            copy = to.graph->add(Op::input, node.type, {}, input, node.span);
            if (!node.name.empty()) to.graph->name_node(copy, node.name);
            to.captured.push_back(result.node);
        }
        to.copies[result.node] = copy;
        result.node = copy;
        ++result.level;
    }
    return result;
}

// ---- scalars and random numbers
// -------------------------------------------------------------------------

Term Elaborator::scalar(const std::string& name) {
    NodeTerm outer{build::scalar_input(*root_, name, Dtype::f64), true, 0, {}};
    return {imported(outer)};
}

NodeId Elaborator::row_count(Span span) {
    return imported({build::scalar_input(*root_, "rows", Dtype::i64, span), false, 0, {}}).node;
}

std::string Elaborator::next_stream(Scope& scope, const std::string& callee) {
    return fmt::format("{}.{}_{}", scope.frame->stream, callee, ++scope.frame->counts["~" + callee]);
}

/// Inside loops each turn is a step of its own: (step * turns + turn), for every loop around.
Term Elaborator::uniform(const Shape& shape, Dtype dtype, Scope& scope, Span span) {
    std::string stream = next_stream(scope, "random");
    Graph& target = graph();
    NodeId seed = imported({build::scalar_input(*root_, "seed", Dtype::i64), false, 0, {}}).node;
    NodeId step;
    if (mode.initial) step = build::constant(target, 0, Dtype::f64);
    else {
        step = std::get<NodeTerm>(scalar("step").data).node;
        for (size_t i = 1; i < levels_.size(); ++i) {
            NodeId iteration = imported({levels_[i]->iteration, false, int(i), {}}).node;
            NodeId iterations = build::constant(target, double(levels_[i]->iterations), Dtype::f64);
            step = build::elementwise(target, Primitive::multiply, {step, iterations});
            step = build::elementwise(target, Primitive::add, {step, build::cast(target, iteration, Dtype::f64)});
        }
    }
    std::vector<NodeId> inputs{seed, step};
    if (!shape.empty() && shape[0] == rows) {
        NodeId numbers;
        if (mode.rows_of_data)
            numbers = root_->add(Op::input, {Dtype::i32, {rows}}, {}, Input{Input::Source::field, "#row", 0, -1});
        else numbers = build::iota(*root_, {rows}, 0, Dtype::i32);
        inputs.push_back(imported({numbers, false, 0, {}}).node);
    }
    Dtype drawn = dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
    NodeId node = target.add(Op::random, {drawn, shape}, inputs, Random{hash_stream(stream)}, span);
    return make(build::cast(target, node, dtype, span));
}

// ---- terms
// ----------------------------------------------------------------------------------------------

Term Elaborator::make(NodeId node, std::vector<int> labels, bool weak) const {
    return {NodeTerm{node, weak, level(), std::move(labels)}};
}
Term Elaborator::term(NodeId node, bool weak) const { return make(node, {}, weak); }

int Elaborator::fresh_label(int64_t size) {
    label_sizes_.push_back(size);
    return int(label_sizes_.size()) - 1;
}

void Elaborator::adopt_label(int label, int64_t size) {
    if (label_sizes_.size() <= size_t(label)) label_sizes_.resize(size_t(label) + 1, 1);
    label_sizes_[size_t(label)] = size;
}

Dtype Elaborator::language_dtype(const std::string& name) const {
    if (name == "f32") return definitions.options.precision;
    if (name == "f64") return Dtype::f64;
    if (name == "bf16") return Dtype::bf16;
    if (name == "u8") return Dtype::u8;
    if (name == "bool") return Dtype::boolean;
    return Dtype::i32;
}

bool Elaborator::has_arithmetic(const std::string& dtype, Span span) {
    if (dtype != "bf16") return true;
    error(Code::dtype_mismatch, span, "nothing is computed in `bf16`", "", "write f32, or f64 for twice the digits");
    return false;
}

const Term* Elaborator::evaluated(const ast::Expr& expression) const {
    auto found = evaluated_.find(&expression);
    return found == evaluated_.end() ? nullptr : &found->second;
}
void Elaborator::set_evaluated(const ast::Expr& expression, Term value) { evaluated_[&expression] = std::move(value); }

const Term* Elaborator::cell(const std::string& name) const {
    auto found = cells_.find(name);
    return found == cells_.end() ? nullptr : &found->second;
}

void Elaborator::note_update(const std::string& cell) {
    Level& level = current_level();
    if (this->level() > 0 && !level.cells.count(cell)) level.updated.insert(cell);
}

std::vector<std::pair<std::string, Term>> Elaborator::updated_states() {
    std::vector<std::pair<std::string, Term>> result;
    for (const std::string& path : states_) {
        const Term& value = cells_.at(path);
        auto at_start = existing_variable(path);
        if (!at_start || !same(*at_start, value)) result.push_back({path, value});
    }
    return result;
}

void Scope::adopt(const Scope& inner) {
    for (auto& [name, binding] : names) {
        auto found = inner.names.find(name);
        if (found != inner.names.end()) binding = found->second;
    }
}

std::vector<std::string> Elaborator::known_names(const Scope& scope) const {
    std::vector<std::string> names{"training", "true", "false", "inf", "nan", "pi"};
    for (const auto& each : scope.names) names.push_back(each.first);
    for (auto& name : definitions.constant_names(scope.frame->module)) names.push_back(name);
    return names;
}

} // namespace gradc
