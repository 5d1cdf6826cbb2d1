// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random graphs through the whole compiler. The evaluator, the rewrites, LLVM on every instruction set of this machine,
// the C++ text and unfused kernels must agree. `fuzz_graphs [N] [FIRST_SEED]` tries N graphs (200). A disagreement
// prints the seed, the program's graph and the numbers, and ends with exit code 1.
#include "compiler/elaborate/definitions.h"
#include "compiler/elaborate/library/math.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/optimize.h"
#include "compiler/program/lower.h"
#include "compiler/program/multi_step.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/target/machine.h"
#include "dsl/parser.h"
#include "tests/support/engine_inputs.h"
#include "tests/support/multi_step.h"
#include "tests/support/random_graph.h"
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

using namespace gradc;

namespace {

constexpr int graphs_a_module = 20;
constexpr int64_t largest_batch = 5;

struct Case {
    uint64_t seed;
    std::string name;
    Graph graph; // optimized, names prefixed
    Environment environment;
    std::vector<Tensor> expected;
    double tolerance;
};

/// Fields, scalars and variables get a prefix, so that many graphs can share an arena.
Graph prefixed(const Graph& graph, const std::string& prefix) {
    return rebuild(graph, [&](Graph& target, NodeId old, const std::vector<NodeId>& inputs) {
        const Node& node = graph[old];
        if (node.op == Op::variable)
            return target.add(node.op, node.type, {}, VariableName{prefix + attribute<VariableName>(node).path});
        if (node.op == Op::assign)
            return target.add(node.op, node.type, inputs, Assign{prefix + attribute<Assign>(node).path});
        if (node.op != Op::input) return NodeId::none;
        Input input = attribute<Input>(node);
        bool shared = input.name == "rows" || input.name == "#row" || input.name == "seed" || input.name == "step";
        if (input.source == Input::Source::carry || input.source == Input::Source::capture ||
            input.source == Input::Source::iteration || shared)
            return NodeId::none;
        input.name = prefix + input.name;
        return target.add(node.op, node.type, inputs, input);
    });
}

Environment prefixed(Environment environment, const std::string& prefix) {
    Environment result;
    result.rows = environment.rows;
    for (auto& [name, tensor] : environment.fields) {
        result.fields[name] = tensor;
        result.fields[prefix + name] = tensor;
    }
    for (auto& [name, value] : environment.scalars) {
        result.scalars[name] = value;
        result.scalars[prefix + name] = value;
    }
    for (auto& [name, tensor] : environment.variables) result.variables[prefix + name] = tensor;
    return result;
}

/// Odd seeds: double, every op. Even seeds: float without jumps, which rounding could take to another side.
Case make_case(uint64_t seed, const std::shared_ptr<PrimitiveTable>& primitives) {
    RandomGraphOptions options;
    options.dtype = seed % 2 ? Dtype::f64 : Dtype::f32;
    options.smooth = seed % 2 == 0;
    options.wider = seed % 5 != 1 && seed % 5 != 2; // the others stay the graphs that they always were
    Graph graph = random_graph(seed, primitives, options);
    std::string prefix = fmt::format("g{}_", seed);
    Environment environment = prefixed(random_environment(graph, seed, 1 + int64_t(seed % largest_batch)), prefix);
    graph = prefixed(graph, prefix);
    Case result{seed,        fmt::format("graph_{}", seed), optimize(graph, {}),
                environment, evaluate(graph, environment),  seed % 2 ? 1e-9 : 3e-5};
    for (size_t i = 0; i < result.graph.outputs.size(); ++i)
        result.graph.outputs[i].name = fmt::format("{}out{}", prefix, i);
    // Again under the name that makes the program a step: it has a guard then, and may run many steps in one call.
    result.graph.outputs.insert(result.graph.outputs.begin(), {"loss", result.graph.outputs[0].node});
    result.expected.insert(result.expected.begin(), result.expected[0]);
    return result;
}

/// A result can be read row by row when N is its first axis or none; the loss sums over the others.
bool readable(const Shape& shape) {
    for (size_t i = 1; i < shape.size(); ++i)
        if (shape[i] == rows) return false;
    return true;
}

/// Empty if the engine's values agree with the evaluator's.
std::string disagreement(target::Engine& engine, const Case& each, loop::Isa isa) {
    write_inputs(engine, each.environment);
    engine.run(engine.program(each.name), each.environment.rows, isa);
    for (size_t i = 0; i < each.expected.size(); ++i) {
        const Node& node = each.graph[each.graph.outputs[i].node];
        if (i == 0 || !readable(node.type.shape)) continue; // "loss" is a result of every program
        int tensor = node.op == Op::assign ? engine.tensor(attribute<Assign>(node).path)
                                           : engine.tensor(each.graph.outputs[i].name, GRADC_RESULT);
        if (tensor < 0) return fmt::format("no result {}", each.graph.outputs[i].name);
        std::vector<double> found = engine.read(tensor, each.environment.rows);
        const std::vector<double>& expected = each.expected[i].values;
        if (found.size() != expected.size())
            return fmt::format("output {}: {} numbers, not {}", i, found.size(), expected.size());
        double scale = 1;
        for (double value : expected)
            if (std::isfinite(value)) scale = std::max(scale, std::fabs(value));
        for (size_t k = 0; k < found.size(); ++k) {
            bool same = found[k] == expected[k] || (std::isnan(found[k]) && std::isnan(expected[k])) ||
                        std::fabs(found[k] - expected[k]) <= each.tolerance * scale;
            if (!same)
                return fmt::format("output {}, element {}: {:.17g}, evaluator {:.17g}", i, k, found[k], expected[k]);
        }
    }
    return {};
}

int report(const Case& each, const std::string& how, const std::string& error) {
    fmt::print("{}\nseed {} ({}, {} nodes): {}\n", print(each.graph), each.seed, how, each.graph.size(), error);
    return 1;
}

std::string multi_step_disagreement(target::Engine& engine, const Case& each, loop::Isa isa) {
    int program = engine.program(each.name);
    if (!engine.module().programs[program].steps[int(isa)]) return {};
    write_inputs(engine, each.environment);
    return MultiStepComparison(engine, program, isa, each.environment.rows).run();
}

Plan plan_of(const std::vector<Case>& cases, bool fuse) {
    std::vector<NamedGraph> programs;
    for (const Case& each : cases) programs.push_back({each.name, each.graph});
    PlanOptions options;
    options.name = "random";
    options.batch = largest_batch;
    options.fuse = fuse;
    return make_plan(programs, options);
}

/// Every operation a kernel of its own.
int try_unfused(const std::vector<Case>& cases, const MathLibrary& math) {
    const loop::Isa isa = target::host_isas().back();
    loop::Module module = lower(plan_of(cases, false), {isa}, math);
    target::Engine engine = target::load_object(target::object(module, described("random", module)));
    int wrong = 0;
    for (const Case& each : cases)
        if (std::string error = disagreement(engine, each, isa); !error.empty())
            wrong += report(each, "unfused", error);
    return wrong;
}

/// Number of disagreements.
int try_module(const std::vector<Case>& cases, const MathLibrary& math, const std::vector<std::string>& compilers,
               int& multi_step) {
    Plan plan = plan_of(cases, true);
    loop::Module module = lower(plan, target::host_isas(), math);
    loop::add_multi_step(module, {});
    for (const auto& versions : module.programs)
        multi_step += versions[size_t(target::host_isas().back())]->multi_step.has_value();
    target::Metadata metadata = described("random", module);
    target::Engine engine = target::load_object(target::object(module, metadata));
    int wrong = 0;
    for (const Case& each : cases)
        for (loop::Isa isa : target::host_isas())
            for (auto* compare : {disagreement, multi_step_disagreement})
                if (std::string error = compare(engine, each, isa); !error.empty())
                    wrong += report(each, fmt::format("LLVM, {}", target::machine(isa).name), error);
    if (compilers.empty()) return wrong;
    std::string error;
    loop::Module widest = lower(plan, {target::host_isas().back()}, math);
    loop::add_multi_step(widest, {});
    auto text = target::load_cpp(target::print_cpp(widest, metadata), compilers[0], error, {"-O0"});
    if (!text) return wrong + report(cases[0], "C++ text does not compile", error);
    for (const Case& each : cases)
        for (auto* compare : {disagreement, multi_step_disagreement})
            if (std::string found = compare(*text, each, target::host_isas().back()); !found.empty())
                wrong += report(each, "C++", found);
    return wrong;
}

} // namespace

int main(int argc, char** argv) {
    const int wanted = argc > 1 ? std::atoi(argv[1]) : 200;
    const uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    auto primitives = std::make_shared<PrimitiveTable>();
    for (const char* name : {"exp", "log", "sin", "cos", "tanh", "erf"}) primitives->declare(name, 1);
    primitives->declare("pow", 2);
    Sources sources;
    Diagnostics diagnostics;
    for (const StandardFile& file : standard_library())
        if (std::string(file.name) == "std/math.grad") sources.add({file.name, std::string(file.text)});
    auto math = make_math_library(parse(sources, 0, diagnostics), primitives);
    std::vector<std::string> compilers = target::find_compilers();
    if (compilers.empty()) fmt::print("no C++ compiler found: the C++ text is not compared\n");
    int wrong = 0, multi_step = 0;
    for (int done = 0; done < wanted; done += graphs_a_module) {
        std::vector<Case> cases;
        for (int i = done; i < std::min(wanted, done + graphs_a_module); ++i)
            cases.push_back(make_case(first + uint64_t(i), primitives));
        wrong += try_module(cases, *math, compilers, multi_step);
        wrong += try_unfused(cases, *math);
    }
    if (wrong) fmt::print("{} disagreements\n", wrong);
    if (wrong) return 1;
    fmt::print("{} random graphs agree, {} as steps in one call\n", wanted, multi_step);
    if (wanted >= 100 && multi_step < wanted / 2) return 1; // too few to mean anything
    return 0;
}
