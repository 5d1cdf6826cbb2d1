// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A hostile system: planted links and pipes, temporary files of killed writers, files that shrink while they are read,
// closed descriptors, limits.
#include "runtime/base/files.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace gradc::runtime;
using workplace::Folder;
using workplace::read;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

/// Runs in a process of its own. Returns the exit code; standard error goes to the file `err`.
int code_of(const Folder& folder, const std::function<void()>& work) {
    pid_t process = fork();
    if (process == 0) {
        dup2(open(folder.path("err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
        work();
        _exit(0);
    }
    int status = 0;
    waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Digits : Folder {
    Digits() { workplace::write_digits(*this, 40); }
    /// Exit code of a shell command in the folder; $T is the trainer.
    int shell(const std::string& command) const {
        std::string line = "cd " + path() + " && T=" + STUB_TRAINER + " && " + command;
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); // descriptors that the test inherited
        return WEXITSTATUS(system(("timeout -s KILL 60 bash -c '" + line + "'").c_str()));
    }
};

} // namespace

TEST_CASE("a replaced file follows links and keeps its permissions") {
    Folder folder;
    std::string target = folder.write("target", "old");
    fs::permissions(target, fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("target", folder.path("link"));
    fs::create_symlink("link", folder.path("far"));
    fs::create_symlink("absent", folder.path("dangling"));
    fs::create_symlink("circle", folder.path("circle"));
    Error error;
    REQUIRE(write_file(folder.path("far"), "new", error));
    CHECK(read(target) == "new");
    CHECK(fs::is_symlink(folder.path("far")));
    CHECK(fs::is_symlink(folder.path("link")));
    CHECK(fs::status(target).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    REQUIRE(write_file(folder.path("dangling"), "there", error));
    CHECK(read(folder.path("absent")) == "there");
    CHECK_FALSE(write_file(folder.path("circle"), "", error));
    CHECK(error.message == folder.path("circle") + ": error: cannot write it: Too many levels of symbolic links");
}

TEST_CASE("links and pipes beside a checkpoint are not opened") {
    Folder folder;
    std::string victim = folder.write("victim", "precious"), path = folder.path("c");
    fs::create_symlink("victim", folder.path("c.tmp"));
    Error error;
    REQUIRE(write_file(path, "new", error));
    CHECK(read(victim) == "precious");
    fs::create_symlink("victim", folder.path("c.lock"));
    FileLock lock;
    CHECK_FALSE(lock.acquire(path, error));
    CHECK(error.message == path + ": error: cannot lock it: " + path + ".lock is not a regular file");
    fs::remove(folder.path("c.lock"));
    REQUIRE(mkfifo(folder.path("c.lock").c_str(), 0666) == 0);
    Error pipe;
    FileLock second;
    CHECK_FALSE(second.acquire(path, pipe));
    CHECK(pipe.message == error.message);
    CHECK(read(victim) == "precious");
}

TEST_CASE("a link and the file that it names have one lock") {
    Folder folder;
    folder.write("c", "");
    fs::create_symlink("c", folder.path("link"));
    Error error;
    FileLock first, second;
    REQUIRE(first.acquire(folder.path("link"), error));
    CHECK_FALSE(second.acquire(folder.path("c"), error));
    CHECK(error.message == folder.path("c") + ": error: another trainer is writing this checkpoint");
}

TEST_CASE("temporary files of killed writers are removed, those of running ones stay") {
    Folder folder;
    std::string left = "c.0123456789abcdef.tmp", held = "c.aaaaaaaaaaaaaaaa.tmp", pipe = "c.bbbbbbbbbbbbbbbb.tmp";
    for (const std::string& name : {left, held, std::string("c.tmp"), std::string("d.0123456789abcdef.tmp")})
        folder.write(name, "half");
    REQUIRE(mkfifo(folder.path(pipe).c_str(), 0666) == 0);
    int descriptor = open(folder.path(held).c_str(), O_RDONLY);
    REQUIRE(flock(descriptor, LOCK_EX | LOCK_NB) == 0);
    Error error;
    REQUIRE(write_file(folder.path("c"), "new", error));
    CHECK(folder.list() == Names{"c", held, pipe, "c.tmp", "d.0123456789abcdef.tmp"});
    close(descriptor);
}

TEST_CASE("a mapped file that shrinks ends the program with an error") {
    Folder folder;
    std::string path = folder.write("rows", std::string(1 << 20, 'x'));
    int code = code_of(folder, [&] {
        watch_mapped_files();
        Error error;
        FileLock lock;
        ReplacingFile half(folder.path("half"));
        MappedFile small, file;
        bool ready = lock.acquire(folder.path("c"), error) && half.open(error) &&
                     small.open(folder.write("small", "x"), error) && file.open(path, error);
        if (!ready || truncate(path.c_str(), 5000) != 0) _exit(90);
        volatile char sum = 0;
        for (char byte : file.bytes()) sum = sum + byte;
    });
    CHECK(code == 1);
    CHECK(read(folder.path("err")) == path +
                                          ": error: it changed while it was in use: it had 1048576 bytes when it was "
                                          "opened, now it has 5000\n");
    CHECK(folder.list() == Names{"err", "rows", "small"});
}

TEST_CASE("a mapped file reports writes by other processes") {
    Folder folder;
    std::string path = folder.write("rows", "0123");
    MappedFile file;
    Error error;
    CHECK(file.change() == "");
    REQUIRE(file.open(path, error));
    CHECK(file.change() == "");
    struct timespec times[2] = {{1, 0}, {1, 0}};
    REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    CHECK(file.change().starts_with(path + ": warning: another process wrote to this file: "));
    REQUIRE(truncate(path.c_str(), 9) == 0);
    CHECK(file.change().find("it had 4 bytes when it was opened, now it has 9") != std::string::npos);
    folder.write("other", "x");
    fs::rename(folder.path("other"), path); // the mapped one is as it was
    CHECK(file.change() == "");
}

TEST_CASE("a non-blocking pipe gets all bytes") {
    int ends[2];
    REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
    std::string text(1 << 20, 'x');
    size_t count = 0;
    std::thread reader([&] {
        char bytes[4096];
        while (count < text.size()) {
            ssize_t got = ::read(ends[0], bytes, sizeof bytes);
            if (got > 0) count += size_t(got);
            if (got == 0) break;
        }
    });
    bool written = write_all(ends[1], text);
    close(ends[1]);
    reader.join();
    close(ends[0]);
    CHECK(written);
    CHECK(count == text.size());
}

TEST_CASE("lost output gives exit code 1") {
    Digits place;
    REQUIRE(place.shell("$T train --epochs 1 --quiet --checkpoint c") == 0);
    for (std::string command :
         {"predict --checkpoint c", "eval --checkpoint c", "info", "export --output e.safetensors", "--help",
          "train --help", "--version", "bench --steps 5", "train --epochs 2"}) {
        INFO(command);
        CHECK(place.shell("$T " + command + " >/dev/full 2>err") == 1);
        CHECK(read(place.path("err")).starts_with("standard output: error: cannot write it: No space left on device"));
        CHECK(place.shell("$T " + command + " >&- 2>err") == 1);
        CHECK(read(place.path("err")).starts_with("standard output: error: cannot write it: Bad file descriptor"));
    }
    CHECK(place.shell("$T train --epochs 2 >/dev/full 2>err") == 1);
    CHECK(read(place.path("err")).ends_with("no other file keeps its results\n"));
}

TEST_CASE("a full disk of standard output does not stop a training with a checkpoint") {
    Digits place;
    for (std::string kept : {"--checkpoint c", "--json r", "--curves v"}) {
        INFO(kept);
        CHECK(place.shell("$T train --epochs 50 --batch-size 8 " + kept + " >/dev/full 2>err") == 1);
        CHECK(read(place.path("err")) == "standard output: warning: cannot write it: No space left on device; training "
                                         "continues without it\n");
        CHECK(fs::exists(place.path(kept.substr(kept.size() - 1))));
    }
    REQUIRE(place.shell("$T train --epochs 50 --batch-size 8 --checkpoint d >out") == 0);
    CHECK((read(place.path("c")) == read(place.path("d"))));
}

TEST_CASE("closed standard descriptors are not given to files") {
    Digits place;
    for (std::string closed : {"<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"}) {
        INFO(closed);
        fs::remove(place.path("c"));
        bool lost = closed.find(">&-") == 0 || closed.find(" >&-") != closed.npos;
        CHECK(place.shell("$T train --epochs 2 --checkpoint c >out 2>err " + closed) == (lost ? 1 : 0));
        CHECK(place.shell("$T eval --checkpoint c >out") == 0);
        CHECK(place.list() == Names{"c", "digits.csv", "err", "out"});
    }
}

TEST_CASE("limits of the system give exit code 1") {
    Digits place;
    REQUIRE(place.shell("$T train --epochs 1 --quiet --checkpoint c") == 0);
    std::string kept = read(place.path("c"));
    for (int files = 4; files < 8; files++) {
        INFO(files);
        int code = place.shell("exec 2>err; ulimit -n " + std::to_string(files) +
                               "; $T train --quiet --overwrite --checkpoint c");
        CHECK((code == 0 || code == 1));
        CHECK((code == 0) == read(place.path("err")).empty());
    }
    place.write("c", kept);
    for (std::string command : {"train --overwrite --checkpoint c", "export --output e.safetensors",
                                "predict --checkpoint c digits.csv --output p.npy"}) {
        INFO(command);
        CHECK(place.shell("ulimit -f 1; $T " + command + " >/dev/null 2>err") == 1);
        CHECK(read(place.path("err")).find("cannot write it: File too large") != std::string::npos);
    }
    CHECK(place.shell("ulimit -f 0; $T info >out 2>/dev/null") == 1);
    CHECK((read(place.path("c")) == kept));
    fs::remove(place.path("out"));
    CHECK(place.list() == Names{"c", "digits.csv", "err"});
}
