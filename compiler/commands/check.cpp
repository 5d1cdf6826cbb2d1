// gradc check: every parameter's gradient three times: symbolic in double, by finite differences, and as compiled code
// on every instruction set of this machine, by LLVM and, where a compiler is found, by the C++ text.
#include "compiler/util/check.h"
#include "compiler/check/gradient_check.h"
#include "compiler/commands/commands.h"
#include "compiler/pipeline.h"
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "compiler/target/machine.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace gradc {
namespace {

constexpr double difference_bound = 1e-6, f32_bound = 1e-4, f64_bound = 1e-10;

/// One way to run the gradient, and its error for each parameter ("": as text, where there is none).
struct Column {
    std::string title;
    std::vector<double> errors;
    std::string absent; // why there are none
};

void write_inputs(target::Engine& engine, const Environment& environment) {
    const gradc_module& module = engine.module();
    for (int32_t i = 0; i < module.tensor_count; ++i) {
        const gradc_tensor& tensor = module.tensors[i];
        std::string name = tensor.name;
        if (tensor.role == GRADC_FIELD) engine.write(i, environment.fields.at(name).values, environment.rows);
        else if (tensor.role == GRADC_SCALAR)
            engine.write(i, {name == "rows" ? double(environment.rows) : environment.scalars.at(name)});
        else if (tensor.role != GRADC_RESULT) engine.write(i, environment.variables.at(name).values);
    }
}

double largest_entry(const Tensor& tensor) {
    double largest = 0;
    for (double value : tensor.values)
        if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
    return largest;
}

/// What a gradient is measured against at least: where the true one is zero (a bias before batch_norm),
/// all that is left is the rounding of terms as large as the other gradients, in double too.
double least_scale(const GradientCheck& check, const CheckedParameter& of) {
    double all = 0;
    for (const CheckedParameter& parameter : check.parameters) all = std::max(all, largest_entry(parameter.gradient));
    return largest_entry(of.gradient) < 1e-12 * all ? all : 0;
}

/// Errors of the compiled gradients, in order of `check.parameters`.
std::vector<double> compiled_errors(target::Engine& engine, const GradientCheck& check, loop::Isa isa) {
    write_inputs(engine, check.environment);
    engine.run(0, check.environment.rows, isa);
    std::vector<double> errors;
    size_t number = 0;
    for (const CheckedParameter& parameter : check.parameters) {
        std::string name = fmt::format("gradient {}", number++);
        int tensor = parameter.independent ? -1 : engine.tensor(name, GRADC_RESULT);
        errors.push_back(
            tensor < 0 ? (parameter.independent ? 0 : INFINITY)
                       : relative_error(engine.read(tensor), parameter.gradient.values, least_scale(check, parameter)));
    }
    return errors;
}

Column cpp_column(const Compiled& compiled, const GradientCheck& check) {
    std::vector<std::string> compilers = target::find_compilers();
    if (compilers.empty()) return {"C++", {}, "no compiler"};
    std::string fault;
    auto engine = target::load_cpp(target::print_cpp(compiled.module, compiled.metadata), compilers[0], fault);
    if (!engine) throw InternalError("cpp", "the C++ text does not compile: " + fault);
    return {"C++", compiled_errors(*engine, check, target::host_isas().back()), {}};
}

std::vector<Column> compiled_columns(const Elaborated& elaborated, const GradientCheck& check,
                                     const CommandLine& line) {
    StageTimes times;
    std::vector<NamedGraph> programs = {{"check", check.graph}};
    optimize_programs(programs, elaborated, line, times);
    Metadata metadata;
    metadata.name = elaborated.name;
    metadata.flush_denormals = false;
    Elaborated sized = elaborated;
    for (TrainBlock& block : sized.blocks) block.batch = check.environment.rows;
    Compiled compiled = lower_programs(std::move(programs), metadata, sized, target::host_isas(), times);
    target::Engine engine = target::load_object(target::object(compiled.module, compiled.metadata));
    std::vector<Column> columns;
    for (loop::Isa isa : target::host_isas())
        columns.push_back({std::string(target::machine(isa).name), compiled_errors(engine, check, isa), {}});
    columns.push_back(cpp_column(compiled, check));
    return columns;
}

bool fails(const CheckedParameter& parameter) {
    bool silent =
        parameter.largest > 1e-7 && std::all_of(parameter.gradient.values.begin(), parameter.gradient.values.end(),
                                                [](double value) { return value == 0; });
    return !(parameter.difference < difference_bound) || silent;
}

std::string error_text(double error) { return error == 0 ? "0" : fmt::format("{:.1e}", error); }

/// Prints the table; true if all is well.
bool print_table(const Question& question, const GradientCheck& check, const std::vector<Column>& columns,
                 double bound) {
    size_t widest = 9;
    for (const CheckedParameter& parameter : check.parameters) widest = std::max(widest, parameter.path.size());
    fmt::print("{} = {:.9g} on {} row{}\n", question.name, check.value, check.environment.rows,
               check.environment.rows == 1 ? "" : "s");
    fmt::print("{:{}}  {:14} {:>11}", "parameter", widest, "shape", "differences");
    for (const Column& column : columns) fmt::print(" {:>8}", column.title);
    fmt::print("  verdict\n");
    bool good = true;
    for (size_t i = 0; i < check.parameters.size(); ++i) {
        const CheckedParameter& parameter = check.parameters[i];
        bool off = fails(parameter);
        fmt::print("{:{}}  {:14} {:>11}", parameter.path, widest, print(parameter.type.shape),
                   error_text(parameter.difference));
        for (const Column& column : columns) {
            if (column.errors.empty()) {
                fmt::print(" {:>8}", "-");
                continue;
            }
            off = off || !(column.errors[i] < bound);
            fmt::print(" {:>8}", error_text(column.errors[i]));
        }
        fmt::print("  {}\n", off ? "OFF" : parameter.independent ? "no influence" : "good");
        good = good && !off;
    }
    for (const Column& column : columns)
        if (!column.absent.empty()) fmt::print("{}: {}\n", column.title, column.absent);
    return good;
}

/// The question before this one that asks for the same gradients: a loss that several train blocks move by.
const Question* asked_before(const std::vector<Question>& all, const Question& question) {
    for (const Question& earlier : all) {
        if (&earlier == &question) break;
        if (earlier.value == question.value && earlier.parameters == question.parameters &&
            same_graph(earlier.graph, question.graph))
            return &earlier;
    }
    return nullptr;
}

} // namespace

int check_command(const CommandLine& line) {
    FileReader reader;
    std::string fault;
    Front front = load(line, reader, fault);
    if (!front.elaborated) return refuse(front, fault, line);
    std::vector<Question> all = questions(*front.elaborated);
    if (all.empty()) {
        fmt::print("{}: types are right; nothing to differentiate\n", line.model);
        return exit_code::done;
    }
    bool good = true;
    double bound = line.precision == Element::f64 ? f64_bound : f32_bound;
    for (const Question& question : all) {
        if (const Question* earlier = asked_before(all, question)) {
            fmt::print("{}: the loss of {}, already checked\n", question.name, earlier->name);
            continue;
        }
        int64_t batch = line.batch ? line.batch : telling_rows(question);
        GradientCheck check = check_gradient(*front.elaborated, question, {batch, line.seed}, {});
        std::vector<Column> columns = compiled_columns(*front.elaborated, check, line);
        if (&question != &all[0]) fmt::print("\n");
        good = print_table(question, check, columns, bound) && good;
    }
    fmt::print("error: largest difference over the largest entry of the parameter's gradient (of all\n"
               "gradients where it is zero); good below {:.0e} against finite differences, {:.0e} compiled\n",
               difference_bound, bound);
    return good ? exit_code::done : exit_code::input;
}

} // namespace gradc
