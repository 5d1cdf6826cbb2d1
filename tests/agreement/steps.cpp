// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `agree_steps [--batch-size N] MODEL.grad..`: one whole training step (loss, states, optimizer) and the initial
// values, compiled for every instruction set of this machine, fused and unfused. All are compared with the evaluator on
// the same random rows and weights. Batches of 32 and 4, or of N alone. Ends with exit code 1 if they differ.
#include "compiler/check/gradient_check.h"
#include "compiler/graph/rewrite.h"
#include "compiler/pipeline.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/target/machine.h"
#include "dsl/diagnostic.h"
#include "tests/support/engine_inputs.h"
#include "tests/support/multi_step.h"
#include <cmath>
#include <fmt/format.h>

using namespace gradc;

namespace {

/// Rounding of a few hundred float operations; f64 accumulators hold sums of float losses.
constexpr double tolerance = 2e-4;

/// The program's result of that name: several blocks have a "loss". -1: none.
int result(const target::Engine& engine, int program, const std::string& name) {
    const gradc_program& of = engine.module().programs[program];
    for (int32_t r = 0; r < of.result_count; ++r)
        if (name == engine.module().tensors[of.results[r]].name) return of.results[r];
    return -1;
}

/// Compares every assign of `graph`; the loss guard is off.
int compare(target::Engine& engine, int program, const Graph& graph, const Environment& environment, loop::Isa isa,
            const std::string& what) {
    std::vector<Tensor> expected = evaluate(graph, environment);
    write_inputs(engine, environment);
    engine.run(program, environment.rows, isa);
    int wrong = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        const Node& node = graph[graph.outputs[i].node];
        bool assigned = node.op == Op::assign;
        std::string name = assigned ? attribute<Assign>(node).path : graph.outputs[i].name;
        int tensor = assigned ? engine.tensor(name) : result(engine, program, name);
        double error =
            tensor < 0 ? INFINITY : relative_error(engine.read(tensor, environment.rows), expected[i].values);
        if (error <= tolerance) continue;
        fmt::print("{}, {}: {} is off by {:.2g}\n", what, target::machine(isa).name, name, error);
        ++wrong;
    }
    return wrong;
}

/// A step that also runs many times in one call gives the same bits so.
int compare_multi_step(target::Engine& engine, int program, const Environment& environment, loop::Isa isa,
                       const std::string& what) {
    if (!engine.module().programs[program].steps[int(isa)]) return 0;
    write_inputs(engine, environment);
    std::string error = MultiStepComparison(engine, program, isa, environment.rows).run();
    if (error.empty()) return 0;
    fmt::print("{}, {}: {}\n", what, target::machine(isa).name, error);
    return 1;
}

/// Compiled for this batch, tried on these numbers of rows.
int agree(const std::string& path, bool fuse, int64_t batch, const std::vector<int64_t>& sizes) {
    CompileOptions options;
    options.model = path;
    options.fuse = fuse;
    FileReader reader;
    std::string error;
    Front front = load(options, reader, error);
    if (!front.job) {
        fmt::print("{}{}", error, print(front.diagnostics, front.sources));
        return 1;
    }
    TrainingJob& job = *front.job;
    for (TrainBlock& block : job.blocks) block.batch = batch;
    StageTimes times;
    Compiled compiled = compile(job, options, front.sources, times);
    target::Engine engine = target::load_object(target::object(compiled.module, compiled.metadata));
    int wrong = 0;
    const std::string told = path + (fuse ? "" : ", unfused");
    for (loop::Isa isa : target::host_isas()) {
        Environment start;
        start.scalars["seed"] = 1;
        wrong += compare(engine, compiled.metadata.initial, job.initial, start, isa, told + ": start");
        for (size_t b = 0; b < job.blocks.size(); ++b) {
            const TrainBlock& block = job.blocks[b];
            for (int64_t rows : sizes) {
                Environment environment = sample(job, block.flags, block.step, {rows, 1});
                std::string what = fmt::format("{}: {} on {} rows", told, block.name, rows);
                int program = compiled.metadata.blocks[b].step;
                wrong += compare(engine, program, block.step, environment, isa, what);
                wrong += compare_multi_step(engine, program, environment, isa, what);
            }
        }
    }
    if (!wrong) fmt::print("{}: steps of up to {} rows agree\n", told, batch);
    return wrong;
}

} // namespace

int main(int argc, char** argv) {
    int wrong = 0, first = 1;
    int64_t batch = 0;
    if (argc > 3 && std::string(argv[1]) == "--batch-size") batch = std::stoll(argv[2]), first = 3;
    for (int i = first; i < argc; ++i) {
        if (batch > 0) {
            wrong += agree(argv[i], true, batch, {batch, batch - batch / 19, 3});
            continue;
        }
        for (bool fuse : {true, false}) wrong += agree(argv[i], fuse, 32, {32, 21, 2});
        wrong += agree(argv[i], true, 4, {4, 3}); // so few that a step may run many times in one call
    }
    return wrong ? 1 : 0;
}
