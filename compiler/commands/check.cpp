// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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

/// What a gradient is measured against at least: where the true one is zero (a bias before batch_norm, all weights
/// of a softmax that is summed), all that is left is the rounding of terms as large as the value or the other
/// gradients, in double too.
double least_scale(const GradientCheck& check, const CheckedParameter& of) {
    double all = std::isfinite(check.value) ? std::fabs(check.value) : 0;
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
    std::string error;
    auto engine = target::load_cpp(target::print_cpp(compiled.module, compiled.metadata), compilers[0], error);
    if (!engine) throw InternalError("cpp", "the C++ text does not compile: " + error);
    return {"C++", compiled_errors(*engine, check, target::host_isas().back()), {}};
}

std::vector<Column> compiled_columns(const TrainingJob& job, const GradientCheck& check, const CommandLine& line) {
    StageTimes times;
    std::vector<NamedGraph> programs = {{"check", check.graph}};
    optimize_programs(programs, job, line, times, check.environment.rows);
    Metadata metadata;
    metadata.name = job.name;
    metadata.flush_denormals = false;
    Compiled compiled = lower_programs(std::move(programs), metadata, job, target::host_isas(), times,
                                       {.batch = check.environment.rows});
    target::Engine engine = target::load_object(target::object(compiled.module, compiled.metadata));
    std::vector<Column> columns;
    for (loop::Isa isa : target::host_isas())
        columns.push_back({std::string(target::machine(isa).name), compiled_errors(engine, check, isa), {}});
    columns.push_back(cpp_column(compiled, check));
    return columns;
}

bool fails(const CheckedParameter& parameter) {
    if (parameter.surrogate) return false;
    bool silent =
        parameter.largest > 1e-7 && std::all_of(parameter.gradient.values.begin(), parameter.gradient.values.end(),
                                                [](double value) { return value == 0; });
    return !(parameter.difference < difference_bound) || silent;
}

std::string error_text(double error) { return error == 0 ? "0" : fmt::format("{:.1e}", error); }

/// The widths of a table of at most 80 columns: shapes stand where all names and shapes find place beside the errors; a
/// name that finds none stands on a line of its own.
struct Layout {
    size_t name = 9, shape = 5;

    Layout(const GradientCheck& check, const std::vector<Column>& columns) {
        constexpr size_t line = 80, verdict = 14, differences = 12;
        size_t room = line - verdict - differences;
        for (const Column& column : columns) room -= width(column) + 1;
        for (const CheckedParameter& parameter : check.parameters) {
            name = std::max(name, parameter.path.size());
            shape = std::max(shape, print(parameter.type.shape).size());
        }
        if (name + 2 + shape > room) shape = 0;
        name = std::min(name, room);
    }
    static size_t width(const Column& column) { return std::max<size_t>(7, column.title.size()); }
    std::string head(const std::string& path, const std::string& shape_text) const {
        std::string text = fmt::format("{:{}}", path, name);
        if (path.size() > name) text += "\n" + std::string(name, ' ');
        return shape ? text + fmt::format("  {:{}}", shape_text, shape) : text;
    }
};

/// Prints the table; true if all is well.
bool print_table(const Question& question, const GradientCheck& check, const std::vector<Column>& columns,
                 double bound) {
    Layout layout(check, columns);
    fmt::print("{} = {:.9g} on {} row{}\n", question.name, check.value, check.environment.rows,
               check.environment.rows == 1 ? "" : "s");
    fmt::print("{} {:>11}", layout.head("parameter", "shape"), "differences");
    for (const Column& column : columns) fmt::print(" {:>{}}", column.title, Layout::width(column));
    fmt::print("  verdict\n");
    bool good = true;
    for (size_t i = 0; i < check.parameters.size(); ++i) {
        const CheckedParameter& parameter = check.parameters[i];
        bool off = fails(parameter);
        fmt::print("{} {:>11}", layout.head(parameter.path, print(parameter.type.shape)),
                   parameter.surrogate ? "surrogate" : error_text(parameter.difference));
        for (const Column& column : columns) {
            if (column.errors.empty()) {
                fmt::print(" {:>{}}", "-", Layout::width(column));
                continue;
            }
            off = off || !(column.errors[i] < bound);
            fmt::print(" {:>{}}", error_text(column.errors[i]), Layout::width(column));
        }
        fmt::print("  {}\n", off ? "OFF" : parameter.independent ? "no influence" : "good");
        good = good && !off;
    }
    for (const Column& column : columns)
        if (!column.absent.empty()) fmt::print("{}: {}\n", column.title, column.absent);
    return good;
}

Diagnostic wrong_clause(const ClauseDifference& found, const Sources& sources) {
    const Clause& clause = found.clause;
    std::string numbers = fmt::format("{:.6g} by this clause, {:.6g} by finite differences of the formula",
                                      found.declared, found.difference);
    if (clause.stated)
        return {Code::bad_derivative,
                clause.span,
                fmt::format("the derivative of `{}` by `{}` differs from that of its formula", clause.function,
                            clause.parameter),
                numbers,
                fmt::format("correct the clause or, if it differs on purpose, write `surrogate derivative {}`",
                            sources.text(clause.span)),
                {}};
    return {Code::bad_derivative,
            clause.span,
            fmt::format("`{}` has a derivative clause but none for `{}`, on which its formula depends", clause.function,
                        clause.parameter),
            fmt::format("0 without a clause, {:.6g} by finite differences of the formula", found.difference),
            fmt::format("add `{}: ..` to its clause, or write `surrogate derivative {}: 0` if that is on purpose",
                        clause.parameter, clause.parameter),
            {}};
}

/// Tells which surrogates the gradients go by and, where something is off, which clauses differ from their formulas;
/// true if no other clause of a function with surrogates is wrong: the table takes all of them as declared.
bool print_clauses(const GradientCheck& check, const Front& front, bool good, bool color) {
    constexpr double wrong = 1e-4;
    std::vector<ClauseDifference> all = compare_clauses(check.loss, check.environment, *front.job->rules);
    std::set<std::string> declared; // functions with surrogates
    for (const ClauseDifference& each : all)
        if (each.clause.surrogate) declared.insert(each.clause.function);
    bool right = true;
    for (const ClauseDifference& each : all) {
        const Clause& clause = each.clause;
        Place place = front.sources.place(clause.span.source, clause.span.begin);
        if (clause.surrogate) {
            fmt::print("surrogate: {} by {}, taken as declared at {}:{}:{}\n", clause.function, clause.parameter,
                       front.sources.all[clause.span.source].name, place.line, place.column);
            continue;
        }
        bool as_declared = declared.count(clause.function) && clause.stated;
        if (each.error < wrong || (good && !as_declared)) continue;
        if (declared.count(clause.function) && !clause.stated) continue;
        fmt::print("{}", print(wrong_clause(each, front.sources), front.sources, color));
        right = right && !as_declared;
    }
    return right;
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
    std::string error;
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    std::vector<Question> all = questions(*front.job);
    if (all.empty()) {
        fmt::print("{}: types are right; nothing to differentiate\n", printable(line.model));
        return exit_code::done;
    }
    bool good = true;
    double bound = line.precision == Dtype::f64 ? f64_bound : f32_bound;
    for (const Question& question : all) {
        if (const Question* earlier = asked_before(all, question)) {
            fmt::print("{}: the loss of {}, already checked\n", question.name, earlier->name);
            continue;
        }
        int64_t batch = line.batch ? line.batch : telling_rows(question.graph, question.value);
        GradientCheck check = check_gradient(*front.job, question, {batch, line.seed}, {});
        std::vector<Column> columns = compiled_columns(*front.job, check, line);
        if (&question != &all[0]) fmt::print("\n");
        bool right = print_table(question, check, columns, bound);
        if (!right || check.surrogates) right = print_clauses(check, front, right, line.color) && right;
        good = good && right;
    }
    fmt::print("columns: largest difference over the largest entry of the parameter's gradient\n"
               "(of all gradients where it is zero), from finite differences and compiled code;\n"
               "good below {:.0e} for differences, {:.0e} compiled\n",
               difference_bound, bound);
    return good ? exit_code::done : exit_code::input;
}

} // namespace gradc
