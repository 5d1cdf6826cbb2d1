// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The protocol of a benchmark from gradc's side: which lines each engine is sent, and which answers count. The first
// engine writes the rows and weights that the others read.
#include "compiler/bench/benchmark.h"
#include "compiler/util/check.h"
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <sstream>

namespace gradc {

namespace {

double clock_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

std::optional<double> number(const std::string& word) {
    char* end = nullptr;
    double value = std::strtod(word.c_str(), &end);
    if (word.empty() || *end) return std::nullopt;
    return value;
}

/// One engine, its process and its result. Any error stops the process and becomes the note of the result.
class Contender {
public:
    Contender(const Engine& engine, const BenchmarkRules& rules) : engine_(engine), rules_(rules) {
        result_.name = engine.name;
        result_.compile = engine.compile_seconds;
        result_.shipped_bytes = engine.shipped_bytes;
        if (engine.absent.empty()) return;
        result_.state = EngineResult::State::absent;
        result_.note = engine.absent;
    }

    bool takes_part() const { return peer_ != nullptr; }
    const EngineResult& result() const { return result_; }

    void start() {
        if (!engine_.absent.empty()) return;
        double begin = clock_seconds();
        std::string error;
        peer_ = Peer::start(engine_.start, error);
        if (!peer_) return leave(fmt::format("{} cannot be started: {}", engine_.start.words[0], error));
        auto words = hear("ready");
        result_.start = clock_seconds() - begin;
        if (!words) return;
        if (words->front() == "ready" && words->size() > 1) result_.note = words->at(1);
        if (words->front() == "missing") {
            leave(missing_text(words->size() > 1 ? words->at(1) : engine_.name));
            result_.state = EngineResult::State::absent;
        }
    }

    std::vector<std::string> ask(const std::string& line, const std::string& answer, size_t count) {
        if (!peer_) return {};
        peer_->tell(line);
        auto words = hear(answer);
        if (!words) return {};
        if (words->size() < count + 1) {
            leave(fmt::format("answers `{}` in {} words, not {}", answer, words->size(), count + 1));
            return {};
        }
        return *words;
    }

    std::vector<double> ask_numbers(const std::string& line, const std::string& answer, size_t count) {
        std::vector<std::string> words = ask(line, answer, count);
        std::vector<double> numbers;
        for (size_t i = 1; i < words.size() && numbers.size() < count; ++i) {
            auto value = number(words[i]);
            if (!value)
                return leave(fmt::format("answers `{}` where a number is expected", words[i])), std::vector<double>();
            numbers.push_back(*value);
        }
        return numbers;
    }

    void train_first_steps() {
        std::vector<double> numbers =
            ask_numbers(fmt::format("losses {}", rules_.steps), "losses", size_t(rules_.steps) + 1);
        if (numbers.empty()) return;
        result_.first_step = numbers[0];
        result_.losses.assign(numbers.begin() + 1, numbers.end());
    }

    void compare_with(const std::vector<double>& expected) {
        if (!peer_ || result_.losses.size() != expected.size()) return;
        double scale = std::fabs(expected.empty() ? 0 : expected[0]) * 1e-3; // a loss near 0 has few correct digits
        for (size_t i = 0; i < expected.size(); ++i) {
            double bound = rules_.tolerance * std::max(std::fabs(expected[i]), scale);
            if (std::fabs(result_.losses[i] - expected[i]) <= bound) continue;
            return leave(
                fmt::format("not timed, because its losses differ: at step {} its loss is {:.7g}, gradc's is {:.7g}",
                            i + 1, result_.losses[i], expected[i]));
        }
    }

    void take_round() {
        std::vector<double> numbers =
            ask_numbers(fmt::format("round {:g}", rules_.seconds), "round", engine_.trainer ? 4 : 3);
        if (numbers.empty()) return;
        if (!(numbers[0] > 0) || !std::isfinite(numbers[0]) || !(numbers[1] >= numbers[0]))
            return leave(fmt::format("reports {:g} s for a step", numbers[0]));
        if (numbers[0] < result_.fastest) {
            result_.fastest = numbers[0];
            result_.peak = engine_.trainer ? numbers[3] : 0;
        }
        result_.medians.push_back(numbers[1]);
    }

    void finish() {
        if (peer_ && result_.medians.empty()) leave("not timed, because gradc's own trainer stopped");
        if (!peer_) return;
        result_.peak_memory = peer_->peak_memory();
        if (!engine_.trainer)
            if (auto size = ask_numbers("size", "size", 1); !size.empty()) result_.shipped_bytes = int64_t(size[0]);
        if (!peer_) return;
        peer_->tell("end");
        peer_.reset();
        std::sort(result_.medians.begin(), result_.medians.end());
        result_.median = result_.medians[result_.medians.size() / 2];
        result_.state = EngineResult::State::measured;
    }

private:
    void leave(const std::string& note) {
        peer_.reset();
        result_.state = EngineResult::State::failed;
        result_.note = note;
    }

    /// The words of the next line, which must begin with `answer`; before `ready` it may be `missing MODULE`.
    std::optional<std::vector<std::string>> hear(const std::string& answer) {
        std::string error;
        auto line = peer_->hear(rules_.patience + 10 * rules_.seconds, error);
        if (!line) return leave(error), std::nullopt;
        std::vector<std::string> words = words_of(*line);
        if (!words.empty() && (words[0] == answer || (words[0] == "missing" && answer == "ready"))) return words;
        return leave(fmt::format("answers `{}` where `{}` is expected", line->substr(0, 40), answer)), std::nullopt;
    }

    std::string missing_text(const std::string& module) const {
        const std::string& python = engine_.start.words[0];
        std::string packages = module == engine_.name ? module : engine_.name + " " + module;
        return fmt::format("{} has no module {}. To install: python3 -m venv peers && peers/bin/pip install {}; "
                           "then --python peers/bin/python",
                           python, module, packages);
    }

    const Engine& engine_;
    const BenchmarkRules& rules_;
    std::unique_ptr<Peer> peer_;
    EngineResult result_;
};

void ask_machine(Contender& first, BenchmarkResult& result) {
    std::vector<std::string> words = first.ask("machine", "machine", 3);
    if (words.empty()) return;
    result.batch = int64_t(number(words[1]).value_or(0));
    result.flops = number(words[2]).value_or(0);
    result.isa = words[3];
}

} // namespace

BenchmarkResult run_benchmark(const std::vector<Engine>& engines, const BenchmarkRules& rules) {
    check(!engines.empty() && engines[0].trainer, "bench", "the first engine is no trainer");
    BenchmarkResult result;
    std::vector<std::unique_ptr<Contender>> all;
    for (const Engine& engine : engines) all.push_back(std::make_unique<Contender>(engine, rules));
    Contender& first = *all[0];
    first.start();
    first.ask(fmt::format("batches {} {}", rules.folder, rules.steps), "batches", 0);
    first.train_first_steps();
    for (size_t i = 1; i < all.size() && first.takes_part(); ++i) {
        all[i]->start();
        all[i]->train_first_steps();
        all[i]->compare_with(first.result().losses);
    }
    if (first.takes_part()) ask_machine(first, result);
    for (int round = 0; round < rules.rounds && first.takes_part(); ++round)
        for (auto& contender : all) contender->take_round();
    for (auto& contender : all) contender->finish();
    for (auto& contender : all) result.engines.push_back(contender->result());
    result.peak = result.engines[0].peak;
    return result;
}

} // namespace gradc
