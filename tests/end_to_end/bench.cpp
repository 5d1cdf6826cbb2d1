// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `gradc bench`: the form of its report, not its figures, and its messages about engines that are missing, wrong or
// silent. The peers are shell scripts that stand in for Python and answer the lines of runtime/commands/turns.h.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <vector>

using namespace end_to_end;

namespace {

const std::string quick = " --rounds 1 --seconds 0.01";

Outcome bench(const Scratch& scratch, const std::string& arguments) {
    return run(quoted(gradc) + " bench " + arguments, {.folder = scratch.path().string(), .limit = 120});
}

/// The first line that begins so; "" if none does.
std::string line_of(const std::string& text, const std::string& begin) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.rfind(begin, 0) == 0) return line;
    return {};
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

/// A model with a numpy.py that is not read, and a script in place of Python that answers with these lines.
struct Stage {
    Scratch scratch;
    Stage() {
        scratch.write("m.grad", small_model);
        scratch.write("numpy.py", "");
    }
    void engine(const std::string& body) {
        std::string path = scratch.write("engine", "#!/bin/sh\n" + body);
        REQUIRE(chmod(path.c_str(), 0755) == 0);
    }
    Outcome against(const std::string& body, const std::string& more = "") {
        engine(body);
        return bench(scratch, "m.grad --engines numpy --python ./engine" + quick + more);
    }
};

/// One that trains to these losses.
std::string speaker(const std::string& losses) {
    return "echo ready 7.5\n"
           "while read word rest; do case $word in\n"
           "    losses) echo losses 0.5 " +
           losses +
           " ;;\n"
           "    round) echo round 0.25 0.5 3 ;;\n"
           "    size) echo size 12300000 ;;\n"
           "    *) exit 0 ;;\n"
           "esac; done\n";
}

/// The losses of gradc's own steps.
std::string own_losses(const Scratch& scratch) {
    REQUIRE(bench(scratch, "m.grad --engines interpreter --json losses.json" + quick).code == 0);
    std::string json = scratch.read("losses.json"), losses;
    size_t begin = json.find('[', json.find("\"losses\"")), end = json.find(']', begin);
    for (char c : json.substr(begin + 1, end - begin - 1)) losses += c == ',' || c == '\n' ? ' ' : c;
    return losses;
}

} // namespace

TEST_CASE("bench times the trainer and the interpreter", "[bench]") {
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    Outcome outcome =
        run("build/gradc bench examples/xor/model.grad --engines interpreter --json out.json --html out.html" + quick,
            {.folder = scratch.path().string(), .limit = 120});
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(outcome.err == "");
    CHECK(contains(outcome.out, "1 thread on core "));
    CHECK(words_of(line_of(outcome.out, "engine")).size() == 10);
    for (const char* engine : {"gradc ", "interpreter "}) {
        std::vector<std::string> words = words_of(line_of(outcome.out, engine));
        INFO(engine);
        CHECK(words.size() == 14); // five of the nine cells have a unit
    }
    CHECK(words_of(line_of(outcome.out, "gradc ")).back() == "1.0");
    size_t bars = 0;
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) {
        bool bar = contains(line, "█") || contains(line, "▏") || contains(line, "▎") || contains(line, "▍") ||
                   contains(line, "▌") || contains(line, "▋") || contains(line, "▊") || contains(line, "▉");
        bars += bar;
        if (!bar) CHECK(line.size() <= 80);
    }
    CHECK(bars == 2);
    std::string json = scratch.read("out.json"), page = scratch.read("out.html");
    CHECK(json_value(json, "engine") == "interpreter");
    CHECK(json_value(json, "batch") == "4");
    CHECK(std::stod(json_value(json, "ratio")) > 0);
    CHECK(std::stod(json_value(json, "share_of_peak")) > 0);
    CHECK(std::stod(json_value(json, "peak_flops")) > 1e8);
    CHECK(contains(page, "<svg"));
    CHECK(contains(page, "class=\"interpreter\""));
    CHECK(!contains(page, "http"));
}

TEST_CASE("bench times a peer with equal losses and rejects others", "[bench]") {
    Stage stage;
    std::string losses = own_losses(stage.scratch);
    REQUIRE(words_of(losses).size() == 10);
    Outcome same = stage.against(speaker(losses));
    INFO(same.out << same.err);
    CHECK(same.code == 0);
    std::vector<std::string> row = words_of(line_of(same.out, "numpy "));
    REQUIRE(row.size() == 14);
    CHECK(row[1] + row[2] == "500ms");
    CHECK(row[3] + row[4] == "250ms");
    CHECK(row[5] + row[6] == "500ms");
    CHECK(row[7] == "8"); // rows a second: a batch of 4 in half a second
    CHECK(row[10] + row[11] == "12.3MB");

    Outcome other = stage.against(speaker(losses.substr(0, losses.rfind(words_of(losses).back())) + "77.5"));
    CHECK(other.code == 1);
    CHECK(contains(other.err, "numpy: not timed, because its losses differ: at step 10 its loss is 77.5, gradc's is "));
    CHECK(words_of(line_of(other.out, "gradc ")).size() == 14); // the other engines have their lines
    CHECK(contains(line_of(other.out, "numpy "), "not timed"));
}

TEST_CASE("bench reports why an engine failed", "[bench]") {
    Stage stage;
    struct Case {
        std::string body, told;
        int code;
    };
    for (const Case& each :
         {Case{"echo missing numpy\n", "./engine has no module numpy. To install: python3 -m venv peers", 0},
          Case{"echo oh no >&2\nexit 3\n", "ended with exit code 3: oh no", 1},
          Case{"kill -9 $$\n", "was killed by signal 9", 1},
          Case{"echo hello\nread x\n", "answers `hello` where `ready` is expected", 1},
          Case{"echo ready\nread x\necho losses 1 2 3\nread x\n", "answers `losses` in 4 words, not 12", 1},
          Case{"echo ready\nread x\necho losses a b c d e f g h i j k\nread x\n",
               "answers `a` where a number is expected", 1},
          Case{speaker("1 1 1 1 1 1 1 nan 1 1"), "its losses differ", 1}}) {
        INFO(each.body);
        Outcome outcome = stage.against(each.body);
        std::string flat;
        for (const std::string& word : words_of(outcome.out + outcome.err)) flat += (flat.empty() ? "" : " ") + word;
        INFO(flat);
        CHECK(outcome.code == each.code);
        CHECK(contains(flat, each.told));
    }
    Outcome silent = stage.against("exec sleep 100\n", " --timeout 0.2");
    CHECK(silent.code == 1);
    CHECK(contains(silent.err, "does not answer within"));
    CHECK(!silent.timed_out);
}

TEST_CASE("a trainer answers the lines of bench --turns and refuses unknown ones", "[bench]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Launch launch{.folder = scratch.path().string(), .limit = 60};
    REQUIRE(run(quoted(gradc) + " build m.grad -o m", launch).code == 0);
    Outcome turns = run("printf 'batches a folder 2\\nlosses 3\\nmachine\\nround 0.001\\nend\\nlosses 1\\n' | "
                        "{ mkdir 'a folder'; ./m bench --turns --isa baseline; }",
                        launch);
    INFO(turns.out << turns.err);
    CHECK(turns.code == 0);
    CHECK(line_of(turns.out, "ready") == "ready");
    CHECK(line_of(turns.out, "batches") == "batches");
    CHECK(words_of(line_of(turns.out, "losses")).size() == 5);
    std::vector<std::string> machine = words_of(line_of(turns.out, "machine"));
    REQUIRE(machine.size() == 4);
    CHECK(machine[1] == "4");
    CHECK(machine[3] == "baseline");
    CHECK(words_of(line_of(turns.out, "round")).size() == 5);
    CHECK(turns.out.find("losses") == turns.out.rfind("losses")); // nothing behind `end`
    std::string rows = scratch.read("a folder/rows/x.npy"),
                weight = scratch.read("a folder/weights/net.linear_1.weight.npy");
    CHECK(contains(rows, "'shape': (2, 4, 4,"));
    CHECK(contains(weight, "'shape': (4, 8,"));
    Outcome unknown = run("printf 'dance\\n' | ./m bench --turns", launch);
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.err, "`dance`"));
}

TEST_CASE("an interrupt ends bench and its processes", "[bench]") {
    Stage stage;
    std::filesystem::path temporary = stage.scratch.path() / "temporary";
    std::filesystem::create_directory(temporary);
    stage.engine("echo ready\nkill -INT $PPID\nexec sleep 100\n");
    Outcome outcome = run("TMPDIR=" + quoted(temporary.string()) + " " + quoted(gradc) +
                              " bench m.grad --engines numpy --python ./engine --json out.json" + quick,
                          {.folder = stage.scratch.path().string(), .limit = 60});
    CHECK(outcome.code == 130);
    CHECK(outcome.out == "");
    CHECK(contains(outcome.err, "interrupted"));
    CHECK(std::filesystem::is_empty(temporary));
    CHECK(stage.scratch.read("out.json") == "");
}

TEST_CASE("bench reports engines that are not installed", "[bench]") {
    Stage stage;
    Outcome file = bench(stage.scratch, "m.grad --engines torch,interpreter" + quick);
    CHECK(file.code == 0);
    CHECK(contains(line_of(file.out, "torch"), "there is no torch.py beside m.grad"));
    CHECK(words_of(line_of(file.out, "interpreter")).size() == 14);
    Outcome python = bench(stage.scratch, "m.grad --engines numpy --python no-python-of-that-name" + quick);
    CHECK(python.code == 1);
    CHECK(contains(python.err, "numpy: no-python-of-that-name cannot be started: No such file"));
    Outcome engine = bench(stage.scratch, "m.grad --engines tensorfow");
    CHECK(engine.code == 2);
    Outcome nowhere = bench(stage.scratch, "m.grad --engines interpreter --html no/such/folder.html");
    CHECK(nowhere.code == 1);
    CHECK(contains(nowhere.err, "cannot write no/such/folder.html"));
    Outcome cores = bench(stage.scratch, "m.grad --threads 1000");
    CHECK(cores.code == 2);
    CHECK(contains(cores.err, "1000 threads need as many cores"));
    stage.scratch.write("untrained.grad", "model m(x: f32[N, 2]) -> f32[N] { return x[:, 0] }\n");
    CHECK(bench(stage.scratch, "untrained.grad").code == 1);
}

TEST_CASE("the README shows the columns of bench's table", "[bench]") {
    std::ifstream file(tree + "/README.md");
    std::stringstream text;
    text << file.rdbuf();
    const std::string readme = text.str(), mark = "<!-- shaped as: ", end = " -->";
    size_t at = readme.find(mark);
    REQUIRE(at != readme.npos);
    std::string command = readme.substr(at + mark.size(), readme.find(end, at) - at - mark.size());
    std::string block = readme.substr(at, readme.find("```", readme.find("```", at) + 3) - at);
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    Outcome outcome =
        run(command + " --engines interpreter" + quick, {.folder = scratch.path().string(), .limit = 120});
    REQUIRE(outcome.code == 0);
    CHECK(line_of(block, "engine") == line_of(outcome.out, "engine"));
    for (const char* engine : {"gradc ", "interpreter "})
        CHECK(words_of(line_of(block, engine)).size() == words_of(line_of(outcome.out, engine)).size());
    for (const char* engine : {"numpy ", "torch ", "jax "})
        CHECK(words_of(line_of(block, engine)).size() == words_of(line_of(block, "gradc ")).size());
}

TEST_CASE("the peers of the examples have gradc's losses", "[peers]") {
    Scratch scratch;
    scratch.link_tree(gradc, tree);
    Launch launch{.folder = scratch.path().string(), .limit = 300};
    for (std::string engine : {"numpy", "torch", "jax"}) {
        if (run("python3 -c 'import numpy, " + engine + "'", launch).code != 0) {
            if (engine == "numpy") skip("numpy for python3, to train beside the models"); // the others are large
            continue;
        }
        for (const std::string& model : {tree + "/examples/xor", tree + "/examples/numpy_twenty_lines",
                                         tree + "/tests/performance/models/two_sigmoids"}) {
            Outcome outcome =
                run(quoted(gradc) + " bench " + quoted(model + "/model.grad") + " --engines " + engine + quick, launch);
            INFO(model << "\n" << outcome.out << outcome.err);
            CHECK(outcome.code == 0);
            CHECK(words_of(line_of(outcome.out, engine + " ")).size() == 14);
        }
    }
}
