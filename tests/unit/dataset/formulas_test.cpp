// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data sets: formulas of a row for N rows, statistics of the training split, random fields, sizes that are read from
// files when compiling.
#include "compiler/graph/rewrite.h"
#include "tests/unit/training/simulation.h"
#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>
#include <unistd.h>
#include <zlib.h>

using namespace gradc;

namespace {

/// A folder of data files for one test.
struct DataFolder {
    std::string path;
    DataFolder() {
        char name[] = "/tmp/gradc_dataset_XXXXXX";
        REQUIRE(mkdtemp(name));
        path = name;
    }
    ~DataFolder() {
        for (const std::string& file : files) std::remove((path + "/" + file).c_str());
        rmdir(path.c_str());
    }
    void write(const std::string& name, const std::string& bytes, bool packed = false) {
        files.push_back(name);
        if (packed) {
            gzFile out = gzopen((path + "/" + name).c_str(), "wb");
            gzwrite(out, bytes.data(), unsigned(bytes.size()));
            gzclose(out);
            return;
        }
        std::ofstream(path + "/" + name, std::ios::binary) << bytes;
    }
    Options options() const {
        Options result = Simulation::double_precision();
        result.data_folders = {path};
        return result;
    }
    std::vector<std::string> files;
};

/// The columns of the first data set over all rows, by name.
std::unordered_map<std::string, Tensor> columns_of(Simulation& trainer, int64_t from, int64_t to) {
    return trainer.run(trainer.program->columns[0], trainer.rows(from, to));
}

} // namespace

TEST_CASE("slices, sums and definitions by index in a data set work on one row") {
    Simulation trainer(R"(
const T = 3
dataset d {
    window: int[T + 1] < 5 = [[0, 1, 2, 3], [4, 3, 2, 1], [2, 2, 0, 4]]
    w: f32[2] = [[1, 2], [3, 4], [-5, 6]]
    tokens = window[:T];  next = window[1:]
    last = w[1]
    total = sum(w)
    scaled: f32[2] = w / max(abs(w))
    looked = w[window[0] % 2]
    turned = [[0, 1], [-1, 0]] @ w
    pairs[t < T, k] = window[t] * w[k] + window[t + 1]
})");
    auto all = columns_of(trainer, 0, 3);
    CHECK(all.at("tokens").shape == Shape{3, 3});
    CHECK(all.at("next").values == std::vector<double>{1, 2, 3, 3, 2, 1, 2, 0, 4});
    CHECK(all.at("last").values == std::vector<double>{2, 4, 6});
    CHECK(all.at("total").values == std::vector<double>{3, 7, 1});
    CHECK(all.at("scaled").values[4] == Approx(-5.0 / 6));
    CHECK(all.at("looked").values == std::vector<double>{1, 3, -5});
    CHECK(all.at("pairs").shape == Shape{3, 3, 2});
    CHECK(all.at("pairs").values == std::vector<double>{1, 1, 3, 4, 5, 7, 15, 19, 11, 14, 7, 9, -8, 14, -10, 12, 4, 4});
    CHECK(all.at("turned").values == std::vector<double>{2, -1, 4, -3, 6, 5});
    auto part = columns_of(trainer, 1, 2);
    CHECK(part.at("next").values == std::vector<double>{3, 2, 1});
}

TEST_CASE("statistics of the training split are computed over its batches and kept as variables") {
    Simulation trainer(R"(
dataset houses {
    raw: f32[2] = [[1, 10], [2, 30], [3, 20], [6, 0], [8, -5]]
    price: f32 = [1, 2, 3, 4, 5]
    x = (raw - mean(train.raw, axis: 0)) / max(train.raw, axis: 0)
    far = sum((train.x - mean(train.x))^2) + 0 * price
    level = mean(train.price)
    split train: 0.8, test: 0.2, in order
})");
    for (int64_t batch : {1, 3, 4}) {
        trainer.integer(trainer.program->statistics, 4, batch);
        auto all = columns_of(trainer, 0, 5);
        const double mean[] = {3, 15}, most[] = {6, 30};
        double want[4][2], middle = 0, spread = 0;
        const double raw[5][2] = {{1, 10}, {2, 30}, {3, 20}, {6, 0}, {8, -5}};
        for (int i = 0; i < 4; ++i)
            for (int k = 0; k < 2; ++k) middle += (want[i][k] = (raw[i][k] - mean[k]) / most[k]) / 8;
        for (auto& row : want)
            for (double each : row) spread += (each - middle) * (each - middle);
        CHECK(all.at("x").values[8] == Approx((8.0 - 3) / 6));
        CHECK(all.at("x").values[9] == Approx((-5.0 - 15) / 30));
        CHECK(all.at("far").values[2] == Approx(spread));
        CHECK(all.at("level").values == std::vector<double>(5, 2.5));
    }
}

TEST_CASE("random fields are the same in every epoch and batch, and differ from row to row") {
    Simulation trainer(R"(
dataset drawn { i = range(6);  x: f32[3] = normal(shape: [3]);  u: f32 = uniform() + i;  third: int < 3 = i % 3 }
)");
    trainer.scalars["step"] = 1;
    auto all = columns_of(trainer, 0, 6);
    trainer.scalars["step"] = 7;
    auto part = columns_of(trainer, 2, 4);
    std::set<double> different(all.at("x").values.begin(), all.at("x").values.end());
    CHECK(different.size() == 18);
    for (size_t k = 0; k < 6; ++k) CHECK(part.at("x").values[k] == all.at("x").values[6 + k]);
    CHECK(part.at("u").values[1] == all.at("u").values[3]);
    CHECK(std::floor(all.at("u").values[5]) == 5);
    CHECK(all.at("third").values == std::vector<double>{0, 1, 2, 0, 1, 2});
}

TEST_CASE("open sizes, bounds and alphabets are read from the files") {
    DataFolder folder;
    folder.write("table.csv", "a,b,\"the label\"\n1,2.5,0\n3,4,6\n\"5\",6,2\n");
    folder.write("letters.txt", "hello w\xC3\xB6rld\nhello");
    std::string idx("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03", 16);
    folder.write("images.gz", idx + std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 12), true);
    folder.write("more.gz", idx + std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0f", 12), true);
    Simulation trainer(R"(
dataset table {
    x: f32[K] = csv("table.csv", columns: 0..2)
    label: int < C = csv("table.csv", columns: "the label")
    chance = label / C
}
dataset text { window: int[4] < V = windows(characters("letters.txt"), length: 4);  next = window[1:] }
dataset images { image: u8[H, W] = idx(train: "images.gz", test: "more.gz");  x = image / 255 }
model net(x: f32[N, K], label: int[N] < C) -> f32[N] { param w: [C, K] = normal();  return sum(w[label] * x, axis: -1) }
train {
    data table;  batch all;  loss mean(net(x, label)^2);  optimizer sgd(learning_rate: 0.1)
    metric m = sum(label == C - 1)
}
)",
                       folder.options());
    const auto& sets = trainer.program->datasets;
    REQUIRE(sets.size() == 3);
    CHECK(sets[0].fields[0].shape == Shape{2});
    CHECK(sets[0].fields[1].high == 6);
    CHECK(sets[0].fields[1].reader.column_names == std::vector<std::string>{"the label"});
    CHECK(trainer.program->blocks[0].batch == 3);
    CHECK(sets[1].fields[0].reader.alphabet == "\n dehlorw\xC3\xB6");
    CHECK(sets[1].fields[0].high == 9);
    CHECK(sets[2].fields[0].shape == Shape{2, 3});
    CHECK(sets[2].split_by_file);
    REQUIRE(sets[2].splits.size() == 2);
    CHECK(sets[2].splits[1].name == "test");
    for (const Variable& variable : trainer.program->variables)
        if (variable.path == "net.w") CHECK(variable.type.shape == Shape{7, 2});
}
