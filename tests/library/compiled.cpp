#include "tests/library/compiled.h"
#include "compiler/optimize/optimize.h"
#include "compiler/program/lower.h"
#include "compiler/target/compile.h"
#include "compiler/target/machine.h"
#include "compiler/util/check.h"
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

target::Engine load(const Elaborated& elaborated, std::vector<NamedGraph> programs, int64_t batch,
                    const std::vector<loop::Isa>& isas) {
    OptimizeOptions optimizing;
    optimizing.context.rules = elaborated.pattern_rules.get();
    for (NamedGraph& program : programs)
        program.graph = optimize(std::move(program.graph), optimizing);
    PlanOptions options;
    options.name = "library";
    options.batch = batch;
    Plan plan = make_plan(std::move(programs), options);
    loop::Module module = lower(plan, isas, *elaborated.math);
    target::Metadata metadata;
    metadata.name = "library";
    metadata.flush_denormals = false;
    using Role = loop::Buffer::Role;
    for (size_t i = 0; i < module.buffers.size(); ++i) {
        const loop::Buffer& buffer = module.buffers[i];
        gradc_role role = buffer.role == Role::field    ? GRADC_FIELD
                          : buffer.role == Role::scalar ? GRADC_SCALAR
                                                        : GRADC_PARAMETER;
        if (buffer.role == Role::field || buffer.role == Role::scalar ||
            buffer.role == Role::variable)
            metadata.tensors.push_back({buffer.name, buffer.name, role, loop::BufferId(i)});
    }
    return target::load_object(target::object(module, metadata));
}

} // namespace

Elaborated elaborate_text(const std::string& text, Element precision) {
    Sources sources;
    NoFiles reader;
    Diagnostics diagnostics;
    Options options;
    options.precision = precision;
    uint32_t main = sources.add({"library.grad", text});
    auto elaborated = elaborate(sources, main, reader, options, diagnostics);
    if (!elaborated) throw InternalError("library", print(diagnostics, sources));
    return std::move(*elaborated);
}

const Elaborated::Circuit& model_of(const Elaborated& elaborated, const std::string& name) {
    for (const auto* list : {&elaborated.models, &elaborated.circuits})
        for (const Elaborated::Circuit& each : *list)
            if (each.model == name) return each;
    throw InternalError("library", "no model " + name);
}

Machines::Machines(const Elaborated& elaborated, std::vector<NamedGraph> programs, int64_t batch,
                   Element precision)
    : isas_(target::host_isas()), flush_(precision == Element::f32),
      engine_(load(elaborated, std::move(programs), batch, isas_)) {}

void Machines::write(const Environment& environment) {
    const gradc_module& module = engine_.module();
    for (int32_t i = 0; i < module.tensor_count; ++i) {
        std::string name = module.tensors[i].name;
        int32_t role = module.tensors[i].role;
        if (role == GRADC_FIELD && environment.fields.count(name))
            engine_.write(i, environment.fields.at(name).values, environment.rows);
        else if (role == GRADC_SCALAR && name == "rows")
            engine_.write(i, {double(environment.rows)});
        else if (role == GRADC_SCALAR && environment.scalars.count(name))
            engine_.write(i, {environment.scalars.at(name)});
        else if (role == GRADC_PARAMETER && environment.variables.count(name))
            engine_.write(i, environment.variables.at(name).values);
    }
}

void Machines::run(const std::string& program, int64_t row_count, loop::Isa isa) {
    int number = engine_.program(program);
    check(number >= 0, "library", "no program " + program);
    FlushDenormals flush(flush_);
    engine_.run(number, row_count, isa);
}

std::vector<double> Machines::read(const std::string& result, int64_t row_count) const {
    int tensor = engine_.tensor(result, GRADC_RESULT);
    check(tensor >= 0, "library", "no result " + result);
    return engine_.read(tensor, row_count);
}

std::vector<double> Machines::read_variable(const std::string& path) const {
    int tensor = engine_.tensor(path, GRADC_PARAMETER);
    check(tensor >= 0, "library", "no variable " + path);
    return engine_.read(tensor);
}

} // namespace gradc::library
