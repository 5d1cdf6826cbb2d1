// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A trainer on the evaluator: elaborates a model from text, draws initial values and runs steps, passes and predictions
// as the runtime does, row by row of literal or given columns.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/training/job.h"
#include <catch2/catch.hpp>

namespace gradc {

struct NoFiles : SourceReader {
    std::optional<std::string> read(const std::string&, std::string& reason) override {
        reason = "there are no files";
        return {};
    }
};

/// The program, or the printed diagnostics.
inline std::optional<TrainingJob> job(const std::string& text, std::string& printed, Options options = {}) {
    Sources sources;
    uint32_t main = sources.add({"model.grad", text, {}});
    NoFiles files;
    Diagnostics diagnostics;
    auto result = elaborate(sources, main, files, options, diagnostics);
    printed = print(diagnostics, sources);
    return result;
}

class Simulation {
public:
    explicit Simulation(const std::string& text, Options options = double_precision()) {
        std::string printed;
        auto result = job(text, printed, options);
        INFO(printed);
        REQUIRE(result.has_value());
        program = std::make_unique<TrainingJob>(std::move(*result));
        Environment start;
        start.scalars["seed"] = 1;
        for (const TrainBlock& block : program->blocks)
            for (const Flag& flag : block.flags) start.scalars[flag.input] = flag.value;
        auto values = evaluate(program->initial, start);
        for (size_t i = 0; i < values.size(); ++i) variables[program->initial.outputs[i].name] = values[i];
        for (const DatasetSpec& data : program->datasets)
            for (const Field& field : data.fields)
                if (field.reader.is_literal()) columns[field.name] = field.reader.values;
                else if (field.reader.is_row_number())
                    for (int64_t i = 0; i < field.reader.rows; ++i) columns[field.name].push_back(double(i));
    }

    static Options double_precision() {
        Options options;
        options.precision = Dtype::f64;
        return options;
    }

    /// Rows [from, to) of the columns, with all variables and scalars.
    Environment rows(int64_t from, int64_t to) const {
        Environment e;
        e.rows = to - from;
        e.variables = variables;
        e.scalars = scalars;
        e.scalars["seed"] = 1;
        for (const DatasetSpec& data : program->datasets)
            for (const Field& field : data.fields) {
                Shape shape{to - from};
                shape.insert(shape.end(), field.shape.begin(), field.shape.end());
                auto first = columns.at(field.name).begin();
                int64_t size = count(field.shape, 1);
                if (int64_t(columns.at(field.name).size()) < to * size) continue; // a data set that no block reads
                e.fields[field.name] = {shape, {first + from * size, first + to * size}};
            }
        Tensor numbers{{to - from}, {}};
        for (int64_t i = from; i < to; ++i) numbers.values.push_back(double(i));
        e.fields["#row"] = numbers;
        generate(e);
        return e;
    }

    /// Generated fields, as the trainer keeps them.
    void generate(Environment& e) const {
        if (program->columns.empty() || program->columns[0].outputs.empty()) return;
        const Graph& formulas = program->columns[0];
        for (uint32_t i = 0; i < formulas.size(); ++i) {
            auto input = std::get_if<Input>(&formulas[NodeId(i)].attributes);
            bool field = input && input->source == Input::Source::field;
            if (field && !e.fields.count(input->name)) return; // given by the test itself
        }
        auto values = evaluate(formulas, e);
        for (size_t i = 0; i < values.size(); ++i) e.fields.emplace(formulas.outputs[i].name, values[i]);
    }

    std::unordered_map<std::string, Tensor> run(const Graph& graph, const Environment& e) {
        std::unordered_map<std::string, Tensor> results;
        auto values = evaluate(graph, e);
        for (size_t i = 0; i < values.size(); ++i) {
            const Output& output = graph.outputs[i];
            if (graph[output.node].op == Op::assign) variables[output.name] = values[i];
            else results[output.name] = values[i];
        }
        return results;
    }

    /// One step of a block on some rows; returns the loss.
    double step(double number, double steps, int64_t from, int64_t to, size_t block = 0) {
        const TrainBlock& b = program->blocks[block];
        for (const Flag& flag : b.flags)
            if (!scalars.count(flag.input)) scalars[flag.input] = flag.value;
        scalars["step"] = number, scalars["steps"] = steps, scalars["epoch"] = 1;
        return run(b.step, rows(from, to)).at("loss").values[0];
    }

    Tensor predict(const TrainBlock& block, int64_t from, int64_t to) {
        return run(*block.predict, rows(from, to)).at("predict");
    }

    std::unordered_map<std::string, Tensor> integer(const WholeSplit& split, int64_t n, int64_t batch) {
        for (const Variable& v : program->variables)
            if (v.role == Variable::Role::accumulator)
                std::fill(variables[v.path].values.begin(), variables[v.path].values.end(), 0.0);
        for (const Graph& pass : split.passes)
            for (int64_t from = 0; from < n; from += batch) run(pass, rows(from, std::min(n, from + batch)));
        return run(split.finish, rows(0, 1));
    }

    const std::vector<double>& values(const std::string& path) const { return variables.at(path).values; }

    std::unique_ptr<TrainingJob> program;
    std::unordered_map<std::string, Tensor> variables;
    std::unordered_map<std::string, double> scalars;
    std::unordered_map<std::string, std::vector<double>> columns;
};

} // namespace gradc
