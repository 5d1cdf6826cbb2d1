// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every n-th system call of a short run fails. Output is complete, or exit code 1 reports its loss; the checkpoint is
// the old or the new one; and no other file is left.
#include "runtime/base/safetensors.h"
#include "tests/unit/runtime/workplace.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

using namespace workplace;

namespace {

using Words = std::vector<std::string>;

const Words train{"train", "--batch-size", "8",      "--epochs", "2",     "--checkpoint",
                  "c",     "--json",       "r.json", "--curves", "v.svg", "--overwrite"};

struct Place : Folder {
    Place() {
        write_digits(*this, 20);
        REQUIRE(run(*this, {"train", "--batch-size", "8", "--epochs", "1", "--checkpoint", "c"}).code == 0);
        old = read(path("c"));
        REQUIRE(run(*this, train).code == 0);
    }
    std::string old;
};

bool is_integer(const std::string& path) {
    gradc::runtime::SafetensorsFile file;
    gradc::runtime::Error error;
    return file.open(path, error);
}

/// One run with that error; false if the run did not reach the call.
bool survives(const Place& place, const Words& words, const std::string& error) {
    INFO(words[0] << " with " << error);
    place.write("c", place.old);
    for (const char* name : {"r.json", "v.svg", "p.csv", "e.safetensors", "fault.fired"})
        std::filesystem::remove(place.path(name));
    setenv("FAULT", error.c_str(), 1);
    Result result = run(place, words, "_faulty");
    unsetenv("FAULT");
    bool fired = std::filesystem::remove(place.path("fault.fired"));
    INFO(result.err);
    CHECK((result.code == 0 || result.code == 1));
    CHECK(result.code == (result.err.empty() ? 0 : 1));
    bool one = error.find("ever") == error.npos; // a lasting error is reported for each file
    if (one) CHECK(std::count(result.err.begin(), result.err.end(), '\n') == (result.code == 0 ? 0 : 1));
    bool harmless = error.find("short") != error.npos || error.find("signal") != error.npos;
    bool either = error.starts_with("flock"); // a folder that has no locks can still be written to
    if (fired && !either) CHECK(result.code == (harmless ? 0 : 1));
    if (result.code == 0 && words == train) CHECK(place.list() == Words{"c", "digits.csv", "r.json", "v.svg"});
    CHECK(is_integer(place.path("c")));
    if (words != train) CHECK((read(place.path("c")) == place.old));
    for (const std::string& name : place.list()) {
        INFO(name);
        CHECK(!name.ends_with(".tmp"));
        if (!either) CHECK(!name.ends_with(".lock")); // one that cannot be locked may be another's
    }
    return fired;
}

int count_faults(const Place& place, const Words& words, const std::string& call) {
    int number = 0;
    while (number < 100'000 && survives(place, words, call + " " + std::to_string(number + 1))) number++;
    return number;
}

} // namespace

TEST_CASE("each failing system call in training is an error and damages nothing") {
    Place place;
    CHECK(count_faults(place, train, "write once") > 10);
    CHECK(count_faults(place, train, "write ever") > 10);
    CHECK(count_faults(place, train, "write short") > 10);
    CHECK(count_faults(place, train, "write signal") > 10);
    CHECK(count_faults(place, train, "fsync once") >= 6);
    CHECK(count_faults(place, train, "rename once") >= 3);
    CHECK(count_faults(place, train, "mmap once") >= 2);
    CHECK(count_faults(place, train, "open once") > 6);
    CHECK(count_faults(place, train, "flock once") > 3);
}

TEST_CASE("a lack of memory anywhere in training damages nothing") {
    Place place;
    CHECK(count_faults(place, train, "malloc once") > 100);
}

TEST_CASE("each failing system call of the other commands is an error") {
    Place place;
    const Words commands[] = {{"predict", "--checkpoint", "c", "digits.csv"},
                              {"predict", "--checkpoint", "c", "--output", "p.csv"},
                              {"eval", "--checkpoint", "c", "--json", "r.json"},
                              {"export", "--output", "e.safetensors"},
                              {"landscape", "--checkpoint", "c", "--grid", "2", "--csv", "l.csv"},
                              {"info"},
                              {"train", "--help"}};
    for (const Words& words : commands) {
        CHECK(count_faults(place, words, "write once") >= 1);
        count_faults(place, words, "open once");
        count_faults(place, words, "mmap once");
        count_faults(place, words, "fsync once");
        count_faults(place, words, "rename once");
    }
}
