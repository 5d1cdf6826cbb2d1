// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A scratch folder in the system's folder for temporary files, and child processes.
#include "tests/unit/runtime/workplace.h"
#include "runtime/base/json.h"
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace workplace {

Folder::Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "gradc-runtime-XXXXXX").string();
    path_ = mkdtemp(name.data());
}
Folder::~Folder() { std::filesystem::remove_all(path_); }

std::string Folder::write(std::string_view name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
}

std::vector<std::string> Folder::list() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string read(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return content.str();
}

static pid_t launch(const Folder& folder, const std::vector<std::string>& words, const std::string& kind) {
    pid_t process = fork();
    if (process != 0) return process;
    std::string program = STUB_TRAINER + kind;
    std::vector<char*> arguments{program.data()};
    std::vector<std::string> copies = words;
    for (std::string& word : copies) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (chdir(folder.path().c_str()) != 0) _exit(99);
    int out = open("stdout.log", O_WRONLY | O_CREAT | O_TRUNC, 0666),
        err = open("stderr.log", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(out, 1);
    dup2(err, 2);
    unsetenv("GRADC_DATA");
    execv(program.c_str(), arguments.data());
    _exit(98);
}

static int wait_for(pid_t process) {
    int status = 0;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static Result collect(const Folder& folder, int code) {
    Result result{code, read(folder.path("stdout.log")), read(folder.path("stderr.log"))};
    std::filesystem::remove(folder.path("stdout.log"));
    std::filesystem::remove(folder.path("stderr.log"));
    return result;
}

Result run(const Folder& folder, const std::vector<std::string>& words, const std::string& kind) {
    return collect(folder, wait_for(launch(folder, words, kind)));
}

Result run_and_send(const Folder& folder, const std::vector<std::string>& words, int signal, int microseconds) {
    pid_t process = launch(folder, words, "");
    usleep(unsigned(microseconds));
    kill(process, signal);
    return collect(folder, wait_for(process));
}

Result run_until_written(const Folder& folder, const std::vector<std::string>& words, const std::string& file,
                         int signal) {
    pid_t process = launch(folder, words, "");
    for (int wait = 0; wait < 60000 && !std::filesystem::exists(folder.path(file)); wait++) usleep(1000);
    kill(process, signal);
    return collect(folder, wait_for(process));
}

pid_t start(const Folder& folder, const std::vector<std::string>& words) { return launch(folder, words, ""); }
int finish(pid_t process, int signal) {
    kill(process, signal);
    return wait_for(process);
}

void write_digits(const Folder& folder, int rows) {
    std::string csv;
    for (int p = 0; p < 64; p++) csv += "p" + std::to_string(p) + ",";
    csv += "label\n";
    unsigned state = 7;
    for (int row = 0; row < rows; row++) {
        int label = row * 7 % 10;
        for (int p = 0; p < 64; p++) {
            state = state * 1664525u + 1013904223u;
            bool bright = (p * 3 + label * 5) % 11 < 4;
            csv += std::to_string((bright ? 9 : 2) + int(state >> 29)) + ",";
        }
        csv += std::to_string(label) + "\n";
    }
    folder.write("digits.csv", csv);
}

std::string json_text(const std::string& path, std::string_view key) {
    gradc::runtime::JsonValue value;
    if (!gradc::runtime::read_json(read(path), value)) return "no JSON";
    const gradc::runtime::JsonValue* found = value.find(key);
    return found ? found->string : "no key";
}

} // namespace workplace
