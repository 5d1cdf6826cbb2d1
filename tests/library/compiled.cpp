// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pipeline from optimize to the loaded module, in this process.
#include "tests/library/compiled.h"
#include "compiler/optimize/optimize.h"
#include "compiler/program/lower.h"
#include "compiler/target/compile.h"
#include "compiler/target/machine.h"
#include "compiler/util/check.h"
#include "tests/support/engine_inputs.h"
#include <fmt/format.h>
#include <xmmintrin.h>

namespace gradc::library {

namespace {

struct NoFiles : SourceReader {
    std::optional<std::string> read(const std::string&, std::string& reason) override {
        reason = "no files here";
        return {};
    }
};

/// Results below the smallest normal number are zero, and operands too, as long as this lives.
struct FlushDenormals {
    unsigned before = _mm_getcsr();
    explicit FlushDenormals(bool flush) { _mm_setcsr(flush ? before | 0x8040 : before); }
    ~FlushDenormals() { _mm_setcsr(before); }
};

Plan plan_of(const TrainingJob& job, std::vector<NamedGraph> programs, int64_t batch) {
    OptimizeOptions optimizing;
    optimizing.context.rules = job.pattern_rules.get();
    for (NamedGraph& program : programs) program.graph = optimize(std::move(program.graph), optimizing);
    PlanOptions options;
    options.name = "library";
    options.batch = batch;
    return make_plan(std::move(programs), options);
}

} // namespace

TrainingJob elaborate_text(const std::string& text, Dtype precision) {
    Sources sources;
    NoFiles reader;
    Diagnostics diagnostics;
    Options options;
    options.precision = precision;
    uint32_t main = sources.add({"library.grad", text});
    auto job = elaborate(sources, main, reader, options, diagnostics);
    if (!job) throw InternalError("library", print(diagnostics, sources));
    return std::move(*job);
}

const TrainingJob::Circuit& model_of(const TrainingJob& job, const std::string& name) {
    for (const auto* list : {&job.models, &job.circuits})
        for (const TrainingJob::Circuit& each : *list)
            if (each.model == name) return each;
    throw InternalError("library", "no model " + name);
}

Machines::Machines(const TrainingJob& job, std::vector<NamedGraph> programs, int64_t batch, Dtype precision,
                   bool with_text)
    : flush_(precision == Dtype::f32) {
    Plan plan = plan_of(job, std::move(programs), batch);
    auto isas = target::host_isas();
    loop::Module module = lower(plan, isas, *job.math);
    engines_.push_back(target::load_object(target::object(module, described("library", module))));
    for (loop::Isa isa : isas) ways_.push_back({std::string(target::machine(isa).name), 0, isa});
    auto compilers = target::find_compilers();
    if (!with_text || compilers.empty()) return;
    loop::Module widest = lower(plan, {isas.back()}, *job.math);
    std::string error;
    std::string text = target::print_cpp(widest, described("library", widest));
    auto engine = target::load_cpp(text, compilers[0], error, {"-O0"});
    check(bool(engine), "library", "the C++ text does not compile: " + error);
    engines_.push_back(std::move(*engine));
    ways_.push_back({"C++", 1, isas.back()});
}

void Machines::write(const Environment& environment) {
    for (target::Engine& engine : engines_) write_inputs(engine, environment);
}

void Machines::run(const std::string& program, int64_t row_count, const Way& way) {
    last_ = way.engine;
    int number = engines_[last_].program(program);
    check(number >= 0, "library", "no program " + program);
    FlushDenormals flush(flush_);
    engines_[last_].run(number, row_count, way.isa);
}

std::vector<double> Machines::read(const std::string& result, int64_t row_count) const {
    int tensor = engines_[last_].tensor(result, GRADC_RESULT);
    check(tensor >= 0, "library", "no result " + result);
    return engines_[last_].read(tensor, row_count);
}

std::vector<double> Machines::read_variable(const std::string& path) const {
    int tensor = engines_[last_].tensor(path, GRADC_PARAMETER);
    check(tensor >= 0, "library", "no variable " + path);
    return engines_[last_].read(tensor);
}

unsigned char* Machines::place(const std::string& name, gradc_role role) const {
    check(engines_.size() == 1, "library", "several arenas");
    const target::Engine& engine = engines_[0];
    int tensor = engine.tensor(name, role);
    check(tensor >= 0, "library", "no tensor " + name);
    return engine.arena() + engine.module().tensors[tensor].offset;
}

} // namespace gradc::library
