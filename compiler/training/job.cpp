// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a source to everything that the later stages need: load, elaborate data sets, train blocks and models that no
// block uses, then rules and derivative clauses for later rewrites and derivatives.
#include "compiler/training/job.h"
#include "compiler/elaborate/elaborator.h"
#include "compiler/elaborate/library/library.h"
#include "compiler/elaborate/library/math.h"
#include "compiler/elaborate/library/rules.h"
#include "compiler/elaborate/library/unused.h"
#include "compiler/elaborate/values.h"
#include "compiler/graph/rewrite.h"
#include "compiler/training/training.h"
#include "compiler/util/check.h"
#include "dsl/parser.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {

namespace {

std::string stem(const std::string& path) {
    size_t slash = path.rfind('/');
    std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    return name.ends_with(".grad") ? name.substr(0, name.size() - 5) : name;
}

/// A model alone, called once on inputs of its written types.
std::optional<TrainingJob::Circuit> stand_alone(Definitions& definitions, const FunctionEntry& model) {
    TrainingJob::Circuit circuit{model.tree->name, Graph(definitions.primitives), {}, {}};
    ElaborationMode mode;
    mode.training = false;
    Elaborator elaborator(definitions, circuit.graph, mode);
    Frame frame = block_frame(elaborator.definitions, "model", model.module, nullptr);
    Scope scope;
    scope.frame = &frame;
    auto arguments = inputs_for(elaborator, *model.tree, scope);
    if (!arguments) return {};
    Term value = elaborator.call(model, std::move(*arguments), model.tree->name_span, scope);
    if (value.poisoned()) return {};
    auto tuple = value.as<TupleTerm>();
    std::vector<Term> results = tuple ? tuple->items : std::vector<Term>{value};
    std::vector<NodeId> roots;
    for (size_t i = 0; i < results.size(); ++i) {
        NodeId node = to_node(elaborator, results[i], model.tree->name_span);
        if (node == NodeId::none) return {};
        circuit.graph.outputs.push_back({i ? fmt::format("value {}", i + 1) : "value", node});
        roots.push_back(node);
    }
    for (NodeId id : reachable(circuit.graph, roots)) {
        const Node& node = circuit.graph[id];
        if (node.op == Op::variable) {
            auto variable = definitions.find_variable(attribute<VariableName>(node).path);
            if (variable && variable->role == Variable::Role::parameter) circuit.parameters.push_back(id);
        } else if (!node.name.empty() && node.op != Op::input) circuit.inner.push_back({node.name, id});
    }
    return circuit;
}

std::shared_ptr<const MathLibrary> math_library(Definitions& definitions) {
    for (const StandardFile& file : standard_library()) {
        if (std::string_view(file.name) != "std/math.grad") continue;
        uint32_t source = definitions.sources->add({file.name, std::string(file.text)});
        return make_math_library(parse(*definitions.sources, source, *definitions.diagnostics), definitions.primitives);
    }
    return nullptr;
}

void elaborate_models(Definitions& definitions, TrainingJob& result) {
    const Module& main = definitions.modules[definitions.main_module];
    bool trained = std::any_of(main.tree.items.begin(), main.tree.items.end(),
                               [](const ast::Item& item) { return std::holds_alternative<ast::Train>(item.node); });
    for (const ast::Item& item : main.tree.items) {
        auto function = std::get_if<ast::Function>(&item.node);
        if (!function || function->kind != ast::FunctionKind::model) continue;
        auto entry = main.functions.find(function->name);
        if (entry == main.functions.end() || entry->second.tree != function) continue;
        bool takes_nothing = function->parameters.empty();
        if (trained && !takes_nothing) continue;
        auto circuit = stand_alone(definitions, entry->second);
        if (!circuit) continue;
        (takes_nothing ? result.circuits : result.models).push_back(std::move(*circuit));
    }
}

struct NoFiles : SourceReader {
    std::optional<std::string> read(const std::string&, std::string&) override { return {}; }
};

} // namespace

std::shared_ptr<const Library> load_library() {
    Sources sources;
    sources.add({"", ""}); // the model's place
    NoFiles reader;
    Diagnostics diagnostics;
    Options options;
    options.node_limit = INT64_MAX / work_for_node; // of all elaborations that share it
    auto definitions = std::make_shared<Definitions>(sources, reader, options, diagnostics);
    definitions->load_library();
    Library library;
    library.sources.assign(sources.all.begin() + 1, sources.all.end());
    for (const Module& module : definitions->modules) library.trees.push_back(module.parsed);
    library.primitives = definitions->primitives;
    library.rules = pattern_rules(definitions);
    library.math = math_library(*definitions);
    check(!diagnostics.failed(), "elaborate", print(diagnostics, sources));
    definitions->detach();
    return std::make_shared<const Library>(std::move(library));
}

std::optional<TrainingJob> elaborate(Sources& sources, uint32_t main, SourceReader& reader, const Options& options,
                                     Diagnostics& diagnostics) {
    auto definitions = std::make_shared<Definitions>(sources, reader, options, diagnostics);
    TrainingJob result{.name = stem(sources.all[main].name),
                       .primitives = definitions->primitives,
                       .initial = Graph(definitions->primitives),
                       .derived = Graph(definitions->primitives),
                       .statistics = {{}, Graph(definitions->primitives)}};
    try {
        definitions->load(main);
        if (diagnostics.failed()) return {};
        elaborate_blocks(*definitions, result);
        elaborate_models(*definitions, result);
        check_functions(*definitions);
        result.pattern_rules = std::make_shared<std::vector<PatternRule>>(pattern_rules(definitions));
    } catch (const Abandoned&) {
        return {};
    }
    if (diagnostics.failed()) return {};
    result.variables = definitions->variables;
    result.initial = definitions->initial;
    result.derived = definitions->derived;
    result.data_read = definitions->data_read;
    result.rules = derivative_rules(definitions);
    result.math = options.library ? options.library->math : math_library(*definitions);
    definitions->detach();
    return result;
}

} // namespace gradc
