// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What gradc reads and writes: odd model files, odd places for the output, the same bytes from the same source.
#include "tests/end_to_end/session.h"
#include "tests/support/sanitized.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

/// Nothing but what the test put there: no half-written output, no temporary file.
size_t entries(const Scratch& scratch) {
    return static_cast<size_t>(std::distance(fs::directory_iterator(scratch.path()), fs::directory_iterator()));
}

} // namespace

TEST_CASE("a model file that is none is told, and nothing is written", "[files]") {
    Scratch scratch;
    fs::create_directory(scratch.path() / "folder.grad");
    REQUIRE(mkfifo((scratch.path() / "pipe.grad").c_str(), 0600) == 0);
    scratch.write("empty.grad", "");
    scratch.write("latin.grad", "model m() -> f32 { param a = 1 # caf\xe9\n return a }\n");
    scratch.write("nul.grad", std::string("model m\0() {}", 13));
    size_t before = entries(scratch);
    for (const char* file : {"folder.grad", "pipe.grad", "absent.grad", "latin.grad", "nul.grad"}) {
        INFO(file);
        Outcome outcome = call(scratch, std::string("build ") + file + " -o out");
        CHECK(!outcome.timed_out);
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.err, file));
        CHECK(outcome.out == "");
    }
    CHECK(call(scratch, "build empty.grad -o out").code == 1);
    CHECK(entries(scratch) == before);
}

TEST_CASE("a byte order mark, CRLF and tabs change nothing", "[files]") {
    Scratch scratch;
    std::string model = small_model, crlf = "\xEF\xBB\xBF";
    for (char c : model) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    scratch.write("a/m.grad", model);
    scratch.write("b/m.grad", crlf);
    for (const char* stage : {"ast", "forward", "graph"}) {
        std::string arguments = std::string("inspect --emit=") + stage;
        Outcome plain = call(scratch, arguments + " a/m.grad"), other = call(scratch, arguments + " b/m.grad");
        CHECK(plain.code == 0);
        CHECK((plain.out == other.out));
        CHECK(plain.out.size() > 100);
    }
    scratch.write("tab.grad", "model m() -> f32 {\r\n\treturn \u00fcber\r\n}\r\n");
    Outcome tab = call(scratch, "check tab.grad");
    CHECK(tab.code == 1);
    CHECK(contains(tab.err, "tab.grad:2:9:")); // a tab is one character, and so is an umlaut
}

TEST_CASE("an output that cannot be written is refused before any work", "[files]") {
    Scratch scratch;
    std::string model = scratch.write("m.grad", small_model);
    fs::create_directory(scratch.path() / "folder");
    scratch.write("file", "kept");
    struct Case {
        const char* output;
        const char* told;
    };
    for (const Case& each : {Case{"folder", "folder"}, Case{"m.grad", "m.grad"}, Case{"./m.grad", "m.grad"},
                             Case{"absent/out", "absent"}, Case{"file/out", "file"}}) {
        INFO(each.output);
        Outcome outcome = call(scratch, std::string("build m.grad -o ") + each.output);
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.err, each.told));
    }
    CHECK(scratch.read("m.grad") == small_model);
    CHECK(scratch.read("file") == "kept");
    CHECK(entries(scratch) == 3);
}

TEST_CASE("a user's error leaves an older output alone", "[files]") {
    Scratch scratch;
    scratch.write("m.grad", "model m() -> f32 { return unknown }\n");
    scratch.write("out", "older");
    Outcome outcome = call(scratch, "build m.grad -o out");
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.err, "m.grad:1:27: error"));
    CHECK(scratch.read("out") == "older");
}

TEST_CASE("what the machine refuses is told in a line with its reason", "[files]") {
    if (ADDRESS_SANITIZED) return;
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    auto told = [&](const std::string& before, const std::string& arguments, const char* reason) {
        INFO(before << arguments);
        Outcome outcome = run(before + quoted(gradc) + " " + arguments, launch);
        INFO(outcome.err);
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.err, reason));
        CHECK(outcome.err.rfind("gradc", 0) == 0);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    };
    told("", "inspect m.grad >/dev/full", "No space left on device");
    told("", "inspect m.grad --emit=llvm >/dev/full", "No space left on device");
    told("", "inspect m.grad --emit=cpp >/dev/full", "No space left on device");
    told("", "--help >/dev/full", "No space left on device");
    told("", "inspect m.grad >&-", "Bad file descriptor");
    told("ulimit -f 1; ", "inspect m.grad -o out", "cannot write out: File too large");
    for (const char* blocks : {"1", "64", "200", "400", "1000"}) // objects in memory, the trainer there, its file
        told(std::string("ulimit -f ") + blocks + "; ", "build m.grad -o out --no-cache", "File too large");
    told("ulimit -n 4; ", "build m.grad -o out --no-cache", "Too many open files");
    told("ulimit -f 1; ", "inspect m.grad --dump-dir=dump >/dev/null", "File too large");
    CHECK(scratch.read("out") == "");
    CHECK(call(scratch, "build m.grad -o whole --no-cache").code == 0);
    CHECK(run(quoted(gradc) + " build m.grad -o silent --no-cache <&- >&- 2>&-", launch).code == 1);
    CHECK((scratch.read("silent") == scratch.read("whole"))); // and no line of the output in it
    scratch.write("bad.grad", "model m() -> f32 { return unknown }\n");
    CHECK(run(quoted(gradc) + " check bad.grad 2>&-", launch).code == 1);
}

TEST_CASE("names with control characters are told in escapes", "[files]") {
    Scratch scratch;
    const std::string name = "a\x1b[31m\rb.grad", shown = "a\\x1b[31m\\rb.grad";
    scratch.write(name, "model m() -> f32 {return unknown}\n");
    for (const char* command : {"build", "check", "inspect", "fmt --check", "explain", "grad", "bench", "run"}) {
        INFO(command);
        Outcome outcome = call(scratch, std::string(command) + " " + quoted(name));
        CHECK(outcome.code == 1);
        CHECK(contains(outcome.out + outcome.err, shown));
        CHECK(!contains(outcome.out + outcome.err, "\x1b"));
        Outcome absent = call(scratch, std::string(command) + " " + quoted("no" + name));
        CHECK(absent.code == 1);
        CHECK(contains(absent.err, "no" + shown));
        CHECK(!contains(absent.err, "\x1b"));
    }
    for (const char* wrong : {"\x1b[2J", "check m.grad --set \x1b[2J", "check m.grad --\x1b[2J"}) {
        Outcome outcome = call(scratch, replaced(wrong, "\x1b[2J", quoted("\x1b[2J")));
        CHECK(outcome.code == 2);
        CHECK(!contains(outcome.err, "\x1b"));
    }
}

TEST_CASE("a derivative that lies is caught", "[files]") {
    Scratch scratch;
    std::string model = "model net(x: f32[N, 2]) -> f32[N] { return linear(soft(linear(x, 4)), 1)[:, 0] }\n"
                        "train { batch 2;  steps 9;  loss mean(net(normal(shape: [N, 2]))^2);  optimizer sgd() }\n";
    scratch.write("true.grad", "fn soft(x) = log(1 + exp(x))  derivative x: g * sigmoid(x)\n" + model);
    scratch.write("false.grad", "fn soft(x) = log(1 + exp(x))  derivative x: g * tanh(x)\n" + model);
    CHECK(call(scratch, "check true.grad").code == 0);
    Outcome outcome = call(scratch, "check false.grad");
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.out, "OFF"));
}

TEST_CASE("gradients that are zero, and pairs within a batch, pass the check", "[files]") {
    Scratch scratch;
    scratch.write("zero.grad", // the bias is taken away again by what follows it
                  "model net(x: f32[N, 3]) -> f32[N, 2] { return linear(relu(batch_norm(linear(x, 4))), 2) }\n"
                  "train { batch 8;  steps 9;  loss mean(net(normal(shape: [N, 3]))^2);  optimizer sgd() }\n");
    scratch.write("pairs.grad", R"(model embed(x: f32[N, 5]) -> f32[N, 3] { return linear(relu(linear(x, 8)), 3) }
train {
    batch 8
    steps 9
    a = embed(normal(shape: [N, 5]))
    b = embed(normal(shape: [N, 5]))
    s[n, m] = sum[c](a[n, c] * b[m, c])
    loss mean(logsumexp(s))
    optimizer sgd()
}
)");
    for (const char* file : {"zero.grad", "pairs.grad"}) {
        Outcome outcome = call(scratch, std::string("check ") + file);
        INFO(outcome.out << outcome.err);
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.out, contains(file, "zero") ? "on 5 rows" : "on 2 rows")); // five show what two hide
    }
}

TEST_CASE("the same source gives the same bytes", "[files]") {
    Scratch scratch;
    scratch.write("here/m.grad", small_model);
    scratch.write("there/deeper/m.grad", small_model);
    REQUIRE(call(scratch, "build here/m.grad -o one").code == 0);
    sleep(1); // another second, another folder, another locale, another time zone
    Outcome other = run("cd there/deeper && TZ=Asia/Tokyo LC_ALL=de_DE.UTF-8 USER=x HOME=/ " + quoted(gradc) +
                            " build m.grad -o ../../two",
                        {.folder = scratch.path().string(), .limit = 120});
    REQUIRE(other.code == 0);
    CHECK(scratch.read("one").size() > 100000);
    CHECK((scratch.read("one") == scratch.read("two")));
    CHECK(!contains(scratch.read("one"), scratch.path().string()));
    CHECK(!contains(scratch.read("one"), tree));
    for (const char* stage : {"object", "cpp", "llvm"}) {
        std::string arguments = std::string("build here/m.grad --emit=") + stage + " -o ";
        REQUIRE(call(scratch, arguments + "s1").code == 0);
        REQUIRE(call(scratch, arguments + "s2").code == 0);
        CHECK(scratch.read("s1").size() > 100);
        CHECK((scratch.read("s1") == scratch.read("s2")));
    }
}

TEST_CASE("a closed standard output is no crash", "[files]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Outcome outcome = run("(" + quoted(gradc) + " inspect m.grad --emit=cpp; echo code $? >&2) | head -c 1",
                          {.folder = scratch.path().string(), .limit = 60});
    CHECK(!contains(outcome.err, "code 70"));
    CHECK(!contains(outcome.err, "code 139"));
    if (access("/dev/full", W_OK) == 0) {
        Outcome full = call(scratch, "inspect m.grad --emit=cpp > /dev/full");
        CHECK(full.code == 1);
    }
}

TEST_CASE("the table of the examples names each of them", "[files]") {
    std::ifstream file(tree + "/examples/README.md");
    std::string readme((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    size_t folders = 0, lines = 0;
    for (const fs::directory_entry& example : fs::directory_iterator(tree + "/examples")) {
        if (!example.is_directory()) continue;
        INFO(example.path());
        CHECK(contains(readme, "\n| `" + example.path().filename().string() + "` | "));
        ++folders;
    }
    for (size_t at = 0; (at = readme.find("\n| `", at)) != readme.npos; ++at) ++lines;
    CHECK(lines == folders);
}

TEST_CASE("the examples stand in canonical form", "[files]") {
    Scratch scratch;
    std::string files;
    for (const fs::directory_entry& example : fs::directory_iterator(tree + "/examples"))
        if (example.is_directory()) files += " " + quoted((example.path() / "model.grad").string());
    Outcome outcome = call(scratch, "fmt --check" + files);
    CHECK(outcome.out == "");
    CHECK(outcome.code == 0);
}

TEST_CASE("fmt replaces old names, but not the user's own", "[files]") {
    Scratch scratch;
    scratch.write("own.grad", "fn svm(x, label) = mean(x)\n");
    scratch.write("m.grad", "use \"own.grad\"\n"
                            "model m(x: f32[N, 2], label: int[N] < 2) {\n"
                            "    h = batch_norm(linear(x, 2, biased: false), mu: 0.8)\n"
                            "    return svm(h, label) + nll(softmax(h), label)\n"
                            "}\n");
    Outcome outcome = call(scratch, "fmt m.grad");
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "use \"own.grad\"\n"
                         "model m(x: f32[N, 2], label: int[N] < 2) {\n"
                         "    h = batch_norm(linear(x, 2, bias: false), momentum: 1 - 0.8)\n"
                         "    return svm(h, label) + categorical_cross_entropy(softmax(h), label)\n"
                         "}\n");
    CHECK(call(scratch, "fmt --write m.grad").code == 0);
    CHECK(call(scratch, "fmt --check m.grad").code == 0);
}

TEST_CASE("a likely misuse is a warning that stops nothing", "[files]") {
    Scratch scratch;
    scratch.write("m.grad", "dataset d {\n    x: f32[2] = [[0, 1], [1, 0]]\n    label: int < 2 = [0, 1]\n}\n"
                            "model net(x: f32[N, 2]) { return softmax(linear(x, 2)) }\n"
                            "train { data d;  loss cross_entropy(net(x), label);  optimizer adam() }\n");
    Outcome outcome = call(scratch, "inspect m.grad --emit=forward");
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.err, "m.grad:6:37: warning: `x` of `cross_entropy` is a `softmax`"));
    CHECK(contains(outcome.err, "pass the argument of `softmax`"));
}
