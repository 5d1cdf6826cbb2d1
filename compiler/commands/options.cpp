// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Flags, their checks and their help, by CLI11. The arguments of `run` are parsed here without CLI11, because all
// unknown ones belong to the trainer.
#include "compiler/commands/options.h"
#include "compiler/optimize/optimize.h"
#include "compiler/stages.h"
#include "dsl/diagnostic.h"
#include "dsl/unicode.h"
#include "runtime/abi.h"
#include "runtime/base/options.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace gradc {

std::string version_text() {
    return fmt::format("gradc {}\nlanguage 1, graph text 1, ABI {}, LLVM {}\n"
                       "targets: x86-64 baseline, avx2, avx512; C++17 text\n",
                       GRADC_VERSION, GRADC_ABI_VERSION, GRADC_LLVM_VERSION);
}

namespace {

struct Pending { // option values that are checked after parsing
    std::vector<std::string> set, at;
    std::string precision = "f32", color = "auto";
};

std::string assignments(const std::vector<std::string>& texts, const char* flag,
                        std::map<std::string, std::string>& into) {
    for (const std::string& text : texts) {
        size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) return fmt::format("{} needs NAME=VALUE, not `{}`", flag, text);
        into[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return {};
}

/// Moves the accepted values from the option's label to its description.
CLI::Validator unlabelled(CLI::Validator validator) {
    validator.description("");
    return validator;
}
CLI::Validator one_of(std::vector<std::string> words) { return unlabelled(CLI::IsMember(std::move(words))); }

/// CLI::Range that also refuses nan and empty text.
template <class Number> CLI::Validator within(Number low, Number high) {
    CLI::Validator validator = CLI::Range(low, high);
    CLI::Validator range = validator;
    validator.operation([range](std::string& text) {
        Number number{};
        bool is_number = !text.empty() && CLI::detail::lexical_cast(text, number) && number == number;
        return is_number ? range(text) : fmt::format("`{}` is not a number {}", text, range.get_description());
    });
    return unlabelled(std::move(validator));
}

void add_model(CLI::App* app, CommandLine& line) {
    app->add_option("MODEL", line.model, "model file (.grad)")->required();
}

void add_language_options(CLI::App* app, CommandLine& line, Pending& pending) {
    app->add_option("--set", pending.set, "set a const of the model file: NAME=VALUE")->allow_extra_args(false);
    app->add_option("--dtype", pending.precision, "dtype for f32 in the model: f32 or f64")
        ->check(one_of({"f32", "f64"}));
    app->add_option("--data-dir", line.data_folders, "folder to search for data files first")->allow_extra_args(false);
    app->add_flag("--confine", line.confined,
                  "let the model read only files in its folder\nand --data-dir, with links resolved");
    app->add_option("--max-nodes", line.node_limit, "largest number of graph nodes (default 1000000)")
        ->check(within(int64_t(1), int64_t(1) << 40));
}

/// All stages, or those that `gradc build` writes.
std::vector<std::string> stage_names(bool of_build) {
    std::vector<std::string> names;
    for (const PipelineStage& stage : stage_table())
        if (!of_build || *stage.suffix) names.push_back(stage.name);
    return names;
}

std::vector<std::string> pass_names() {
    std::vector<std::string> names;
    for (const Pass& pass : pass_table()) names.push_back(pass.name);
    return names;
}

void add_disabled_passes(CLI::App* app, CommandLine& line) {
    app->add_option("--disable-pass", line.disabled_passes, "leave out a pass of the optimizer")
        ->allow_extra_args(false)
        ->check(one_of(pass_names()));
}

void add_pass_options(CLI::App* app, CommandLine& line) {
    add_disabled_passes(app, line);
    app->add_flag_callback(
        "--no-fuse", [&line] { line.fuse = false; },
        "make each operation a separate kernel, like\n"
        "the interpreter of `gradc bench`");
    app->add_flag_callback(
        "--no-share", [&line] { line.share = false; },
        "make each kernel a separate function, where\n"
        "equal kernels else share one");
    app->add_option("--dump-dir", line.dump_dir, "write the graph after every pass into this folder");
    app->add_flag("--time-passes", line.time_passes, "print the time of each stage and pass");
}

int64_t bytes_of(double mebibytes) { return int64_t(mebibytes * (1 << 20)); }

const char* const isas_of_a_trainer = "portable (default): baseline, avx2 and\n"
                                      "avx512 in one binary; native: this\n"
                                      "machine's best; or just one of them";

constexpr double most_mebibytes = 1 << 24;

void add_memory(CLI::App* app, CommandLine& line) {
    app->add_option_function<double>(
           "--memory", [&line](double mebibytes) { line.memory = bytes_of(mebibytes); },
           "most MiB of memory, parameters and states\n"
           "included: values of the forward pass are\n"
           "computed again where keeping them takes more")
        ->check(within(1e-3, most_mebibytes));
}

void add_denormals(CLI::App* app, CommandLine& line) {
    app->add_option_function<std::string>(
           "--denormals", [&line](const std::string& choice) { line.keep_denormals = choice == "keep"; },
           "denormal numbers in f32 steps: flush (default)\n"
           "takes them as zero, keep computes with them;\n"
           "f64 steps always keep them")
        ->check(one_of({"flush", "keep"}));
}

void add_isa(CLI::App* app, CommandLine& line, const char* about) {
    app->add_option("--isa", line.isa, about)->check(one_of({"native", "portable", "baseline", "avx2", "avx512"}));
}

void add_seed(CLI::App* app, CommandLine& line) {
    app->add_option("--seed", line.seed, "seed of weights and rows (default 1)")
        ->check(within(uint64_t(0), uint64_t(1) << 53)); // the range of the trainer's --seed
}

/// At most 80 columns: longer descriptions continue in their own column.
std::string narrow(const std::string& help) {
    constexpr size_t width = 79, column = 30;
    std::string result;
    for (size_t begin = 0; begin < help.size();) {
        size_t end = std::min(help.find('\n', begin), help.size());
        std::string line = help.substr(begin, end - begin);
        size_t indent = line.rfind("  ", 0) == 0 ? column : 0;
        while (line.size() > width) {
            size_t space = line.rfind(' ', width);
            if (space == std::string::npos || space <= indent) break;
            result += line.substr(0, space) + "\n";
            line = std::string(indent, ' ') + line.substr(space + 1);
        }
        result += line + "\n";
        begin = end + 1;
    }
    return result;
}

CLI::App* add_command(CLI::App& app, const char* name, const char* about, const char* example) {
    CLI::App* command = app.add_subcommand(name, about);
    command->group("Commands");
    command->footer(fmt::format("Example:\n  {}", example));
    command->fallthrough();
    return command;
}

void add_build(CLI::App& app, CommandLine& line, Pending& pending) {
    CLI::App* build = add_command(app, "build", "compile a model file into a standalone trainer",
                                  "gradc build digits.grad -o digits --set hidden=256");
    add_model(build, line);
    build->add_option("-o,--output", line.output, "file to write the trainer to\n(default: the model's name)");
    build
        ->add_option("--emit", line.emit,
                     fmt::format("write this stage to the output instead:\n{}", fmt::join(stage_names(true), ", ")))
        ->check(one_of(stage_names(true)));
    build->add_flag("--time", line.time, "print the time of each stage, or that the\ntrainer was taken from the cache");
    build->add_flag_callback("--no-cache", [&line] { line.cache = false; }, "compile without the cache");
    build->add_flag("--symbols", line.symbols,
                    "keep the names of functions in the trainer, for\nprofilers such as perf");
    add_isa(build, line, isas_of_a_trainer);
    add_memory(build, line);
    add_denormals(build, line);
    add_language_options(build, line, pending);
    add_pass_options(build, line);
}

void add_run_help(CLI::App& app, CommandLine& line) {
    CLI::App* run = add_command(app, "run", "build into a cache, then train; takes the trainer's flags too",
                                "gradc run digits.grad --epochs 5 --learning-rate 3e-4");
    run->add_option("MODEL", line.model, "model file (.grad)");
    run->add_option("--set,--isa,--dtype,--memory,--denormals,--data-dir,--confine",
                    "as in `gradc build`; other flags go to the trainer");
}

void add_bench(CLI::App& app, CommandLine& line, Pending& pending) {
    CLI::App* bench = add_command(app, "bench",
                                  "compare the time of a training step with other engines, which train "
                                  "alternately from the same weights on the same rows",
                                  "gradc bench xor.grad --engines interpreter,numpy --html xor.html");
    add_model(bench, line);
    bench
        ->add_option("--engines", line.against,
                     "engines, with commas between them (default all):\n"
                     "interpreter, this graph operation by operation;\n"
                     "numpy, torch, jax: the file numpy.py, torch.py\n"
                     "or jax.py beside the model")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(one_of({"interpreter", "numpy", "torch", "jax"}));
    bench->add_option("--threads", line.threads, "threads of every engine, on as many cores\n(default 1)")
        ->check(within(1, 1024));
    bench->add_option("--rounds", line.rounds, "number of rounds (default 5)")->check(within(1, 10'000));
    bench->add_option("--seconds", line.seconds, "seconds of an engine in a round (default 0.3)")
        ->check(within(1e-3, 3600.0));
    bench->add_option("--timeout", line.patience, "limit for an engine's answer, in seconds\n(default 120)")
        ->check(within(0.1, 1e6));
    bench->add_option("--python", line.python, "Python for the peers (default python3)");
    add_seed(bench, line);
    bench->add_option("--json", line.json, "write the measurements as one JSON object");
    bench->add_option("--html", line.html, "write the table and bars as a page");
    add_isa(bench, line, "native (default), baseline, avx2 or avx512");
    add_memory(bench, line);
    add_denormals(bench, line);
    add_language_options(bench, line, pending);
}

void add_check(CLI::App& app, CommandLine& line, Pending& pending) {
    CLI::App* check = add_command(app, "check",
                                  "every parameter's gradient: symbolic against finite differences "
                                  "and against the compiled code; exit code 1 if one is wrong",
                                  "gradc check digits.grad --batch-size 4");
    add_model(check, line);
    check->add_option("--batch-size", line.batch, "rows (default 2; 5 if rows interact in the model)")
        ->check(within(1, 65536));
    add_seed(check, line);
    add_language_options(check, line, pending);
}

void add_grad(CLI::App& app, CommandLine& line, Pending& pending) {
    CLI::App* grad = add_command(app, "grad", "print a model's value and every gradient",
                                 "gradc grad circuit.grad --value a=3 --dot circuit.dot");
    add_model(grad, line);
    grad->add_option("--value", pending.at,
                     "value of a parameter: NAME=VALUE, a number for\n"
                     "all of its entries or a list: w=[1,2], m=[[1,2],[3,4]]")
        ->allow_extra_args(false);
    grad->add_option("--dot", line.dot, "draw values and gradients on the graph's edges (Graphviz)");
    add_language_options(grad, line, pending);
}

void add_explain(CLI::App& app, CommandLine& line, Pending& pending) {
    CLI::App* explain = add_command(app, "explain",
                                    "the derivative by one parameter as a chain of factors, its "
                                    "rewrites, and the code that computes it",
                                    "gradc explain digits.grad mlp.linear_1.weight");
    add_model(explain, line);
    explain->add_option("PARAMETER", line.parameter, "parameter; without it, all are listed");
    add_isa(explain, line, "instruction set of the code: baseline, avx2,\navx512 or native");
    add_disabled_passes(explain, line);
    add_language_options(explain, line, pending);
}

void add_paths(CLI::App& app, CommandLine& line, Pending& pending) {
    CLI::App* paths = add_command(app, "trajectories",
                                  "draw the paths of two scalar parameters by each train block, over "
                                  "contours of the loss",
                                  "gradc trajectories descent.grad --svg paths.svg --beside 4");
    add_model(paths, line);
    paths->add_option("--svg", line.svg, "file to write the picture to")->required();
    paths->add_option("--beside", line.beside, "draw a second path with so many rows a step")
        ->check(within(int64_t(1), int64_t(1) << 24));
    paths->add_option("--steps", line.steps, "steps of each path (default: as in the blocks)")
        ->check(within(1, 100'000));
    add_seed(paths, line);
    add_language_options(paths, line, pending);
}

void add_inspect(CLI::App& app, CommandLine& line, Pending& pending) {
    CLI::App* inspect = add_command(app, "inspect", "show any stage of the compilation as text, or all as a page",
                                    "gradc inspect digits.grad --emit=backward");
    add_model(inspect, line);
    std::vector<std::string> stages = stage_names(false);
    stages.push_back("list");
    inspect
        ->add_option("--emit", line.emit,
                     fmt::format("this stage (default graph):\n{};\nlist: names of all stages and their needs",
                                 fmt::join(stage_names(false), ", ")))
        ->check(one_of(stages));
    inspect
        ->add_option("--html", line.html,
                     "write a page instead: model, graph, formulas,\n"
                     "code and memory, linked to each other")
        ->excludes("--emit");
    inspect->add_option("--pass", line.pass, "run this pass over MODEL, the text of a graph\n(.graph)")
        ->check(one_of(pass_names()));
    inspect->add_option("-o,--output", line.output, "file to write instead of standard output");
    add_isa(inspect, line, isas_of_a_trainer);
    add_memory(inspect, line);
    add_denormals(inspect, line);
    add_language_options(inspect, line, pending);
    add_pass_options(inspect, line);
}

void add_fmt(CLI::App& app, CommandLine& line) {
    CLI::App* fmt =
        add_command(app, "fmt", "print model files in canonical form, with current names", "gradc fmt --write *.grad");
    fmt->add_option("FILES", line.files, "model files")->required();
    fmt->add_flag("--write", line.write, "rewrite the files in place");
    fmt->add_flag("--check", line.check_only, "only list files that differ; exit code 1 if any does");
}

ParsedCommandLine refuse(const std::string& text) { return {std::nullopt, exit_code::usage, text}; }

/// `gradc run MODEL.grad ..`: takes the flags of gradc; the others are the trainer's.
ParsedCommandLine parse_run(const std::vector<std::string>& arguments) {
    CommandLine line;
    line.command = Command::run;
    line.isa = "native";
    Pending pending;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string& text = arguments[i];
        size_t equals = text.find('=');
        std::string flag = text.substr(0, equals);
        static const std::set<std::string> known{"--set", "--isa", "--dtype", "--memory", "--denormals", "--data-dir"};
        bool ours = known.count(flag) > 0;
        if (text.rfind("--", 0) != 0 && line.model.empty() && text.size() > 5 &&
            text.compare(text.size() - 5, 5, ".grad") == 0) {
            line.model = text;
        } else if (text == "--confine") {
            line.confined = true;
        } else if (ours) {
            bool inside = equals != std::string::npos;
            if (!inside && i + 1 == arguments.size()) return refuse(flag + " needs a value\n");
            std::string value = inside ? text.substr(equals + 1) : arguments[++i];
            if (flag == "--set") pending.set.push_back(value);
            if (flag == "--isa") line.isa = value;
            if (flag == "--dtype") pending.precision = value;
            if (flag == "--denormals") {
                if (value != "flush" && value != "keep")
                    return refuse("gradc run: --denormals: expected flush or keep\n");
                line.keep_denormals = value == "keep";
            }
            if (flag == "--memory") {
                std::string text = value; // as CLI11 checks it for the others
                if (std::string wrong = within(1e-3, most_mebibytes)(text); !wrong.empty())
                    return refuse("gradc run: --memory: " + shortened(printable(wrong), 400) + "\n");
                line.memory = bytes_of(std::stod(text));
            }
            if (flag == "--data-dir") {
                line.data_folders.push_back(value);
                line.trainer_arguments.insert(line.trainer_arguments.end(), {"--data-dir", value});
            }
        } else {
            line.trainer_arguments.push_back(text);
        }
    }
    if (line.model.empty()) return refuse("gradc run: no model file (.grad) given\nTry `gradc run --help`.\n");
    std::string error = assignments(pending.set, "--set", line.set);
    if (!error.empty()) return refuse("gradc run: " + shortened(printable(error), 400) + "\n");
    line.precision = pending.precision == "f64" ? Dtype::f64 : Dtype::f32;
    return {line, exit_code::done, {}};
}

std::string suggestion(const CLI::App& app, const std::vector<std::string>& unknown) {
    if (unknown.empty()) return {};
    std::vector<std::string> known;
    for (const CLI::App* part : app.get_subcommands({})) known.push_back(part->get_name());
    std::vector<const CLI::App*> apps = {&app};
    for (const CLI::App* part : app.get_subcommands()) apps.push_back(part);
    for (const CLI::App* part : apps)
        for (const CLI::Option* option : part->get_options())
            for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    std::string word = unknown[0].substr(0, unknown[0].find('='));
    size_t dashes = std::min(word.find_first_not_of('-'), word.size());
    std::string now = word.substr(0, dashes) + std::string(runtime::present_name(word.substr(dashes)));
    if (std::find(known.begin(), known.end(), now) != known.end()) return fmt::format(" (it is called `{}`)", now);
    auto near = nearest(word, known);
    return near ? fmt::format(" (did you mean `{}`?)", *near) : std::string();
}

bool use_color(const std::string& choice) {
    if (choice == "always") return true;
    if (choice == "never" || std::getenv("NO_COLOR")) return false;
    return isatty(STDERR_FILENO) != 0;
}

/// The defaults of bench.
void complete_bench(CLI::App& app, CommandLine& line) {
    const CLI::App* bench = app.get_subcommand("bench");
    if (bench->count("--isa") == 0) line.isa = "native";
    if (line.against.empty() && line.confined) line.against = {"interpreter"}; // peers are programs beside the model
    if (line.against.empty()) line.against = {"interpreter", "numpy", "torch", "jax"};
}

} // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
    CommandLine line;
    Pending pending;
    CLI::App app{"gradc compiles a model file into a standalone trainer: network, gradient and\n"
                 "optimizer as one unit of machine code.",
                 "gradc"};
    app.get_formatter()->column_width(30);
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.require_subcommand(1);
    app.footer("Exit codes: 0 success, 1 error in the input, 2 wrong usage, 70 internal error.\n"
               "`gradc COMMAND --help` lists the flags of a command.");
    app.set_version_flag("--version", version_text(), "version of gradc, its language, ABI and LLVM");
    app.add_option("--color", pending.color, "auto (default), always or never")
        ->check(one_of({"auto", "always", "never"}));
    add_build(app, line, pending);
    add_run_help(app, line);
    add_bench(app, line, pending);
    add_check(app, line, pending);
    add_grad(app, line, pending);
    add_explain(app, line, pending);
    add_paths(app, line, pending);
    add_inspect(app, line, pending);
    add_fmt(app, line);

    std::vector<std::string> arguments(argv + 1, argv + argc);
    bool help = std::find(arguments.begin(), arguments.end(), "--help") != arguments.end();
    if (!arguments.empty() && arguments[0] == "run" && !help)
        return parse_run({arguments.begin() + 1, arguments.end()});
    try {
        std::reverse(arguments.begin(), arguments.end());
        app.parse(arguments);
    } catch (const CLI::CallForHelp&) {
        const auto chosen = app.get_subcommands();
        return {std::nullopt, exit_code::done, narrow(chosen.empty() ? app.help() : chosen[0]->help("gradc"))};
    } catch (const CLI::CallForVersion&) {
        return {std::nullopt, exit_code::done, version_text()};
    } catch (const CLI::ParseError& error) {
        return refuse(fmt::format("gradc: {}{}\nTry `gradc --help`.\n", shortened(printable(error.what()), 400),
                                  suggestion(app, app.remaining(true))));
    }
    std::string error = assignments(pending.set, "--set", line.set);
    if (error.empty()) error = assignments(pending.at, "--value", line.at);
    if (!error.empty()) return refuse("gradc: " + shortened(printable(error), 400) + "\n");
    line.precision = pending.precision == "f64" ? Dtype::f64 : Dtype::f32;
    line.color = use_color(pending.color);
    if (app.got_subcommand("bench")) complete_bench(app, line);
    const std::string name = app.get_subcommands()[0]->get_name();
    line.command = name == "build"          ? Command::build
                   : name == "bench"        ? Command::bench
                   : name == "check"        ? Command::check
                   : name == "grad"         ? Command::grad
                   : name == "explain"      ? Command::explain
                   : name == "trajectories" ? Command::paths
                   : name == "inspect"      ? Command::inspect
                                            : Command::fmt;
    return {line, exit_code::done, {}};
}

} // namespace gradc
