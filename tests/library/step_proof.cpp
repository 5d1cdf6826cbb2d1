// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Optimizers: every line that tests/optimizers records in double, here in f32. Each of ten steps of the evaluator is
// also taken by compiled code from the same weights and states, on every instruction set. The recorded numbers prove
// the formulas, this test the single precision.
#include "tests/library/compiled.h"
#include "tests/library/points.h"
#include "tests/library/proof.h"
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sstream>

namespace gradc::library {

namespace {

constexpr int step_count = 10;
constexpr int64_t batch = 2;

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The texts after `optimizer` in the recordings of model `file`.
std::vector<std::string> recorded_optimizers(const std::string& folder, const std::string& file) {
    std::vector<std::string> result;
    std::istringstream lines(text_of(folder + "/recorded.txt") + text_of(folder + "/recorded_published.txt"));
    const std::string start = "optimizer " + file + " ";
    for (std::string line; std::getline(lines, line);)
        if (line.rfind(start, 0) == 0) result.push_back(line.substr(start.size()));
    return result;
}

/// The model in f32 with a train block for each line.
std::string model_text(const std::string& folder, const std::string& file, const std::vector<std::string>& lines) {
    std::string text = text_of(folder + "/" + file + ".grad");
    for (size_t at = text.find("f64"); at != text.npos; at = text.find("f64", at)) text.replace(at, 3, "f32");
    for (size_t i = 0; i < lines.size(); ++i)
        text += fmt::format("train t{} {{ data d; batch {}; order file; epochs 7; loss net(x); "
                            "optimizer {} }}\n",
                            i, batch, lines[i]);
    return text;
}

void round_to_float(std::unordered_map<std::string, Tensor>& variables) {
    for (auto& [path, tensor] : variables)
        for (double& value : tensor.values) value = double(float(value));
}

/// One optimizer line: its block, and the run of the evaluator.
struct Run {
    std::string entry, line;
    const TrainBlock* block;
    Environment environment;
    std::set<std::string> compared; // weights and states
};

Run start(const TrainingJob& job, const TrainBlock& block, const std::string& line) {
    Run run{line.substr(0, line.find('(')), line, &block, {}, {}};
    Environment& environment = run.environment;
    environment.rows = batch;
    environment.scalars = {{"seed", 1}, {"step", 1}, {"steps", 21}, {"epoch", 1}};
    for (const TrainBlock& each : job.blocks) // the states of all blocks can start from them
        for (const Flag& flag : each.flags) environment.scalars[flag.input] = flag.value;
    auto values = evaluate(job.initial, environment);
    for (size_t i = 0; i < values.size(); ++i) environment.variables[job.initial.outputs[i].name] = values[i];
    for (const Variable& variable : job.variables)
        if (variable.role == Variable::Role::parameter || variable.role == Variable::Role::optimizer)
            run.compared.insert(variable.path);
    return run;
}

void set_step(Run& run, const TrainingJob& job, int number) {
    round_to_float(run.environment.variables);
    run.environment.scalars["step"] = number;
    for (const Field& field : job.datasets[0].fields) {
        const std::vector<double>& all = field.reader.values;
        size_t first = size_t(number - 1) * size_t(batch) % all.size();
        run.environment.fields[field.name] = {{batch}, {all[first], all[first + 1]}};
    }
}

void compare_step(const Run& run, Machines& machines, const std::vector<Tensor>& exact, int number,
                  Findings& findings) {
    Finding& finding = findings.of[run.entry];
    for (const Way& way : machines.ways()) {
        machines.write(run.environment);
        machines.run(run.block->name, batch, way);
        for (size_t i = 0; i < exact.size(); ++i) {
            const std::string& path = run.block->step.outputs[i].name;
            if (!run.compared.count(path)) continue;
            auto found = machines.read_variable(path);
            double largest = 0, worst = 0;
            for (double value : exact[i].values) largest = std::max(largest, std::fabs(value));
            for (size_t k = 0; k < found.size(); ++k)
                worst = std::max(worst, compiled_error(found[k], exact[i].values[k], largest, true));
            finding.value_error = std::max(finding.value_error, worst);
            if (!(worst <= 1e-5))
                findings.error(fmt::format("{}: {} after step {} on {} is off by {:.2g}", run.line, path, number,
                                           way.name, worst));
        }
    }
}

void prove_file(const std::string& folder, const std::string& file, Findings& findings) {
    auto lines = recorded_optimizers(folder, file);
    if (lines.empty()) findings.error("no recorded optimizers of " + file);
    TrainingJob job = elaborate_text(model_text(folder, file, lines), Dtype::f32);
    std::vector<NamedGraph> programs;
    for (const TrainBlock& block : job.blocks) programs.push_back({block.name, block.step});
    Machines machines(job, programs, batch, Dtype::f32);
    for (size_t i = 0; i < lines.size(); ++i) {
        Run run = start(job, job.blocks[i], lines[i]);
        ++findings.of[run.entry].cases;
        for (int number = 1; number <= step_count; ++number) {
            set_step(run, job, number);
            auto exact = evaluate(run.block->step, run.environment);
            compare_step(run, machines, exact, number, findings);
            for (size_t k = 0; k < exact.size(); ++k)
                if (run.environment.variables.count(run.block->step.outputs[k].name))
                    run.environment.variables[run.block->step.outputs[k].name] = exact[k];
        }
    }
}

} // namespace

void prove_steps(const std::string& folder, Findings& findings) {
    prove_file(folder, "mixed", findings);
    prove_file(folder, "single", findings);
    prove_file(folder, "matrix", findings);
}

} // namespace gradc::library
