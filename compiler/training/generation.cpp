// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The body of the scan is elaborated once, outside of any loop. A carried value is read from its variable, except at the
// start, where it is the initial value.
#include "compiler/training/generation.h"
#include "compiler/elaborate/promotion.h"
#include "compiler/elaborate/values.h"
#include "compiler/graph/rewrite.h"
#include "runtime/data/dictionary.h"
#include <fmt/format.h>

namespace gradc {

namespace {

/// The number of characters that `generate` chooses among.
int64_t characters_of(const Field& text) {
    return runtime::Dictionary::of_characters(text.reader.alphabet, text.reader.other).size();
}

class GenerationElaboration {
public:
    GenerationElaboration(Elaborator& elaborator, const ast::Setting& line, const std::string& path, Scope& scope)
        : elaborator_(elaborator), graph_(elaborator.levels.root()), line_(line), span_(line.value->span), path_(path),
          inner_(scope) {}
    std::optional<Generation> run(const Field* text);

private:
    struct Carry {
        const ast::Carried* line;
        Type type; // with N, if the initial value has it
    };
    bool bind_inputs(const ast::Scan& scan, const Field* text);
    bool carry(const ast::Carried& each);
    bool close(const Carry& carry);
    NodeId scalar(const char* name, int64_t size);
    bool fail(Code code, std::string message, std::string repair) {
        elaborator_.error(code, span_, std::move(message), "", std::move(repair));
        return false;
    }

    Elaborator& elaborator_;
    Graph& graph_;
    const ast::Setting& line_;
    Span span_;
    std::string path_;
    Scope inner_;
    std::vector<Carry> carries_;
    Generation result_;
};

/// An integer scalar of the run in 0 .. size - 1.
NodeId GenerationElaboration::scalar(const char* name, int64_t size) {
    return graph_.add(Op::input, {Dtype::i32, {}}, {}, Input{Input::Source::scalar, name, 0, size - 1}, span_);
}

bool GenerationElaboration::bind_inputs(const ast::Scan& scan, const Field* text) {
    if (!text)
        return fail(Code::bad_setting, "`generate` needs a data set with a text",
                    "read it by characters(\"file.txt\")");
    auto positions = constant_integer(elaborator_, elaborator_.evaluate(*scan.bound, inner_), scan.bound->span,
                                      "the number of positions");
    if (!positions) return false;
    if (*positions < 2 || *positions > INT32_MAX)
        return fail(Code::negative_size, fmt::format("a text has 2 to 2^31 positions, not {}", *positions), "");
    result_.context = *positions;
    int64_t characters = characters_of(*text);
    NodeId token = build::broadcast_to(graph_, scalar("token", characters), {rows}, span_);
    inner_.names["token"] = {elaborator_.term(token), span_, "", true};
    inner_.names[scan.index] = {elaborator_.term(scalar("position", *positions)), scan.index_span, "", true};
    return true;
}

/// Binds the value that is carried to this character.
bool GenerationElaboration::carry(const ast::Carried& each) {
    auto start = to_operand(elaborator_, elaborator_.evaluate(*each.initial, inner_), each.initial->span);
    if (!start) return false;
    NodeTerm initial = start->weak ? in_dtype(elaborator_, *start, elaborator_.floating_default, each.span) : *start;
    Type type = graph_.type(initial.node);
    bool has_rows = !type.shape.empty() && type.shape[0] == rows;
    Type stored{type.dtype, Shape(type.shape.begin() + (has_rows ? 1 : 0), type.shape.end())};
    std::string path = path_ + "." + each.name;
    result_.carried.push_back({path, path, Variable::Role::accumulator, stored, each.span, -1});
    NodeId before =
        build::broadcast_to(graph_, build::variable(graph_, path, stored, each.span), type.shape, each.span);
    NodeId zero = build::constant(graph_, 0, Dtype::f64, {}, each.span);
    NodeId starts = build::scalar_input(graph_, "start", Dtype::f64, each.span);
    NodeId condition = build::elementwise(graph_, Primitive::less, {zero, starts}, each.span);
    NodeId all = build::broadcast_to(graph_, condition, type.shape, each.span);
    NodeId value = build::elementwise(graph_, Primitive::select, {all, initial.node, before}, each.span);
    inner_.bind(each.name, elaborator_.term(value), each.span);
    carries_.push_back({&each, type});
    return true;
}

/// Stores the value that is carried to the next character.
bool GenerationElaboration::close(const Carry& carry) {
    const ast::Carried& line = *carry.line;
    Term term = inner_.find(line.name)->value;
    auto value = to_operand(elaborator_, term, line.span);
    if (!value) return false;
    NodeTerm next = in_dtype(elaborator_, *value, carry.type.dtype, line.span);
    const Shape shape = graph_.type(next.node).shape;
    if (shape != carry.type.shape) {
        elaborator_.error(Code::carried_type, line.span,
                          fmt::format("`{}` starts as {}, but is {} after a character", line.name, print(carry.type),
                                      describe(elaborator_, term)),
                          "a carried value must keep its type");
        return false;
    }
    NodeId node = next.node;
    if (!shape.empty() && shape[0] == rows) { // of the only row
        bool logical = carry.type.dtype == Dtype::boolean;
        if (logical) node = build::cast(graph_, node, Dtype::i32, line.span);
        node = build::sum(graph_, node, {0}, line.span);
        if (logical) node = build::cast(graph_, node, Dtype::boolean, line.span);
    }
    std::string path = path_ + "." + line.name;
    result_.outputs.push_back({path, build::assign(graph_, path, node, line.span)});
    return true;
}

std::optional<Generation> GenerationElaboration::run(const Field* text) {
    auto scan = std::get_if<ast::Scan>(&line_.value->node);
    if (!scan) {
        fail(Code::bad_setting, "`generate` takes a scan over the positions of a text",
             "generate scan t < T with h = zeros([N, H]) { h = cell(token, h);  yield head(h) }");
        return {};
    }
    if (!bind_inputs(*scan, text)) return {};
    for (const ast::Carried& each : scan->carried)
        if (!carry(each)) return {};
    std::vector<Term> yielded;
    inner_.yields = &yielded;
    if (elaborator_.run(*scan->body, inner_)) {
        fail(Code::yield_misuse, "a loop body yields values and cannot return", "");
        return {};
    }
    auto logits = yielded.size() == 1 ? type_of(elaborator_, yielded[0]) : std::nullopt;
    int64_t characters = characters_of(*text);
    if (!logits || !floating(logits->dtype) || logits->shape != Shape{rows, characters}) {
        fail(Code::bad_setting,
             fmt::format("`generate` must yield the logits of the next character, [N, {}]", characters),
             "yield head(h), where `head` is a model");
        return {};
    }
    result_.outputs.push_back({"generate", to_node(elaborator_, yielded[0], span_)});
    for (const Carry& each : carries_)
        if (!close(each)) return {};
    std::vector<NodeId> roots;
    for (const Output& output : result_.outputs) roots.push_back(output.node);
    bool positioned = false; // some value depends on the position
    for (NodeId id : reachable(graph_, roots)) {
        auto input = std::get_if<Input>(&graph_[id].attributes);
        positioned = positioned || (graph_[id].op == Op::input && input->name == "position");
    }
    if (!positioned) result_.context = 0;
    return std::move(result_);
}

} // namespace

std::optional<Generation> elaborate_generation(Elaborator& elaborator, const ast::Setting& line, const Field* text,
                                               const std::string& path, Scope& scope) {
    return GenerationElaboration(elaborator, line, path, scope).run(text);
}

} // namespace gradc
