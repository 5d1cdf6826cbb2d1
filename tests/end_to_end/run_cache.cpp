// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cache of `gradc run` and `gradc build`: keyed by content, safe for two processes at once, never out of date,
// bounded.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <unistd.h>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

Outcome command(const Scratch& scratch, const std::string& arguments, const std::string& compiler = gradc) {
    std::string cache = quoted((scratch.path() / "cache").string());
    return run("XDG_CACHE_HOME=" + cache + " " + quoted(compiler) + " " + arguments,
               {.folder = scratch.path().string(), .limit = 120});
}

Outcome gradc_run(const Scratch& scratch, const std::string& arguments) { return command(scratch, "run " + arguments); }

/// Builds; true if the cache had the trainer.
bool taken(const Scratch& scratch, const std::string& arguments, const std::string& compiler = gradc) {
    Outcome built = command(scratch, "build --time " + arguments, compiler);
    REQUIRE(built.code == 0);
    bool found = contains(built.out, "taken from the cache"), made = contains(built.out, " object\n");
    CHECK(found != made);
    return found;
}

bool same(const Scratch& scratch, const std::string& a, const std::string& b) {
    std::string bytes = scratch.read(a);
    return !bytes.empty() && bytes == scratch.read(b);
}

size_t cached(const Scratch& scratch) {
    size_t files = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(scratch.path() / "cache"))
        files += entry.is_regular_file();
    return files;
}

/// The one trainer in the cache.
fs::path kept(const Scratch& scratch) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(scratch.path() / "cache"))
        if (entry.path().filename() == "m") return entry.path();
    FAIL("nothing is kept");
    return {};
}

struct Damage {
    const char* command; // with $f for the kept trainer
    const char* told;
};
const Damage damages[] = {
    {"truncate -s -1 $f", "its content is not what was written"},
    {"truncate -s 7 $f", "its content is not what was written"},
    {"printf X | dd of=$f bs=1 seek=5000 conv=notrunc 2>/dev/null", "its content is not what was written"},
    {"printf '#!/bin/sh\\necho intruder\\n' >$f", "its content is not what was written"},
    {"printf '#!/bin/sh\\necho intruder\\n' >other; chmod 700 other; ln -sf \"$PWD/other\" $f", "it is a link"},
    {"mv $f other; ln -s \"$PWD/other\" $f", "it is a link"}, // even one to the trainer itself
    {"rm $f; mkdir $f; touch $f/x", "it is not a regular file"},
    {"rm $f; mkfifo -m 700 $f", "it is not a regular file"},
    {"chmod 720 $f", "others may write it"},
    {"chmod 602 $f", "others may write it"},
    {"chmod 600 $f", "it is not executable"},
};

} // namespace

TEST_CASE("run builds once, trains, and passes flags and the exit code on", "[run_cache]") {
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

TEST_CASE("two builds at once leave one complete file", "[run_cache]") {
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

TEST_CASE("build takes a cached trainer only for equal input", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    CHECK(taken(scratch, "m.grad -o second"));
    CHECK(same(scratch, "first", "second"));
    CHECK(run("./second train", {.folder = scratch.path().string()}).code == 0);
    CHECK_FALSE(taken(scratch, "m.grad -o other --isa baseline"));
    CHECK_FALSE(same(scratch, "first", "other"));
    CHECK_FALSE(taken(scratch, "m.grad -o other --dtype f64"));
    CHECK_FALSE(taken(scratch, "m.grad -o other --no-fuse"));
    CHECK_FALSE(taken(scratch, "m.grad -o other --disable-pass fold_constants"));
    CHECK_FALSE(taken(scratch, "m.grad -o other --no-cache"));
    CHECK(taken(scratch, "m.grad -o other"));
    CHECK(same(scratch, "first", "other"));
    scratch.write("n.grad", small_model); // a trainer knows the name of its model
    CHECK_FALSE(taken(scratch, "n.grad -o other"));
    std::string changed = small_model;
    changed.replace(changed.find("1e-2"), 4, "1e-3");
    scratch.write("m.grad", changed);
    CHECK_FALSE(taken(scratch, "m.grad -o other"));
}

TEST_CASE("the cache key covers imports and the data that sizes come from", "[run_cache]") {
    Scratch scratch;
    scratch.write("size.grad", "const wide = 3\n");
    scratch.write("x.csv", "1,0\n2,1\n3,1\n4,0\n");
    scratch.write("y.csv", "1\n2\n3\n4\n");
    scratch.write("m.grad", R"(use "size.grad"
dataset rows {
    x: f32[K] = csv("x.csv")
    y: f32 = csv("y.csv", columns: 0)
}
model m(x: f32[N, K]) -> f32[N] { return linear(tanh(linear(x, wide)), 1)[:, 0] }
train {
    data rows
    batch 2
    epochs 1
    loss mse(m(x), y)
    optimizer sgd(learning_rate: 1e-2)
}
)");
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    CHECK(taken(scratch, "m.grad -o first"));
    scratch.write("size.grad", "const wide = 4\n");
    CHECK_FALSE(taken(scratch, "m.grad -o second"));
    CHECK_FALSE(same(scratch, "first", "second"));
    scratch.write("x.csv", "1,0,2\n2,1,2\n3,1,0\n4,0,1\n"); // a third column
    CHECK_FALSE(taken(scratch, "m.grad -o third"));
    CHECK_FALSE(same(scratch, "second", "third"));
    CHECK(run("./third train", {.folder = scratch.path().string()}).code == 0);
    REQUIRE(gradc_run(scratch, "m.grad").code == 0); // and run is not misled either
}

TEST_CASE("the cache key covers the compiler and the runtime", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    REQUIRE(run("mkdir -p bin lib/gradc && cp " + quoted(gradc) + " bin/gradc && cp " +
                    quoted(fs::path(gradc).parent_path().string() + "/lib/gradc/runtime.o") + " lib/gradc/",
                {.folder = scratch.path().string()})
                .code == 0);
    std::string copy = (scratch.path() / "bin/gradc").string();
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    CHECK(taken(scratch, "m.grad -o first", copy)); // the same bytes elsewhere
    REQUIRE(run("printf x >>bin/gradc && touch -r m.grad bin/gradc", {.folder = scratch.path().string()}).code == 0);
    CHECK_FALSE(taken(scratch, "m.grad -o second", copy));
    CHECK(taken(scratch, "m.grad -o second", copy));
    REQUIRE(run("printf x >>lib/gradc/runtime.o", {.folder = scratch.path().string()}).code == 0);
    CHECK_FALSE(taken(scratch, "m.grad -o second", copy));
}

TEST_CASE("the cache removes old trainers and no foreign files", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    fs::path root = scratch.path() / "cache" / "gradc";
    auto before = [](int hours) { return fs::file_time_type::clock::now() - std::chrono::hours(hours); };
    for (int i = 0; i < 70; ++i) {
        std::string name = std::to_string(1000 + i);
        fs::path folder = root / (std::string(16 - name.size(), 'a') + name);
        scratch.write(fs::relative(folder / "trainer", scratch.path()).string(), "old");
        fs::last_write_time(folder / "trainer", before(2 + i));
        fs::last_write_time(folder, before(2 + i));
    }
    scratch.write("cache/gradc/note", "mine");
    scratch.write("cache/gradc/papers/one", "mine");
    CHECK(taken(scratch, "m.grad -o first")); // nothing new, nothing removed
    CHECK(cached(scratch) == 73);
    CHECK_FALSE(taken(scratch, "m.grad -o first --isa baseline"));
    CHECK(cached(scratch) == 64 + 2);
    CHECK(fs::exists(root / (std::string(12, 'a') + "1061") / "trainer"));
    CHECK_FALSE(fs::exists(root / (std::string(12, 'a') + "1062")));
    CHECK(scratch.read("cache/gradc/note") == "mine");
    CHECK(scratch.read("cache/gradc/papers/one") == "mine");
    CHECK(taken(scratch, "m.grad -o first"));
}

TEST_CASE("a folder that others may write to is not used as a cache", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    fs::create_directories(scratch.path() / "cache" / "gradc");
    fs::permissions(scratch.path() / "cache" / "gradc", fs::perms::all);
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    CHECK(cached(scratch) == 0);
    Outcome refused = gradc_run(scratch, "m.grad");
    CHECK(refused.code == 1);
    CHECK(contains(refused.err, "others may write into it"));
}

TEST_CASE("a cached trainer that was changed is built again, with a note", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    REQUIRE(gradc_run(scratch, "m.grad --json log.json").code == 0); // into its own place: made for this machine
    std::string hash = json_value(scratch.read("log.json"), "weights_hash");
    for (const Damage& damage : damages) {
        INFO(damage.command);
        fs::remove_all(scratch.path() / "cache");
        CHECK_FALSE(taken(scratch, "m.grad -o first"));
        std::string spoil = "f=" + quoted(kept(scratch).string()) + "; " + damage.command;
        REQUIRE(run(spoil, {.folder = scratch.path().string()}).code == 0);
        Outcome built = command(scratch, "build m.grad -o second");
        CHECK(built.code == 0);
        CHECK(contains(built.err, std::string("is built again: ") + damage.told));
        CHECK(same(scratch, "first", "second"));
        built = command(scratch, "build m.grad -o second");
        CHECK(built.err == "");
        CHECK(taken(scratch, "m.grad -o second"));
        CHECK(same(scratch, "first", "second"));
    }
    REQUIRE(gradc_run(scratch, "m.grad").code == 0);
    fs::remove_all(scratch.path() / "cache");
    REQUIRE(gradc_run(scratch, "m.grad").code == 0);
    REQUIRE(run("printf '#!/bin/sh\necho intruder\n' >" + quoted(kept(scratch).string())).code == 0);
    Outcome ran = gradc_run(scratch, "m.grad --json log.json");
    CHECK(ran.code == 0);
    CHECK_FALSE(contains(ran.out, "intruder"));
    CHECK(contains(ran.err, "is built again"));
    CHECK(json_value(scratch.read("log.json"), "weights_hash") == hash);
}

TEST_CASE("a cached trainer of another model is not used", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    CHECK_FALSE(taken(scratch, "m.grad -o first"));
    fs::path one = kept(scratch);
    fs::rename(one, scratch.path() / "aside");
    CHECK_FALSE(taken(scratch, "m.grad -o other --dtype f64"));
    fs::rename(kept(scratch), one);
    CHECK_FALSE(taken(scratch, "m.grad -o second"));
    CHECK(same(scratch, "first", "second"));
}

TEST_CASE("the cache is private to its owner with any umask", "[run_cache]") {
    for (const char* mask : {"0", "002", "022", "077"}) {
        INFO(mask);
        Scratch scratch;
        scratch.write("m.grad", small_model);
        std::string build = std::string("umask ") + mask + "; XDG_CACHE_HOME=\"$PWD/cache\" " + quoted(gradc) +
                            " build --time m.grad -o first";
        CHECK(contains(run(build, {.folder = scratch.path().string(), .limit = 120}).out, "kept in the cache"));
        CHECK(contains(run(build, {.folder = scratch.path().string(), .limit = 120}).out, "taken from the cache"));
        for (fs::path part = kept(scratch); part != scratch.path(); part = part.parent_path())
            CHECK((fs::status(part).permissions() & fs::perms::mask) == fs::perms::owner_all);
    }
}

TEST_CASE("the permissions of all folders above the cache count", "[run_cache]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    auto refused = [&](const std::string& cache) {
        Outcome built =
            run("XDG_CACHE_HOME=" + quoted((scratch.path() / cache).string()) + " " + quoted(gradc) + " run m.grad",
                {.folder = scratch.path().string(), .limit = 120});
        CHECK((built.code == 1) == contains(built.err, "gradc run: cannot keep trainers in"));
        return built.code == 1 ? built.err : "";
    };
    fs::create_directories(scratch.path() / "open/inner");
    fs::permissions(scratch.path() / "open", fs::perms::all);
    CHECK(contains(refused("open/inner"), "/open: others may write into it"));
    fs::create_directory_symlink("open/inner", scratch.path() / "link");
    CHECK(contains(refused("link"), "/open: others may write into it"));
    fs::permissions(scratch.path() / "open", fs::perms::all | fs::perms::sticky_bit);
    CHECK(refused("open/inner") == "");
    CHECK(refused("link") == "");
    if (geteuid() != 0) return skip("folders of another user: not root");
    REQUIRE(run("chmod 755 open && chown 12345 open", {.folder = scratch.path().string()}).code == 0);
    CHECK(contains(refused("open/inner"), "/open belongs to another user"));
    REQUIRE(run("chown 0:12345 open && chmod 770 open", {.folder = scratch.path().string()}).code == 0);
    CHECK(contains(refused("open/inner"), "/open: others may write into it"));
}
