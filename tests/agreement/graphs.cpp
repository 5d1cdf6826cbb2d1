// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random graphs through the whole compiler: the evaluator, the rewrites, LLVM on every instruction set of this machine,
// the C++ text and kernels that were not fused must agree: with the evaluator within a tolerance, and AVX2, AVX-512 and
// the C++ text bit by bit. `fuzz_graphs [N] [FIRST_SEED]` tries N graphs (300); a disagreement prints the seed, the
// program's graph and the numbers, and ends with 1; `fuzz_graphs 1 SEED` tries one in every way. One module in eight is compiled
// as a trainer is, the others without optimizations, which is many times faster. Modules take turns in what else is
// compared: many steps in one call, or the baseline and kernels that were not fused; g++ or clang++.
#include "compiler/elaborate/definitions.h"
#include "compiler/elaborate/library/math.h"
#include "compiler/graph/build.h"
#include "compiler/graph/print.h"
#include "compiler/graph/rewrite.h"
#include "compiler/optimize/optimize.h"
#include "compiler/program/lower.h"
#include "compiler/program/multi_step.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/target/machine.h"
#include "dsl/parser.h"
#include "tests/support/derivatives.h"
#include "tests/support/engine_inputs.h"
#include "tests/support/multi_step.h"
#include "tests/support/random_graph.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <numeric>
#include <optional>

using namespace gradc;

namespace {

constexpr uint64_t graphs_a_module = 20;

struct Case {
    uint64_t seed;
    std::string name;
    Graph graph; // optimized, names prefixed
    Environment environment;
    std::vector<Tensor> expected;
    double tolerance;
};

/// Graphs that share one arena and one object: of 20 seeds, the first of which is 1 more than a multiple of 20.
struct Group {
    std::vector<Case> cases;
    int64_t largest_batch;
    target::Effort effort;
    bool multi_step; // of LLVM
    bool others;     // the baseline and kernels that are not fused
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

/// Adds the gradient of the loss by all variables and floating fields as outputs; `order` 2: the gradient of the sum of
/// that gradient's squares.
Graph with_gradient(Graph graph, int order) {
    std::vector<NodeId> wrt, found;
    for (uint32_t i = 0; i < graph.size(); ++i) {
        const Node& node = graph[NodeId(i)];
        bool field = node.op == Op::input && attribute<Input>(node).source == Input::Source::field;
        if (floating(node.type.dtype) && (field || node.op == Op::variable)) wrt.push_back(NodeId(i));
    }
    NodeId y = graph.outputs[0].node;
    for (; order > 0; --order) {
        found = gradient(graph, y, wrt, TestedRules());
        y = build::constant(graph, 0, graph.type(y).dtype);
        for (NodeId each : found) {
            if (each == NodeId::none) continue;
            std::vector<int> axes(size_t(graph.type(each).rank()));
            std::iota(axes.begin(), axes.end(), 0);
            NodeId square = build::elementwise(graph, Primitive::multiply, {each, each});
            y = build::elementwise(graph, Primitive::add, {y, build::sum(graph, square, axes)});
        }
    }
    for (NodeId each : found)
        if (each != NodeId::none) graph.outputs.push_back({"gradient", each});
    return extract(graph, graph.outputs);
}

/// Odd seeds: double, every op. Even seeds: float without jumps, which rounding could take to another side. Two in
/// seven have gradients, one of them gradients of gradients, without jumps either.
Case make_case(uint64_t seed, const std::shared_ptr<PrimitiveTable>& primitives, int64_t largest_batch) {
    int order = seed % 7 == 3 ? 1 : seed % 7 == 5 ? 2 : 0;
    RandomGraphOptions options;
    options.dtype = seed % 2 ? Dtype::f64 : Dtype::f32;
    options.smooth = seed % 2 == 0 || order > 0;
    options.wider = seed % 5 != 1 && seed % 5 != 2; // the others stay the graphs that they always were
    if (order == 2) options.nodes = 12;
    Graph graph = random_graph(seed, primitives, options);
    if (order > 0) graph = with_gradient(std::move(graph), order);
    std::string prefix = fmt::format("g{}_", seed);
    int64_t row_count = 1 + int64_t(seed % uint64_t(largest_batch));
    Environment environment = prefixed(random_environment(graph, seed, row_count), prefix);
    graph = prefixed(graph, prefix);
    double tolerance = seed % 2 ? 1e-9 : order == 0 ? 3e-5 : 1e-3;
    Case result{seed,        fmt::format("graph_{}", seed), optimize(graph, {}),
                environment, evaluate(graph, environment),  tolerance};
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

/// Outputs that can be read, by number; nothing for the others. "loss" is a result of every program.
using Results = std::vector<std::optional<std::vector<double>>>;

Results results(target::Engine& engine, const Case& each, loop::Isa isa) {
    write_inputs(engine, each.environment);
    engine.run(engine.program(each.name), each.environment.rows, isa);
    Results all(each.expected.size());
    for (size_t i = 1; i < all.size(); ++i) {
        const Node& node = each.graph[each.graph.outputs[i].node];
        if (!readable(node.type.shape)) continue;
        int tensor = node.op == Op::assign ? engine.tensor(attribute<Assign>(node).path)
                                           : engine.tensor(each.graph.outputs[i].name, GRADC_RESULT);
        all[i] = tensor < 0 ? std::vector<double>{} : engine.read(tensor, each.environment.rows);
    }
    return all;
}

/// Empty if `found` is what the evaluator computes, within the case's tolerance.
std::string disagreement(const Case& each, const Results& found) {
    for (size_t i = 0; i < found.size(); ++i) {
        if (!found[i]) continue;
        const std::vector<double>& expected = each.expected[i].values;
        if (found[i]->size() != expected.size())
            return fmt::format("output {}: {} numbers, not {}", i, found[i]->size(), expected.size());
        double scale = 1;
        for (double value : expected)
            if (std::isfinite(value)) scale = std::max(scale, std::fabs(value));
        for (size_t k = 0; k < expected.size(); ++k) {
            double one = (*found[i])[k];
            bool same = one == expected[k] || (std::isnan(one) && std::isnan(expected[k])) ||
                        std::fabs(one - expected[k]) <= each.tolerance * scale;
            if (!same) return fmt::format("output {}, element {}: {:.17g}, evaluator {:.17g}", i, k, one, expected[k]);
        }
    }
    return {};
}

/// Empty if both have the same bits; a NaN is a NaN.
std::string other_bits(const Results& found, const Results& wanted) {
    for (size_t i = 0; i < found.size(); ++i)
        for (size_t k = 0; found[i] && k < found[i]->size(); ++k) {
            double one = (*found[i])[k], other = (*wanted[i])[k];
            bool same = (std::isnan(one) && std::isnan(other)) || std::memcmp(&one, &other, sizeof one) == 0;
            if (!same) return fmt::format("output {}, element {}: other bits, {:.17g} and {:.17g}", i, k, one, other);
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

Plan plan_of(const Group& group, bool fuse) {
    std::vector<NamedGraph> programs;
    for (const Case& each : group.cases) programs.push_back({each.name, each.graph});
    PlanOptions options;
    options.name = "random";
    options.batch = group.largest_batch;
    options.fuse = fuse;
    return make_plan(programs, options);
}

/// Every operation a kernel of its own.
int try_unfused(const Group& group, const MathLibrary& math) {
    const loop::Isa isa = target::host_isas().back();
    loop::Module module = lower(plan_of(group, false), {isa}, math);
    target::Engine engine =
        target::load_object(target::object(module, described("random", module), nullptr, target::Effort::least));
    int wrong = 0;
    for (const Case& each : group.cases)
        if (std::string error = disagreement(each, results(engine, each, isa)); !error.empty())
            wrong += report(each, "unfused", error);
    return wrong;
}

/// Number of disagreements. `first`: set to the results of the first machine with fused multiply-add: all others of
/// them have its bits.
int try_module(const Group& group, const MathLibrary& math, std::vector<Results>& first) {
    const std::vector<Case>& cases = group.cases;
    Plan plan = plan_of(group, true);
    std::vector<loop::Isa> isas = target::host_isas();
    if (!group.others && isas.size() > 1) isas.erase(isas.begin());
    loop::Module module = lower(plan, isas, math);
    if (group.multi_step) loop::add_multi_step(module, {});
    target::Metadata metadata = described("random", module);
    target::Engine engine = target::load_object(target::object(module, metadata, nullptr, group.effort));
    int wrong = 0;
    for (loop::Isa isa : isas) {
        bool reference = isa != loop::Isa::baseline && first.empty();
        for (const Case& each : cases) {
            std::string how = fmt::format("LLVM, {}", target::machine(isa).name);
            Results found = results(engine, each, isa);
            if (std::string error = disagreement(each, found); !error.empty()) wrong += report(each, how, error);
            if (std::string error = multi_step_disagreement(engine, each, isa); !error.empty())
                wrong += report(each, how, error);
            if (reference) first.push_back(std::move(found));
            else if (isa != loop::Isa::baseline)
                if (std::string error = other_bits(found, first[size_t(&each - cases.data())]); !error.empty())
                    wrong += report(each, how, error);
        }
    }
    return wrong;
}

/// The C++ text for the widest vectors; `first`: what LLVM computed, empty if it has no fused multiply-add.
int try_text(const Group& group, const MathLibrary& math, const std::string& compiler,
             const std::vector<Results>& first, int& multi_step) {
    const loop::Isa isa = target::host_isas().back();
    loop::Module module = lower(plan_of(group, true), {isa}, math);
    loop::add_multi_step(module, {});
    std::string text = target::print_cpp(module, described("random", module)), error;
    // Small functions stay functions: put into their callers, they would be nearly all of the compiler's work.
    auto engine = target::load_cpp(text, compiler, error, {"-O0", "-Wno-psabi", "-Dalways_inline=unused"});
    if (!engine) return report(group.cases[0], "C++ text does not compile with " + compiler, error);
    int wrong = 0;
    for (size_t i = 0; i < group.cases.size(); ++i) {
        const Case& each = group.cases[i];
        multi_step += engine->module().programs[engine->program(each.name)].steps[size_t(isa)] != nullptr;
        Results found = results(*engine, each, isa);
        std::string wrong_value = first.empty() ? disagreement(each, found) : other_bits(found, first[i]);
        if (!wrong_value.empty()) wrong += report(each, compiler, wrong_value);
        if (std::string error = multi_step_disagreement(*engine, each, isa); !error.empty())
            wrong += report(each, compiler, error);
    }
    return wrong;
}

/// Graphs of seeds [from, to), all within one group's seeds.
Group make_group(uint64_t from, uint64_t to, const std::shared_ptr<PrimitiveTable>& primitives) {
    uint64_t number = (from - 1) / graphs_a_module;
    bool alone = to - from == 1, turn = (number + number / 8) % 2 == 1;
    Group group{{},
                number % 4 == 2 ? 37 : 5, // vectors of rows with a rest, or few rows
                number % 8 ? target::Effort::least : target::Effort::full,
                turn || alone,
                !turn || alone};
    for (uint64_t seed = from; seed < to; ++seed)
        group.cases.push_back(make_case(seed, primitives, group.largest_batch));
    return group;
}

} // namespace

int main(int argc, char** argv) {
    const int wanted = argc > 1 ? std::atoi(argv[1]) : 300;
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
    if (!target::host_has(loop::Isa::avx512)) fmt::print("no AVX-512 here: its bits are not compared\n");
    int wrong = 0, multi_step = 0;
    const uint64_t end = first + uint64_t(wanted);
    for (uint64_t from = first, to; from < end; from = to) {
        uint64_t number = (from - 1) / graphs_a_module;
        to = std::min(end, (number + 1) * graphs_a_module + 1);
        Group group = make_group(from, to, primitives);
        std::vector<Results> found;
        wrong += try_module(group, *math, found);
        if (!compilers.empty())
            wrong += try_text(group, *math, compilers[number % 4 ? compilers.size() - 1 : 0], found, multi_step);
        if (group.others) wrong += try_unfused(group, *math);
    }
    if (wrong) fmt::print("{} disagreements\n", wrong);
    if (wrong) return 1;
    fmt::print("{} random graphs agree, {} as steps in one call\n", wanted, multi_step);
    if (!compilers.empty() && wanted >= 100 && multi_step < wanted / 2) return 1; // too few to mean anything
    return 0;
}
