// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Predictions and pictures of trainers, for rows of the data set and of files: generated fields, text, grids.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

using namespace end_to_end;

namespace {

struct Trained { // a scratch folder with a built and trained trainer
    Scratch scratch;
    explicit Trained(const std::string& model, const std::string& file = "", const std::string& text = "") {
        scratch.write("m.grad", model);
        if (!file.empty()) scratch.write(file, text);
        Outcome built = call(quoted(gradc) + " build m.grad -o trainer");
        INFO(built.err);
        REQUIRE(built.code == 0);
        REQUIRE(call("./trainer train --checkpoint w").code == 0);
    }
    Outcome call(const std::string& command) const {
        return run(command, {.folder = scratch.path().string(), .limit = 120});
    }
    std::string predicted(const std::string& arguments) const {
        Outcome outcome = call("./trainer predict --checkpoint w " + arguments);
        INFO(outcome.err);
        CHECK(outcome.code == 0);
        return outcome.out;
    }
};

const std::string generated = R"(dataset rows {
    row: int < 50 = range(50)
    raw: f32[2] = uniform(-1, 1, shape: [2])
    x = (raw - mean(train.raw, axis: 0)) * 3
    side: int < 2 = where(sum(raw) > 0, 1, 0)
    split train: 0.7, test: 0.3
}
model net(x: f32[N, 2]) -> f32[N] { return linear(x, 1)[:, 0] }
train {
    data rows
    batch 8
    epochs 30
    loss binary_cross_entropy_with_logits(net(x), side)
    optimizer adam(learning_rate: 0.1)
    predict sigmoid(net(x))
}
)";

const std::string letters = R"(const T = 4
dataset letters {
    window: int[T + 1] < V = windows(characters("letters.txt"), length: T + 1)
    split train: 0.8, test: 0.2, in order
    tokens = window[:T]
    next = window[1:]
}
model net(x: int[N, T] < V) -> f32[N, T, V] { return linear(lstm(embedding(x, 8), 12), V) }
train {
    data letters
    batch 16
    epochs 20
    loss cross_entropy(net(tokens), next)
    optimizer adam(learning_rate: 0.03)
    metric accuracy(net(tokens), next)
    predict argmax(net(tokens))
}
)";

std::string alphabet_of(const char* turn, int turns) {
    std::string text;
    for (int i = 0; i < turns; ++i) text += turn;
    return text;
}

} // namespace

TEST_CASE("rows of a file have values for generated fields", "[predict]") {
    Trained trained(generated);
    std::string own = trained.predicted("--split train");
    REQUIRE(trained.call("./trainer export --output data").code == 0);
    CHECK(trained.predicted("data/train.x.npy") == own); // export computes by the same formulas
    trained.scratch.write("x.csv", "x.0,x.1\n0.5,-0.25\n-3,1\n");
    std::string by_name = trained.predicted("x.csv");
    trained.scratch.write("y.csv", "0.5,-0.25\n-3,1\n");
    CHECK(trained.predicted("y.csv") == by_name);
    CHECK(by_name.substr(0, 8) == "predict\n");
    CHECK(std::count(by_name.begin(), by_name.end(), '\n') == 3);
}

TEST_CASE("predict reads columns by number, by name or from an array", "[predict]") {
    auto model = [](const char* a, const char* b, const char* y) {
        return std::string("dataset rows {\n    y: f32 = csv(\"t.csv\", columns: ") + y +
               ")\n    a: f32 = csv(\"t.csv\", columns: " + a + ")\n    b: f32[2] = csv(\"t.csv\", columns: " + b +
               ") / 2\n    split train: 0.7, test: 0.3\n}\n"
               "model net(a: f32[N], b: f32[N, 2]) -> f32[N] { param w = 3;  return w * a + b[:, 0] - b[:, 1] }\n"
               "train {\n    data rows\n    batch 4\n    epochs 1\n    loss mse(net(a, b), y)\n"
               "    optimizer sgd(learning_rate: 0)\n    predict net(a, b)\n}\n";
    };
    std::string full = "y,a,b,c\n", bare = "a,b,c\n", other = "c,note,b,a\n", rows, expected = "predict\n";
    for (int i = 0; i < 11; ++i) {
        double numbers[] = {double(i), double(2 * i), double(3 * i % 7)};
        std::string a = std::to_string(i), b = std::to_string(2 * i), c = std::to_string(3 * i % 7);
        full += "9," + a + "," + b + "," + c + "\n";
        bare += a + "," + b + "," + c + "\n";
        other += c + ",\"some, text\"," + b + "," + a + "\n";
        rows.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
        std::ostringstream line;
        line << 3 * i + (2 * i - 3 * i % 7) / 2.0 << "\n";
        expected += line.str();
    }
    std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (11, 3), }";
    header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
    header += '\n';
    std::string array = std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header + rows;
    for (bool by_name : {false, true}) {
        Trained trained(by_name ? model("\"a\"", "[\"b\", \"c\"]", "\"y\"") : model("1", "2..4", "0"), "t.csv", full);
        CHECK(trained.predicted("t.csv") == expected);
        trained.scratch.write("bare.csv", bare);
        CHECK(trained.predicted("bare.csv") == expected);
        trained.scratch.write("array.npy", array);
        CHECK(trained.predicted("array.npy") == expected);
        trained.scratch.write("other.csv", other);
        if (by_name) CHECK(trained.predicted("other.csv") == expected);
        trained.scratch.write("short.csv", "a,b\n1,2\n");
        Outcome outcome = trained.call("./trainer predict --checkpoint w short.csv");
        CHECK(outcome.code == 1);
        CHECK(outcome.err == (by_name ? "short.csv:1:1: error: no column is called `c`; the header has a, b\n"
                                      : "short.csv:1:1: error: b.csv is column 2 (from 0), but a row has 2 columns\n"));
    }
}

TEST_CASE("the picture of a model with two inputs has the training rows", "[predict]") {
    Trained trained(generated);
    CHECK(trained.predicted("--grid 40 --svg map.svg").empty());
    std::string elementwise = trained.scratch.read("map.svg");
    size_t dots = 0;
    for (size_t at = 0; (at = elementwise.find("<circle", at)) != elementwise.npos; ++at) ++dots;
    CHECK(dots == 35 + 2); // training rows, and a legend of two classes
    CHECK(contains(elementwise, ">side</text>"));
    CHECK(contains(elementwise, ">x[0]</text>"));
    CHECK(trained.call("./trainer predict --checkpoint w --grid 40").code == 2);
    CHECK(trained.call("./trainer predict --checkpoint w --grid 40 --svg a.svg --label nothing").code == 2);
}

TEST_CASE("predict reads and writes text", "[predict]") {
    Trained trained(letters, "letters.txt", alphabet_of("ab\"\xc3\xa9", 100)); // four letters, one of two bytes
    trained.scratch.write("in.txt", "ab\"\xc3\xa9"
                                    "ab");
    CHECK(trained.predicted("in.txt --output out.txt").empty());
    CHECK(trained.scratch.read("out.txt") == "b\"\xc3\xa9"
                                             "a\n\"\xc3\xa9"
                                             "ab\n");
    CHECK(trained.predicted("in.txt") == "predict\n\"b\"\"\xc3\xa9"
                                         "a\"\n\"\"\"\xc3\xa9"
                                         "ab\"\n");
    trained.scratch.write("in.csv", "window\n\"b\"\"\xc3\xa9"
                                    "ab\"\n\"\xc3\xa9"
                                    "ab\"\"a\"\n");
    CHECK(trained.predicted("in.csv") == "predict\n\"\"\"\xc3\xa9"
                                         "ab\"\n\"ab\"\"\xc3\xa9\"\n");
    trained.scratch.write("long.csv", "\"abab\"\n");
    CHECK(trained.call("./trainer predict --checkpoint w long.csv").err ==
          "long.csv:1:1: error: window has 4 characters, but a row has 5\n");
    trained.scratch.write("odd.txt", "abxab");
    CHECK(trained.call("./trainer predict --checkpoint w odd.txt").err ==
          "odd.txt:1:3: error: the character `x` is not in the alphabet of window, which has 4\n");
}
