// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc bench: the model's trainer, the same graph run operation by operation, and the peers beside the model alternate
// with the same steps; see compiler/bench/benchmark.h. All files except --json and --html are in a temporary folder.
#include "compiler/bench/report.h"
#include "compiler/commands/commands.h"
#include "compiler/pipeline.h"
#include "compiler/util/files.h"
#include "compiler/util/stopwatch.h"
#include "compiler/util/temporary_folder.h"
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc {

namespace {

/// The program that runs a peer, compiler/bench/driver.py.
constexpr const char* driver_text =
#include "bench_driver.inc"
    ;

constexpr double tolerance_f32 = 1e-3, tolerance_f64 = 1e-8; // ten steps of differently ordered sums

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::vector<std::string> environment_of(int threads) {
    std::vector<std::string> result = {"JAX_PLATFORMS=cpu", "CUDA_VISIBLE_DEVICES=", "PYTHONDONTWRITEBYTECODE=1"};
    for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"})
        result.push_back(fmt::format("{}={}", name, threads));
    return result;
}

/// Builds our own engines and finds peers; on failure `code` is the exit code.
class Line {
public:
    Line(const CommandLine& line, const TemporaryFolder& folder, std::vector<int> cores)
        : line_(line), folder_(folder), cores_(std::move(cores)) {}

    int build(const std::string& name, bool fuse, std::vector<Engine>& engines) const {
        Stopwatch compiling;
        CommandLine own = line_;
        own.fuse = fuse;
        FileReader reader;
        std::string error;
        Front front = load(own, reader, error); // read and parsed again: part of the time of compiling
        if (!front.job) return refuse(front, error, own);
        Engine engine = begin_engine(name);
        std::string path = folder_.file(name);
        if (int code = write_trainer(front, own, path); code != exit_code::done) return code;
        engine.compile_seconds = compiling.seconds();
        engine.trainer = true;
        engine.start.words = {
            path, "bench", "--turns", "--threads", std::to_string(line_.threads), "--seed", std::to_string(line_.seed)};
        for (const std::string& data : line_.data_folders)
            engine.start.words.insert(engine.start.words.end(), {"--data-dir", data});
        if (line_.data_folders.empty())
            engine.start.words.insert(engine.start.words.end(), {"--data-dir", folder_of(line_.model)});
        if (line_.confined) engine.start.words.push_back("--confine=" + folder_of(line_.model));
        struct stat status{};
        stat(path.c_str(), &status);
        engine.shipped_bytes = status.st_size;
        engines.push_back(std::move(engine));
        return exit_code::done;
    }

    Engine peer(const std::string& name) const {
        Engine engine = begin_engine(name);
        std::string path = folder_of(line_.model) + "/" + name + ".py";
        if (!exists(path)) engine.absent = fmt::format("there is no {}.py beside {}", name, line_.model);
        engine.start.words = {line_.python, folder_.file("driver.py"), name, path, folder_.path()};
        engine.start.environment = environment_of(line_.threads);
        return engine;
    }

private:
    Engine begin_engine(const std::string& name) const {
        Engine engine;
        engine.name = name;
        engine.start.cores = cores_;
        engine.start.errors = folder_.file(name + ".errors");
        return engine;
    }

    const CommandLine& line_;
    const TemporaryFolder& folder_;
    std::vector<int> cores_;
};

/// The last of the allowed processors: the first also runs the machine's other work.
std::vector<int> chosen_cores(int threads) {
    std::vector<int> cores = allowed_cores();
    if (cores.size() > size_t(threads)) cores.erase(cores.begin(), cores.end() - threads);
    return cores;
}

double tolerance_of(const TrainingJob& job) {
    for (const Variable& variable : job.variables)
        if (variable.role == Variable::Role::parameter && variable.type.dtype == Dtype::f64) return tolerance_f64;
    return tolerance_f32;
}

int failed(const std::string& text) {
    complain("gradc bench: {}\n", text);
    return exit_code::input;
}

/// An absent engine is no failure; one that trains other steps or dies is.
int report(const BenchmarkTitle& title, const BenchmarkResult& result, const CommandLine& line) {
    const EngineResult& own = result.engines[0];
    if (own.state != EngineResult::State::measured) return failed("gradc's own trainer " + own.note);
    fmt::print("{}", benchmark_text(title, result));
    std::string error;
    if (!line.json.empty())
        if (error = write_file(line.json, benchmark_json(title, result)); !error.empty())
            return failed(fmt::format("cannot write {}: {}", line.json, error));
    if (!line.html.empty())
        if (error = write_file(line.html, benchmark_page(title, result)); !error.empty())
            return failed(fmt::format("cannot write {}: {}", line.html, error));
    int code = exit_code::done;
    for (const EngineResult& engine : result.engines)
        if (engine.state == EngineResult::State::failed) code = failed(engine.name + ": " + engine.note);
    return code;
}

} // namespace

int bench_command(const CommandLine& line) {
    std::vector<int> cores = chosen_cores(line.threads);
    if (cores.size() < size_t(line.threads)) {
        complain("gradc bench: {} threads need as many cores, but this process may use only {}\n", line.threads,
                 cores.size());
        return exit_code::usage;
    }
    FileReader reader;
    std::string error;
    for (const std::string& path : {line.json, line.html}) // before minutes of measuring
        if (!path.empty())
            if (error = cannot_write(path); !error.empty())
                return failed(fmt::format("cannot write {}: {}", path, error));
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    TemporaryFolder folder(error);
    if (!error.empty()) return failed(error);
    if (error = write_file(folder.file("driver.py"), driver_text); !error.empty()) return failed(error);
    std::vector<Engine> engines;
    Line each(line, folder, cores);
    if (int code = each.build("gradc", true, engines); code != exit_code::done) return code;
    for (const std::string& name : line.against) {
        if (name != "interpreter") engines.push_back(each.peer(name));
        else if (int code = each.build(name, false, engines); code != exit_code::done) return code;
    }
    BenchmarkRules rules;
    rules.rounds = line.rounds;
    rules.seconds = line.seconds;
    rules.patience = line.patience;
    rules.tolerance = tolerance_of(*front.job);
    rules.folder = folder.path();
    Interrupts interrupts;
    for (Engine& engine : engines) engine.start.interrupts = &interrupts;
    BenchmarkResult result = run_benchmark(engines, rules);
    if (interrupts.arrived()) return failed("interrupted"), exit_code::interrupted;
    return report({line.model, line.threads, cores, rules}, result, line);
}

} // namespace gradc
