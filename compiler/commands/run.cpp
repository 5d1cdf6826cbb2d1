// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc run: builds the trainer into the cache, unless it is there, then becomes it.
#include "compiler/commands/commands.h"
#include "compiler/commands/trainer_cache.h"
#include "compiler/pipeline.h"
#include "compiler/util/files.h"
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace gradc {
int run_model_command(const CommandLine& line) {
    FileReader reader;
    std::string error;
    Front front = load(line, reader, error);
    if (!front.job) return refuse(front, error, line);
    CacheEntry cache = CacheEntry::trainer(front, line);
    const std::string& trainer = cache.path();
    if (error = cache.open(); !error.empty()) {
        complain("gradc run: cannot keep trainers in {}: {}\n", cache.root(), error);
        return exit_code::input;
    }
    if (!cache.take()) {
        StageTimes times;
        std::optional<std::string> bytes = make_trainer(front, line, times);
        if (!bytes) return exit_code::input;
        if (error = cache.keep(*bytes); !error.empty()) {
            fmt::print(stderr, "gradc run: cannot write {}: {}\n", trainer, error);
            return exit_code::input;
        }
    }
    std::vector<std::string> words = {trainer, "train"};
    words.insert(words.end(), line.trainer_arguments.begin(), line.trainer_arguments.end());
    if (line.data_folders.empty()) // the trainer lies in the cache: what lies beside the model is elsewhere
        words.insert(words.end(), {"--data-dir", folder_of(line.model)});
    if (line.confined) words.push_back("--confine=" + folder_of(line.model));
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(trainer.c_str(), arguments.data());
    complain("gradc run: cannot start {}: {}\n", trainer, std::strerror(errno));
    return exit_code::input;
}

} // namespace gradc
