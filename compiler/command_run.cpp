// gradc run: builds the trainer into a cache that is named by content, then becomes it. Two runs at once are safe: each
// writes a temporary file and renames it to the same name with the same bytes.
#include "compiler/commands.h"
#include "compiler/pipeline.h"
#include "compiler/util/files.h"
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gradc {
namespace {

std::string cache_folder() {
    if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder && *folder) return std::string(folder) + "/gradc";
    if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/gradc";
    return "/tmp/gradc-cache-" + std::to_string(getuid());
}

/// Everything the trainer's bytes depend on.
std::string cache_key(const CommandLine& line, const std::string& sources) {
    struct stat own {};
    stat(own_path().c_str(), &own);
    std::string key = fmt::format("{}|{}|{}|{}|{}|{}", version_text(), own.st_size, own.st_mtime, sources, line.isa,
                                  name(line.precision));
    for (const auto& [constant, value] : line.set) key += fmt::format("|{}={}", constant, value);
    return hash_text(key) + hash_text("gradc" + key);
}

} // namespace

int run_model_command(const CommandLine& line) {
    FileReader reader;
    std::string fault;
    Front front = load(line, reader, fault);
    if (!front.elaborated) return refuse(front, fault, line);
    std::string folder = cache_folder() + "/" + cache_key(line, source_hash(front.sources));
    std::string trainer = folder + "/" + stem_of(line.model);
    if (access(trainer.c_str(), X_OK) != 0) {
        if (!make_folders(folder)) {
            fmt::print(stderr, "gradc run: cannot make {}: {}\n", folder, std::strerror(errno));
            return exit_code::input;
        }
        int code = write_trainer(front, line, trainer);
        if (code != exit_code::done) return code;
    }
    std::vector<std::string> words = {trainer, "train"};
    words.insert(words.end(), line.trainer_arguments.begin(), line.trainer_arguments.end());
    if (line.data_folders.empty()) // the trainer lies in the cache: what lies beside the model is elsewhere
        words.insert(words.end(), {"--data", folder_of(line.model)});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(trainer.c_str(), arguments.data());
    fmt::print(stderr, "gradc run: cannot start {}: {}\n", trainer, std::strerror(errno));
    return exit_code::input;
}

} // namespace gradc
