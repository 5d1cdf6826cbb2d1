// `agree_steps MODEL.grad..`: one whole training step (loss, states, optimizer) as compiled for every instruction set of
// this machine, fused and operation by operation, against the evaluator on the same drawn rows and weights. Also the start
// values. Ends with 1 when off.
#include "compiler/check/gradient_check.h"
#include "compiler/graph/rewrite.h"
#include "compiler/pipeline.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/target/machine.h"
#include "dsl/diagnostic.h"
#include <cmath>
#include <fmt/format.h>

using namespace gradc;

namespace {

void write_inputs(target::Engine& engine, const Environment& environment) {
    const gradc_module& module = engine.module();
    for (int32_t i = 0; i < module.tensor_count; ++i) {
        std::string name = module.tensors[i].name;
        int32_t role = module.tensors[i].role;
        if (role == GRADC_FIELD && environment.fields.count(name))
            engine.write(i, environment.fields.at(name).values, environment.rows);
        else if (role == GRADC_SCALAR && name == "rows") engine.write(i, {double(environment.rows)});
        else if (role == GRADC_SCALAR && environment.scalars.count(name))
            engine.write(i, {environment.scalars.at(name)});
        else if (role != GRADC_RESULT && role != GRADC_FIELD && environment.variables.count(name))
            engine.write(i, environment.variables.at(name).values);
    }
}

/// Rounding of a few hundred float operations; f64 accumulators hold sums of float losses.
constexpr int64_t largest_batch = 32;
constexpr double tolerance = 2e-4;

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
        int tensor = assigned ? engine.tensor(name) : engine.tensor(name, GRADC_RESULT);
        double error = tensor < 0 ? INFINITY : relative_error(engine.read(tensor, environment.rows), expected[i].values);
        if (error <= tolerance) continue;
        fmt::print("{}, {}: {} is off by {:.2g}\n", what, target::machine(isa).name, name, error);
        ++wrong;
    }
    return wrong;
}

int agree(const std::string& path, bool fuse) {
    CommandLine line;
    line.model = path;
    line.fuse = fuse;
    FileReader reader;
    std::string fault;
    Front front = load(line, reader, fault);
    if (!front.elaborated) {
        fmt::print("{}{}", fault, print(front.diagnostics, front.sources));
        return 1;
    }
    Elaborated& elaborated = *front.elaborated;
    for (TrainBlock& block : elaborated.blocks) block.batch = largest_batch;
    StageTimes times;
    Compiled compiled = compile(elaborated, line, front.sources, times);
    target::Engine engine = target::load_object(target::object(compiled.module, compiled.metadata));
    int wrong = 0;
    const std::string told = path + (fuse ? "" : ", unfused");
    for (loop::Isa isa : target::host_isas()) {
        Environment start;
        start.scalars["seed"] = 1;
        wrong += compare(engine, compiled.metadata.initial, elaborated.initial, start, isa, told + ": start");
        for (size_t b = 0; b < elaborated.blocks.size(); ++b) {
            const TrainBlock& block = elaborated.blocks[b];
            for (int64_t rows : {largest_batch, int64_t(21), int64_t(2)}) {
                Environment environment = sample(elaborated, block.flags, block.step, {rows, 1});
                wrong += compare(engine, compiled.metadata.blocks[b].step, block.step, environment, isa,
                                 fmt::format("{}: {} on {} rows", told, block.name, rows));
            }
        }
    }
    if (!wrong) fmt::print("{}: steps agree\n", told);
    return wrong;
}

} // namespace

int main(int argc, char** argv) {
    int wrong = 0;
    for (int i = 1; i < argc; ++i)
        for (bool fuse : {true, false}) wrong += agree(argv[i], fuse);
    return wrong ? 1 : 0;
}
