// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Readers and the order of rows, observed through trained weights. Every reader feeds statistics of the training split;
// a step that sets a weight to its row shows which row it was.
#include "tests/end_to_end/session.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <set>
#include <sstream>
#include <vector>

using namespace end_to_end;

namespace {

/// The numbers of an NPY of f32 that a trainer exported.
std::vector<double> npy_numbers(const std::string& file) {
    REQUIRE(contains(file, "'descr': '<f4'"));
    size_t start = file.find('\n') + 1;
    std::vector<double> numbers;
    for (size_t at = start; at + 4 <= file.size(); at += 4) {
        float number;
        std::memcpy(&number, file.data() + at, 4);
        numbers.push_back(number);
    }
    return numbers;
}

std::string npy(const std::string& descr, const std::string& shape, const std::string& payload) {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
    header += '\n';
    return std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + char(header.size() >> 8) + header + payload;
}

/// Forty rows of two bytes, 7 i % 31 and 11 i % 17.
std::string forty_rows() {
    std::string bytes;
    for (int i = 0; i < 40; ++i) bytes += char(7 * i % 31), bytes += char(11 * i % 17);
    return bytes;
}

struct ReaderCase {
    std::string name, field; // how `raw` is read
};

std::string literal_rows() {
    std::string list = "[";
    for (int i = 0; i < 40; ++i)
        list += (i ? ", [" : "[") + std::to_string(7 * i % 31) + ", " + std::to_string(11 * i % 17) + "]";
    return list + "]";
}

void write_files(const Scratch& scratch) {
    std::string table = "a,b\n", letters, bytes = forty_rows();
    for (int i = 0; i < 40; ++i) {
        table += std::to_string(7 * i % 31) + "," + std::to_string(11 * i % 17) + "\n";
        letters += "abcde"[i * i % 5], letters += "abcde"[i % 3];
    }
    scratch.write("t.csv", table);
    scratch.write("t.npy", npy("|u1", "40, 2", bytes));
    scratch.write("t.idx", std::string("\0\0\x08\x02\0\0\0\x28\0\0\0\x02", 12) + bytes);
    scratch.write("t.txt", letters);
}

const char* const model_of_two = R"(
model net(x: f32[N, 2]) -> f32[N] { return linear(x, 1)[:, 0] }
train {
    data rows
    batch 8
    epochs 1
    loss mean(net(x)^2)
    optimizer sgd(learning_rate: 0.01)
}
)";

/// Each step of one row sets the weight to that row's number; `predict` prints the weight.
std::string jumping(const std::string& order, const std::string& batch = "1") {
    std::string text = R"(dataset rows { x: f32 = csv("x.csv", columns: 0) }
model at(x: f32[N]) -> f32[N] { param w = -1;  return w + 0 * x }
train {
    data rows
    batch BATCH
    epochs 1
    order ORDER
    loss mean((at(x) - x)^2)
    optimizer sgd(learning_rate: 0.5)
    predict at(x)
}
)";
    return replaced(replaced(text, "BATCH", batch), "ORDER", order);
}

/// Which row each of the first `steps` steps took.
std::vector<int> rows_taken(const Scratch& scratch, int steps, const std::string& flags = "") {
    std::vector<int> rows;
    for (int step = 1; step <= steps; ++step) {
        std::string command = "./trainer train --quiet --overwrite --checkpoint w --steps " + std::to_string(step) +
                              " " + flags + " && ./trainer predict --checkpoint w | sed -n 2p";
        Outcome outcome = run(command, {.folder = scratch.path().string(), .limit = 60});
        REQUIRE(outcome.code == 0);
        rows.push_back(int(std::lround(std::stod(outcome.out))));
    }
    return rows;
}

void build_jumping(const Scratch& scratch, const std::string& model) {
    scratch.write("x.csv", "0\n1\n2\n3\n4\n5\n6\n7\n");
    scratch.write("m.grad", model);
    Outcome built = run(quoted(gradc) + " build m.grad -o trainer", {.folder = scratch.path().string(), .limit = 60});
    INFO(built.err);
    REQUIRE(built.code == 0);
}

} // namespace

TEST_CASE("every reader feeds statistics of the training split", "[readers]") {
    Scratch scratch;
    write_files(scratch);
    const ReaderCase cases[] = {
        {"csv", "raw: f32[2] = csv(\"t.csv\", columns: [\"a\", \"b\"])"},
        {"npy", "raw: u8[2] = npy(\"t.npy\")"},
        {"npy as f32", "raw: f32[2] = npy(\"t.npy\")"},
        {"idx", "raw: u8[2] = idx(\"t.idx\")"},
        {"literal", "raw: f32[2] = " + literal_rows()},
        {"generated", "row: int < 40 = range(40)\n    raw = stack(7 * row % 31, 11 * row % 17)"},
        {"characters", "raw: int[2] < V = windows(characters(\"t.txt\"), length: 2, stride: 2)"}};
    for (const ReaderCase& each : cases) {
        INFO(each.name);
        scratch.write("m.grad", "dataset rows {\n    " + each.field +
                                    "\n    x: f32[2] = (raw - mean(train.raw, axis: 0)) / std(train.raw, axis: 0)\n"
                                    "    split train: 0.75, test: 0.25\n}\n" +
                                    model_of_two);
        Outcome outcome = run(quoted(gradc) + " build m.grad -o trainer && ./trainer train --quiet && "
                                              "./trainer export --output data",
                              {.folder = scratch.path().string(), .limit = 60});
        INFO(outcome.err);
        REQUIRE(outcome.code == 0);
        std::vector<double> train = npy_numbers(scratch.read("data/train.x.npy"));
        std::vector<double> test = npy_numbers(scratch.read("data/test.x.npy"));
        REQUIRE(train.size() == 60);
        CHECK(test.size() == 20);
        for (size_t column = 0; column < 2; ++column) {
            double sum = 0, squares = 0, of_test = 0;
            for (size_t i = column; i < train.size(); i += 2) sum += train[i], squares += train[i] * train[i];
            for (size_t i = column; i < test.size(); i += 2) of_test += test[i];
            CHECK(std::fabs(sum / 30) < 1e-5);
            CHECK(squares / 30 == Approx(1).epsilon(1e-5));
            CHECK(std::fabs(of_test / 10) > 1e-4); // scaled by the other split's numbers
        }
    }
}

TEST_CASE("an NPY file of any dtype gives sizes, bounds and rows of a model", "[readers]") {
    Scratch scratch;
    std::string model = "dataset rows {\n    x: f32[W] = npy(\"x.npy\")\n    kind: int < C = npy(\"kind.npy\")\n}\n"
                        "model net(x: f32[N, W], most: const int) -> f32[N, most] { return linear(x, most) }\n"
                        "train {\n    data rows\n    batch 2\n    epochs 1\n    loss cross_entropy(net(x, C), kind)\n"
                        "    optimizer sgd()\n    predict softmax(net(x, C))\n}\n";
    scratch.write("m.grad", model);
    auto value = [](auto... numbers) { // as bytes
        std::string bytes;
        ((bytes += std::string(reinterpret_cast<const char*>(&numbers), sizeof numbers)), ...);
        return bytes;
    };
    const std::pair<const char*, std::string> kinds[] = {
        // 1, 0, 2
        {"<f2", value(uint16_t(0x3c00), uint16_t(0), uint16_t(0x4000))},
        {"<f4", value(1.0f, 0.0f, 2.0f)},
        {"<f8", value(1.0, 0.0, 2.0)},
        {"|i1", value(int8_t(1), int8_t(0), int8_t(2))},
        {"<i2", value(int16_t(1), int16_t(0), int16_t(2))},
        {"<i4", value(1, 0, 2)},
        {"<i8", value(int64_t(1), int64_t(0), int64_t(2))},
        {"|u1", value(uint8_t(1), uint8_t(0), uint8_t(2))},
        {"<u2", value(uint16_t(1), uint16_t(0), uint16_t(2))},
        {"<u4", value(1u, 0u, 2u)},
        {"<u8", value(uint64_t(1), uint64_t(0), uint64_t(2))},
        {">i2", std::string("\0\1\0\0\0\2", 6)}};
    scratch.write("x.npy", npy("|b1", "3, 2", std::string("\1\0\0\1\1\1", 6)));
    for (const auto& [descr, bytes] : kinds) {
        INFO(descr);
        scratch.write("kind.npy", npy(descr, "3, ", bytes));
        Outcome outcome =
            run(quoted(gradc) + " build m.grad -o trainer && ./trainer train --quiet --overwrite --checkpoint w && "
                                "./trainer predict --checkpoint w x.npy",
                {.folder = scratch.path().string(), .limit = 60});
        INFO(outcome.err);
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.out, "predict_0,predict_1,predict_2\n"));
        CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') >= 4);
    }
    scratch.write("kind.npy", npy("<c8", "3, ", std::string(24, '\0')));
    Outcome complex = run(quoted(gradc) + " build m.grad -o trainer", {.folder = scratch.path().string(), .limit = 60});
    CHECK(complex.code == 1);
    CHECK(contains(complex.err, "arrays of `<c8` are not read (floats, integers and bool are)"));
}

TEST_CASE("compiler and trainer refuse the same files with the same messages", "[readers]") {
    struct Broken {
        const char* file;
        std::string content, open, fixed; // the field with an open size, read from the file, and with a fixed one
        std::string said;
    };
    std::string array_open = "x: f32[W] = npy(\"x.npy\")", array_fixed = "x: f32[2] = npy(\"x.npy\")";
    std::string table_open = "x: f32[W] = csv(\"x.csv\")", table_fixed = "x: f32[2] = csv(\"x.csv\", columns: 0..2)";
    std::string name_open = "x: f32 = csv(\"x.csv\", columns: 0)\n    k: int < C = csv(\"x.csv\", columns: \"b\")";
    std::string image_open = "x: f32[W] = idx(\"x.idx\")", image_fixed = "x: f32[2] = idx(\"x.idx\")";
    std::string text_open = "x: int < V = characters(\"x.txt\")";
    std::string bytes = "\1\2\3\4";
    std::string other_version = npy("|u1", "2, 2", bytes);
    other_version[6] = 9;
    const Broken files[] = {
        {"x.npy", npy("|u1", "-2, 2", bytes), array_open, array_fixed,
         "damaged: `-2, 2), }`, where a size is expected"},
        {"x.npy", npy("<b8", "2, 2", bytes), array_open, array_fixed, "arrays of `<b8` are not read"},
        {"x.npy", npy("|u1", "2, 2", bytes + "x"), array_open, array_fixed, "too many bytes: [2, 2] takes 4 bytes"},
        {"x.npy", npy("|u1", "2, 2", "123"), array_open, array_fixed, "truncated: [2, 2] takes 4 bytes"},
        {"x.npy", other_version, array_open, array_fixed, "version 9.0 of NPY is unknown"},
        {"x.idx", std::string("\0\0\x08\x02\0\0\0\2\0\0\0\2\1\2\3\4\5", 17), image_open, image_fixed,
         "too many bytes: [2, 2] takes 4 bytes"},
        {"x.idx", std::string("\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff\1\2", 14), image_open, image_fixed,
         "the sizes in its header are invalid: [4294967295, 4294967295]"},
        {"x.idx", std::string("\0\0\x07\x02\0\0\0\2\0\0\0\2\1\2\3\4", 16), image_open, image_fixed,
         "IDX has no dtype 7"},
        {"x.csv", "1,2\n3\n", table_open, table_fixed, "x.csv:2:2: "},
        {"x.csv", "", table_open, table_fixed, "x.csv:1:1: "},
        {"x.csv", "a,b\n", table_open, table_fixed, "x.csv:2:1: "},
        {"x.csv", "1,2\r3,4\r", table_open, table_fixed, "x.csv:1:2: "},
        {"x.csv", "1,\"2\n3,4\n", table_open, table_fixed, "x.csv:1:2: "},
        {"x.csv", std::string("1\0,\0002\0\n\0", 8), table_open, table_fixed, "the text is in UTF-16LE"},
        {"x.csv", "a,b,b\n1,2,3\n", name_open, replaced(name_open, "< C", "< 9"), "are both called `b`"},
        {"x.csv", "a,\x1b[2J\n1,2\n", name_open, replaced(name_open, "< C", "< 9"), "the header has a, \\x1b[2J"},
        {"x.txt", "ab\xff", text_open, "", "x.txt:1:3: "},
    };
    for (const Broken& each : files) {
        INFO(each.file << " " << each.said);
        Scratch scratch;
        scratch.write(each.file, each.content);
        auto model = [](const std::string& field) {
            return "dataset rows { " + field +
                   " }\nmodel one() -> f32 { param w = 1;  return w }\n"
                   "train { data rows;  batch 1;  epochs 1;  loss one()^2 + 0 * sum(x);  optimizer sgd(learning_rate: "
                   "0.1) }\n";
        };
        scratch.write("open.grad", model(each.open));
        Outcome open = run(quoted(gradc) + " build open.grad", {.folder = scratch.path().string(), .limit = 60});
        INFO(open.err);
        CHECK(open.code == 1);
        CHECK(contains(open.err, each.said));
        CHECK(open.err.find('\x1b') == std::string::npos);
        if (each.fixed.empty()) continue;
        scratch.write("fixed.grad", model(each.fixed));
        Outcome fixed = run(quoted(gradc) + " build fixed.grad -o trainer && ./trainer train",
                            {.folder = scratch.path().string(), .limit = 60});
        INFO(fixed.err);
        CHECK(fixed.code == 1);
        CHECK(contains(fixed.err, each.said));
        CHECK(fixed.err.find('\x1b') == std::string::npos);
    }
}

TEST_CASE("a gzipped table is read by compiler and trainer", "[readers]") {
    Scratch scratch;
    scratch.write("m.grad", replaced(jumping("file"), "x.csv", "x.csv.gz"));
    scratch.write("x.csv", "0\n1\n2\n3\n");
    Outcome outcome = run("gzip x.csv && " + quoted(gradc) +
                              " build m.grad -o trainer && ./trainer train --checkpoint w "
                              "&& ./trainer predict --checkpoint w x.csv.gz",
                          {.folder = scratch.path().string(), .limit = 60});
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.out, "predict\n3\n3\n3\n3\n"));
}

TEST_CASE("`order` sets the order of rows", "[readers]") {
    Scratch scratch;
    build_jumping(scratch, jumping("file"));
    CHECK(rows_taken(scratch, 10) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 0, 1});
    build_jumping(scratch, jumping("shuffled"));
    std::vector<int> shuffled = rows_taken(scratch, 16);
    std::vector<int> first(shuffled.begin(), shuffled.begin() + 8), second(shuffled.begin() + 8, shuffled.end());
    CHECK(first != second);
    for (const auto& epoch : {first, second}) CHECK(std::set<int>(epoch.begin(), epoch.end()).size() == 8);
    CHECK(rows_taken(scratch, 8, "--seed 2") != first);
    build_jumping(scratch, jumping("random"));
    std::vector<int> random = rows_taken(scratch, 16);
    std::set<int> drawn(random.begin(), random.begin() + 8);
    CHECK((drawn.size() > 1 && drawn.size() < 8)); // with replacement: all eight different has probability 1 / 416
}

TEST_CASE("batch all is one step an epoch over all rows", "[readers]") {
    Scratch scratch;
    build_jumping(scratch, jumping("shuffled", "all"));
    Outcome outcome =
        run("./trainer train --epochs 3 --json log.json --checkpoint w && ./trainer predict --checkpoint w",
            {.folder = scratch.path().string(), .limit = 60});
    REQUIRE(outcome.code == 0);
    CHECK(json_value(scratch.read("log.json"), "steps") == "3");
    CHECK(contains(outcome.out, "\n3.5\n")); // the mean of all rows
}
