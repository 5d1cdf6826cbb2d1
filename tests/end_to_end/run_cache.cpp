// `gradc run`: a cache named by content, safe for two at once.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

Outcome gradc_run(const Scratch& scratch, const std::string& arguments) {
    std::string cache = quoted((scratch.path() / "cache").string());
    return run("XDG_CACHE_HOME=" + cache + " " + quoted(gradc) + " run " + arguments,
               {.folder = scratch.path().string(), .limit = 120});
}

size_t cached(const Scratch& scratch) {
    size_t files = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(scratch.path() / "cache"))
        files += entry.is_regular_file();
    return files;
}

} // namespace

TEST_CASE("run builds once, trains, and hands on flags and the exit code", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    REQUIRE(gradc_run(scratch, "m.grad --epochs 2 --seed 3 --json log.json").code == 0);
    CHECK(json_value(scratch.read("log.json"), "seed") == "3");
    CHECK(json_value(scratch.read("log.json"), "epoch") == "2");
    CHECK(cached(scratch) == 1);
    REQUIRE(gradc_run(scratch, "--epochs 2 m.grad").code == 0);
    CHECK(cached(scratch) == 1);
    CHECK(gradc_run(scratch, "m.grad --unheard-of 1").code == 2);
    std::string other = small_model;
    other.replace(other.find("1e-2"), 4, "1e-3");
    scratch.write("m.grad", other);
    REQUIRE(gradc_run(scratch, "m.grad").code == 0);
    CHECK(cached(scratch) == 2);
}

TEST_CASE("two at once meet in one whole file", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    std::string all;
    for (int i = 0; i < 4; ++i) {
        std::string number = std::to_string(i);
        all += "mkdir c" + number + "; (cp m.grad c" + number + "; cd c" + number + "; XDG_CACHE_HOME=../cache " +
               quoted(gradc) + " run m.grad --json log.json; echo $? > code) & ";
    }
    REQUIRE(run(all + "wait", {.folder = scratch.path().string(), .limit = 120}).code == 0);
    std::string hash = json_value(scratch.read("c0/log.json"), "weights_hash");
    CHECK(hash != "");
    for (int i = 0; i < 4; ++i) {
        std::string folder = "c" + std::to_string(i);
        CHECK(scratch.read(folder + "/code") == "0\n");
        CHECK(json_value(scratch.read(folder + "/log.json"), "weights_hash") == hash);
    }
    CHECK(cached(scratch) == 1);
}
