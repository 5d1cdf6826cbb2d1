// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rights of a model file: it can read the files that it names, with --confine only those below its folder and
// --data-dir. It cannot write, open a connection or start a program; a filter of system calls ends a process that
// tries.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

std::string reading(const std::string& reader) {
    return "dataset rows {\n    x: f32 = " + reader + R"(
}
model net(x: f32[N]) -> f32[N] { return linear(reshape(x, [N, 1]), 1)[:, 0] }
train {
    data rows
    batch 2
    epochs 1
    loss mse(net(x), x)
    optimizer sgd(learning_rate: 1e-2)
}
)";
}

/// home/ holds the model, data/ is named by --data-dir, other/ is neither.
void write_folders(const Scratch& scratch) {
    for (const char* folder : {"home", "home/inner", "data", "other", "home2"}) {
        scratch.write(std::string(folder) + "/x.csv", "1\n2\n3\n4\n");
        scratch.write(std::string(folder) + "/size.grad", "const wide = 3\n");
    }
    fs::create_symlink("../other/x.csv", scratch.path() / "home/link.csv");
    fs::create_symlink("../data/x.csv", scratch.path() / "home/to_data.csv");
    fs::create_symlink("inner/x.csv", scratch.path() / "home/to_inner.csv");
    fs::create_directory_symlink("../other", scratch.path() / "home/door");
    scratch.write("other/only.csv", "1\n2\n3\n4\n");
    scratch.write("data/given.csv", "1\n2\n3\n4\n");
}

struct Case {
    std::string path;
    bool inside;
};

std::vector<Case> cases(const Scratch& scratch, const std::string& file) {
    std::string root = scratch.path().string();
    return {{file, true},
            {"inner/" + file, true},
            {"inner/../" + file, true},
            {root + "/home/" + file, true},
            {root + "/data/" + file, true},
            {"../other/" + file, false},
            {"../home2/" + file, false}, // begins as home does
            {root + "/other/" + file, false},
            {"door/" + file, false},
            {"../other/absent", false}, // the message does not reveal whether it exists
            {"/etc/passwd", false}};
}

const std::string rule = "--confine lets ";

} // namespace

TEST_CASE("a confined model uses no file outside of its folder and --data-dir", "[confine]") {
    Scratch scratch;
    write_folders(scratch);
    for (const Case& each : cases(scratch, "size.grad")) {
        INFO(each.path);
        scratch.write("home/m.grad", "use \"" + each.path + "\"\n" + small_model);
        Outcome free = call(scratch, "inspect --emit=forward home/m.grad");
        Outcome confined = call(scratch, "inspect --emit=forward --confine --data-dir data home/m.grad");
        CHECK(confined.code == (each.inside ? 0 : 1));
        CHECK((free.code == 0 || each.path == "/etc/passwd" || contains(each.path, "absent")));
        if (each.inside) continue;
        CHECK(contains(confined.err, "home/m.grad:1:5: error: cannot read `"));
        CHECK(contains(confined.err, "it is outside of data, home; " + rule + "a model read no other files"));
        CHECK_FALSE(contains(confined.err, "root:")); // no line of it is shown
    }
    scratch.write("home/m.grad", std::string("use \"a.grad\"\n") + small_model);
    scratch.write("home/a.grad", "use \"../other/size.grad\"\n"); // by way of a file inside
    CHECK(call(scratch, "inspect --emit=forward home/m.grad").code == 0);
    Outcome confined = call(scratch, "inspect --emit=forward --confine home/m.grad");
    CHECK(confined.code == 1);
    CHECK(contains(confined.err, "home/a.grad:1:5: error: cannot read `other/size.grad`: it is outside of home;"));
}

TEST_CASE("a confined model reads no data outside of its folder and --data-dir", "[confine]") {
    Scratch scratch;
    write_folders(scratch);
    std::vector<Case> all = cases(scratch, "x.csv");
    for (Case more : {Case{"link.csv", false}, Case{"to_data.csv", true}, Case{"to_inner.csv", true}})
        all.push_back(more);
    for (const Case& each : all) {
        INFO(each.path);
        // The trainer is built without the rule and obeys it all the same; gradc refuses before any file is read.
        scratch.write("home/m.grad", reading("csv(\"" + each.path + "\", columns: 0)"));
        REQUIRE(call(scratch, "build home/m.grad -o home/trainer").code == 0);
        Launch launch{.folder = scratch.path().string()};
        Outcome trained = run("cd home; ./trainer train --confine --data-dir ../data", launch);
        CHECK((trained.code == 0) == (each.inside && each.path != "/etc/passwd"));
        bool absent = contains(each.path, "absent");
        CHECK((each.inside || absent || contains(trained.err, "; " + rule + "a model read no other files")));
        Outcome built = call(scratch, "build --confine --data-dir data home/m.grad -o home/other");
        CHECK(built.code == (each.inside ? 0 : 1));
        if (each.inside) continue;
        CHECK(contains(built.err,
                       "home/m.grad:2:18: error: cannot read `" + each.path + "`: it is outside of data, home"));
        CHECK_FALSE(contains(run("cd home; ./trainer train --confine=/ --data-dir ../data", launch).err, rule));
    }
}

TEST_CASE("with --confine, files are searched in the model's folder and --data-dir only", "[confine]") {
    Scratch scratch;
    write_folders(scratch);
    scratch.write("home/m.grad", reading("csv(\"only.csv\", columns: 0)"));
    std::string sought = "cd other; GRADC_DATA=" + quoted((scratch.path() / "other").string()) + " ";
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    CHECK(run(sought + quoted(gradc) + " run ../home/m.grad", launch).code == 0);
    Outcome confined = run(sought + quoted(gradc) + " run ../home/m.grad --confine", launch);
    CHECK(confined.code == 1);
    CHECK(contains(confined.err, "only.csv: error: there is no such file in ../home"));
    CHECK(run(sought + quoted(gradc) + " run ../home/m.grad --confine --data-dir .", launch).code == 0);
    scratch.write("home/m.grad", reading("csv(\"x.csv\", columns: 0)"));
    CHECK(run(sought + quoted(gradc) + " run ../home/m.grad --confine", launch).code == 0);
    scratch.write("home/m.grad", reading("csv(\"given.csv\", columns: 0)"));
    CHECK(call(scratch, "run home/m.grad --confine --data-dir data").code == 0);
    scratch.write("home/m.grad", replaced(reading("characters(\"../..\")"), "x: f32 =", "x: int < V ="));
    CHECK(contains(call(scratch, "inspect home/m.grad --confine").err, rule));
}

TEST_CASE("bench runs no peer beside a confined model", "[confine]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    scratch.write("numpy.py", "open('ran', 'w').write('x')\n");
    Outcome measured = call(scratch, "bench m.grad --confine --rounds 1 --seconds 0.01");
    CHECK(measured.code == 0);
    CHECK_FALSE(fs::exists(scratch.path() / "ran"));
}

TEST_CASE("a model file cannot make gradc write files, connect or start a program", "[confine]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    std::string only_read = quoted(ONLY_READ) + " ";
    Outcome usable = run(only_read + "/bin/cat /dev/null", launch);
    if (usable.code == 77) return skip("what a model file may do: no filter of system calls here");
    REQUIRE(usable.code == 0);
    // The filter ends a process that breaks its rules.
    for (const char* forbidden : {"/bin/touch x", "/bin/sh -c '/bin/true'", "/bin/sh -c 'echo >x'", "/bin/mkdir x",
                                  "/bin/bash -c 'echo >/dev/tcp/127.0.0.1/9'"}) {
        INFO(forbidden);
        CHECK(run(only_read + forbidden, launch).code == 128 + 31);
    }
    fs::create_directory_symlink(tree + "/examples", scratch.path() / "examples");
    write_folders(scratch);
    scratch.write("home/m.grad", "use \"size.grad\"\n" + reading("csv(\"x.csv\", columns: 0)"));
    for (const char* model : {"home/m.grad", "examples/digits/model.grad"}) {
        INFO(model);
        CHECK(run(only_read + quoted(gradc) + " inspect " + model, launch).code == 0);
        REQUIRE(call(scratch, std::string("build ") + model + " -o trainer").code == 0);
        std::string folder = fs::path(model).parent_path().string();
        Outcome trained = run(only_read + "./trainer train --epochs 1 --data-dir " + folder, launch);
        INFO(trained.err);
        CHECK(trained.code == 0);
    }
}
