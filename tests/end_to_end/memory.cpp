// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A trainer's memory as the system reports it: the arena is one mapping of the plan's size, and other memory does not
// grow after the first epoch. The trainer is traced and inspected while it is stopped before a write, so that the
// result does not depend on time.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace end_to_end;

namespace {

constexpr int64_t page = 4096;

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

struct Picture {
    int64_t data = 0, anonymous = 0; // VmData, RssAnon: KB
    int arenas = 0;                  // private anonymous mappings of the wanted size
};

int64_t kilobytes(const std::string& status, const std::string& key) {
    size_t at = status.find("\n" + key + ":");
    return at == status.npos ? -1 : std::stoll(status.substr(at + key.size() + 2));
}

Picture look_at(pid_t child, int64_t arena_bytes) {
    std::string folder = "/proc/" + std::to_string(child), status = text_of(folder + "/status");
    Picture picture{kilobytes(status, "VmData"), kilobytes(status, "RssAnon"), 0};
    int64_t wanted = (arena_bytes + page - 1) / page * page;
    std::istringstream maps(text_of(folder + "/maps"));
    for (std::string line; std::getline(maps, line);) {
        unsigned long long begin = 0, end = 0, inode = 0;
        char access[5] = {};
        if (std::sscanf(line.c_str(), "%llx-%llx %4s %*s %*s %llu", &begin, &end, access, &inode) != 4) continue;
        bool named = line.find('[') != line.npos; // heap, stack
        picture.arenas += !named && inode == 0 && std::string(access) == "rw-p" && int64_t(end - begin) == wanted;
    }
    return picture;
}

/// Runs a trainer to its `last`-th write to standard output; pictures from
/// before the second on. Empty: no tracing here.
std::vector<Picture> trace(const std::string& folder, const std::vector<std::string>& command, int last,
                           int64_t arena_bytes) {
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        std::vector<char*> arguments;
        for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        if (chdir(folder.c_str()) != 0 || ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(126);
        execv(arguments[0], arguments.data());
        _exit(127);
    }
    std::vector<Picture> pictures;
    int status = 0, writes = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) return pictures;
    ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (bool entering = true; writes < last && ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0;) {
        if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status)) return pictures;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
        user_regs_struct registers{};
        ptrace(PTRACE_GETREGS, child, nullptr, &registers);
        bool writing = registers.orig_rax == 1 && registers.rdi == 1; // write(1, ..)
        if (entering && writing && ++writes > 1) pictures.push_back(look_at(child, arena_bytes));
        entering = !entering;
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return pictures;
}

/// `epochs` are reported one by one (up to 40).
void check_memory(const Scratch& scratch, const std::string& model, const std::string& data, int epochs) {
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    Outcome built = run(quoted(gradc) + " build " + quoted(model) + " --isa baseline -o trainer", launch);
    INFO(built.err);
    REQUIRE(built.code == 0);
    std::string count = std::to_string(epochs), folder = scratch.path().string();
    REQUIRE(run("./trainer train --epochs 1 --quiet --json one.json --data-dir " + quoted(data), launch).code == 0);
    int64_t arena = std::stoll(json_value(scratch.read("one.json"), "arena_bytes"));
    std::vector<Picture> pictures = trace(
        folder, {folder + "/trainer", "train", "--threads", "1", "--epochs", count, "--data-dir", data}, epochs, arena);
    if (pictures.empty()) return skip("tracing other processes is not allowed here");
    REQUIRE(pictures.size() == size_t(epochs - 1));
    for (const Picture& picture : pictures) {
        CHECK(picture.arenas == 1);
        CHECK(picture.data == pictures[0].data);
        CHECK(picture.anonymous <= pictures[0].anonymous + 64); // the epochs' reports
    }
}

} // namespace

TEST_CASE("the arena is one mapping of the plan's size, and nothing grows after the first epoch", "[memory]") {
    Scratch scratch;
    SECTION("small, its data drawn") {
        scratch.write("m.grad", small_model);
        check_memory(scratch, "m.grad", ".", 40);
    }
    SECTION("data from a file") {
        check_memory(scratch, tree + "/examples/digits/model.grad", tree + "/examples/digits", 40);
    }
    SECTION("an arena of many pages, shuffled MNIST") {
        const char* folder = std::getenv("GRADC_DATA");
        if (!folder || !std::filesystem::exists(std::string(folder) + "/mnist")) return skip("MNIST (GRADC_DATA)");
        check_memory(scratch, tree + "/examples/mnist_mlp/model.grad", folder, 3);
    }
}

TEST_CASE("info prints the parts of the memory and the largest sum of live values", "[memory]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    REQUIRE(run(quoted(gradc) + " build m.grad -o trainer", launch).code == 0);
    std::string about = run("./trainer info", launch).out;
    for (const char* part :
         {"\n  parameters ", "\n  optimizer ", "\n  activations", "\n  scratch ", "in use at one step"})
        CHECK(contains(about, part));
}
