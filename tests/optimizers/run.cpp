// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of both runs are matched by the paths of tensors and variables.
#include "tests/optimizers/run.h"
#include "compiler/check/sample.h"
#include "compiler/elaborate/definitions.h"
#include "compiler/target/compile.h"
#include "dsl/parser.h"
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

namespace gradc {

namespace {

struct OneFile : SourceReader {
    std::string text;
    std::optional<std::string> read(const std::string& path, std::string& reason) override {
        if (path == "model.grad") return text;
        reason = "no such file";
        return {};
    }
};

} // namespace

std::string recorded_text(const std::string& name) {
    std::ifstream file(GRADC_SOURCE_DIR "/tests/optimizers/" + name);
    INFO(name);
    REQUIRE(file.good());
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

ast::Module library_module(const std::string& name) {
    Sources sources;
    Diagnostics diagnostics;
    for (const StandardFile& file : standard_library())
        if (file.name == name) {
            uint32_t number = sources.add({name, std::string(file.text), {}});
            ast::Module module = parse(sources, number, diagnostics);
            CHECK(diagnostics.all().empty());
            return module;
        }
    FAIL("the library has no " << name);
    return {};
}

std::vector<const ast::Function*> library_functions(const ast::Module& module) {
    std::vector<const ast::Function*> result;
    for (const ast::Item& item : module.items)
        if (auto function = std::get_if<ast::Function>(&item.node); function && !function->name.starts_with('_'))
            result.push_back(function);
    return result;
}

StepRun::StepRun(const std::string& text, const std::string& compiler) {
    CompileOptions options;
    options.model = "model.grad";
    options.precision = Dtype::f64;
    options.isa = "native";
    OneFile reader;
    reader.text = text;
    std::string error;
    front_ = load(options, reader, error);
    INFO(error << print(front_.diagnostics, front_.sources));
    REQUIRE(front_.job);
    variables_ = initial_values(job(), 1);
    StageTimes times;
    Compiled compiled = compile(job(), options, front_.sources, times);
    isa_ = compiled.module.isas.back();
    if (compiler.empty()) engine_ = target::load_object(target::object(compiled.module, compiled.metadata));
    else engine_ = target::load_cpp(target::print_cpp(compiled.module, compiled.metadata), compiler, error);
    INFO(error);
    REQUIRE(engine_);
    metadata_ = compiled.metadata;
    program_ = *compiled.module.programs[size_t(metadata_.blocks[0].step)][size_t(isa_)];
    buffers_ = compiled.module.buffers;
    Environment start;
    start.scalars["seed"] = 1;
    for (const Flag& flag : job().blocks[0].flags) start.scalars[flag.input] = flag.value; // states can start from them
    write(start);
    engine_->run(metadata_.initial, 1, isa_);
}

Environment StepRun::environment(int number, int steps) const {
    Environment result;
    result.rows = 2;
    result.variables = variables_;
    result.scalars = {{"seed", 1}, {"step", number}, {"steps", steps}, {"epoch", 1}};
    for (const Flag& flag : job().blocks[0].flags) result.scalars[flag.input] = flag.value;
    for (const Field& field : job().datasets[0].fields) {
        const std::vector<double>& all = field.reader.values;
        size_t first = size_t(number - 1) * 2 % all.size();
        result.fields[field.name] = {{2}, {all[first], all[first + 1]}};
    }
    return result;
}

void StepRun::write(const Environment& environment) {
    const gradc_module& module = engine_->module();
    for (int32_t i = 0; i < module.tensor_count; ++i) {
        std::string name = module.tensors[i].name;
        int32_t role = module.tensors[i].role;
        if (role == GRADC_FIELD && environment.fields.count(name))
            engine_->write(i, environment.fields.at(name).values, environment.rows);
        else if (role == GRADC_SCALAR && name == "rows") engine_->write(i, {double(environment.rows)});
        else if (role == GRADC_SCALAR && environment.scalars.count(name))
            engine_->write(i, {environment.scalars.at(name)});
    }
}

void StepRun::step(int number, int steps) {
    Environment now = environment(number, steps);
    const TrainBlock& block = job().blocks[0];
    write(now);
    engine_->run(metadata_.blocks[0].step, now.rows, isa_);
    std::vector<Tensor> values = evaluate(block.step, now);
    for (size_t i = 0; i < values.size(); ++i) {
        const Node& node = block.step[block.step.outputs[i].node];
        if (node.op == Op::assign) variables_[attribute<Assign>(node).path] = values[i];
    }
}

std::vector<double> StepRun::evaluated(const std::vector<std::string>& paths) const {
    std::vector<double> result;
    for (const std::string& path : paths) {
        const std::vector<double>& values = variables_.at(path).values;
        result.insert(result.end(), values.begin(), values.end());
    }
    return result;
}

std::vector<double> StepRun::compiled(const std::vector<std::string>& paths) const {
    std::vector<double> result;
    for (const std::string& path : paths) {
        std::vector<double> values = engine_->read(engine_->tensor(path));
        result.insert(result.end(), values.begin(), values.end());
    }
    return result;
}

} // namespace gradc
