// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The commands of a trainer: output, files and exit codes.
#include "runtime/base/json.h"
#include "runtime/base/safetensors.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unistd.h>

using namespace workplace;

namespace {

struct Place : Folder {
    Place() { write_digits(*this, 300); }
};

int lines_of(const std::string& text) { return int(std::count(text.begin(), text.end(), '\n')); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("train prints epochs and a summary, and writes JSON") {
    Place place;
    Result result = run(place, {"train", "--epochs", "8", "--json", "r.json", "--checkpoint", "c.safetensors"});
    CHECK(result.code == 0);
    CHECK(result.err == "");
    CHECK(has(result.out, "stub: 650 parameters, "));
    CHECK(has(result.out, "240 rows to train, 60 rows to test\n"));
    CHECK(has(result.out, "epoch 8/8  train loss "));
    CHECK(has(result.out, "\ntest accuracy "));
    CHECK(has(result.out, "\nweights in c.safetensors\n"));
    CHECK_FALSE(has(result.out, "\x1b"));
    CHECK(place.list() == std::vector<std::string>{"c.safetensors", "digits.csv", "r.json"});
    gradc::runtime::JsonValue json;
    REQUIRE(gradc::runtime::read_json(read(place.path("r.json")), json));
    for (const char* key : {"model", "seed", "threads", "isa", "steps", "seconds", "step_us", "rows_per_second",
                            "peak_bytes", "flops_per_step", "weights_hash", "epochs"}) {
        CHECK(json.find(key));
    }
    CHECK(json.find("steps")->number == 64);
    REQUIRE(json.find("epochs")->items.size() == 8);
    const auto& last = json.find("epochs")->items[7];
    CHECK(last.find("test")->find("accuracy")->number > 0.95);
    CHECK(last.find("train")->find("loss")->number < 0.5);
    CHECK(json.find("weights_hash")->string.size() == 16);

    Result eval = run(place, {"eval", "--checkpoint", "c.safetensors"});
    CHECK(eval.code == 0);
    std::string summary = result.out.substr(result.out.find("\ntest loss") + 1);
    CHECK(has(eval.out, summary.substr(0, summary.find("\nweights hash"))));
}

TEST_CASE("bits are the same for any thread count, a forced variant and --quiet") {
    Place place;
    std::string hash;
    for (std::vector<std::string> words : {std::vector<std::string>{"train", "--json", "a"},
                                           {"train", "--threads", "3", "--json", "a"},
                                           {"train", "--quiet", "--isa", "avx2", "--json", "a"},
                                           {"train", "--threads", "0", "--json", "a"}}) {
        if (words.size() > 4 && words[3] == "avx2" && !__builtin_cpu_supports("avx2")) continue;
        Result result = run(place, words);
        REQUIRE(result.code == 0);
        if (words[1] == "--quiet") CHECK(result.out + result.err == "");
        std::string own = json_text(place.path("a"), "weights_hash");
        if (hash.empty()) hash = own;
        CHECK(own == hash);
    }
    REQUIRE(run(place, {"train", "--seed", "2", "--json", "a"}).code == 0);
    CHECK(json_text(place.path("a"), "weights_hash") != hash);
    REQUIRE(run(place, {"train", "--rate", "0.2", "--json", "a"}).code == 0);
    CHECK(json_text(place.path("a"), "weights_hash") != hash);
    REQUIRE(run(place, {"train", "--train.rate", "0.1", "--mu=0.9", "--json", "a"}).code == 0);
    CHECK(json_text(place.path("a"), "weights_hash") == hash);
    std::string other; // by its own name, by the end of the full one, and in full
    for (const char* momentum : {"--mu=0.5", "--momentum=0.5", "--train.momentum=0.5"}) {
        REQUIRE(run(place, {"train", momentum, "--json", "a"}).code == 0);
        std::string own = json_text(place.path("a"), "weights_hash");
        CHECK((own != hash && (other.empty() || own == other)));
        other = own;
    }
}

TEST_CASE("wrong usage is an error on standard error with exit code 2") {
    Place place;
    struct Case {
        std::vector<std::string> words;
        const char* message;
    };
    for (const Case& wrong :
         {Case{{"trian"}, "error: unknown command trian; did you mean train?\n"},
          Case{{"train", "--epcohs", "3"}, "error: unknown flag --epcohs; did you mean --epochs?\n"},
          Case{{"train", "--batch-size", "33"}, "error: --batch-size: `33` is not an integer in 1..32\n"},
          Case{{"train", "--batch-size", "0"}, "error: --batch-size: `0` is not an integer in 1..32\n"},
          Case{{"train", "--rate", "fast"}, "error: --rate: `fast` is not a number\n"},
          Case{{"train", "--resume"}, "error: --resume needs --checkpoint FILE\n"},
          Case{{"train", "--resume=no", "--checkpoint", "c"}, "error: --resume takes no value\n"},
          Case{{"train", "--allow-mismatch", "--checkpoint", "c"}, "error: --allow-mismatch needs --resume\n"},
          Case{{"train", "--nan", "go"}, "error: --nan go: expected stop or continue\n"},
          Case{{"train", "extra"}, "error: train takes no `extra`\n"},
          Case{{"eval"}, "error: --checkpoint FILE is needed; `train --checkpoint FILE` writes one\n"},
          Case{{"train", "--isa", "avx9"}, "error: --isa avx9: expected baseline, avx2 or avx512\n"}}) {
        Result result = run(place, wrong.words);
        CHECK(result.code == 2);
        CHECK(result.err == wrong.message);
        CHECK(result.out == "");
    }
    CHECK(run(place, {}).code == 2);
    CHECK(place.list() == std::vector<std::string>{"digits.csv"});
}

TEST_CASE("help is on standard output, 80 columns, one example a command") {
    Place place;
    for (const char* command : {"", "train", "eval", "predict", "landscape", "bench", "info", "export"}) {
        std::vector<std::string> words{"--help"};
        if (*command) words.insert(words.begin(), command);
        Result result = run(place, words);
        CHECK(result.code == 0);
        CHECK(result.err == "");
        CHECK(has(result.out, "\nExample: "));
        size_t begin = 0;
        for (size_t end; (end = result.out.find('\n', begin)) != std::string::npos; begin = end + 1) {
            INFO(result.out.substr(begin, end - begin));
            CHECK(end - begin <= 80);
        }
    }
    CHECK(run(place, {"--version"}).out == "stub, compiled by gradc 0.1.0\n");
}

TEST_CASE("an error in the data: one line, exit code 1, nothing written") {
    Folder place;
    std::vector<std::string> words{"train", "--checkpoint", "c.safetensors", "--json", "r.json"};
    Result missing = run(place, words);
    CHECK(missing.code == 1);
    CHECK(has(missing.err, "digits.csv: error: there is no such file in the current folder, /"));
    CHECK(lines_of(missing.err) == 1);
    place.write("digits.csv", "a,b\n1,2\n");
    Result short_row = run(place, words);
    CHECK(short_row.code == 1);
    CHECK(short_row.err == "digits.csv:1:1: error: image is column 2 (from 0), but a row has 2 columns\n");
    CHECK(place.list() == std::vector<std::string>{"digits.csv"});
    write_digits(place, 2);
    Result no_rows = run(place, words);
    CHECK(no_rows.code == 1);
    CHECK(no_rows.err == "data set digits: error: split test has no rows: there are only 2 in all\n");
    write_digits(place, 20);
    Result few = run(place, {"train"});
    CHECK(few.code == 1);
    CHECK(few.err == "data set digits: error: there are 16 rows to train on, fewer than the batch "
                     "of 32; --batch-size 16 takes all of them in a step\n");
    CHECK(few.out == "");
    CHECK(run(place, {"train", "--batch-size", "16", "--quiet"}).code == 0);
}

TEST_CASE("a loss that is not finite stops before the step and keeps the weights") {
    Place place;
    REQUIRE(run(place, {"train", "--epochs", "1", "--checkpoint", "good"}).code == 0);
    Result result = run(place, {"train", "--rate", "1e38", "--checkpoint", "c", "--save-every", "1"});
    CHECK(result.code == 3);
    CHECK(has(result.err, "training stopped: the loss is nan in step "));
    CHECK(has(result.err, ", epoch 1, rows "));
    CHECK(has(result.err, "stub.grad:3:9: linear(x, 10) is the first value that is not finite ("));
    CHECK(has(result.err, "c holds the weights before that step\n"));
    gradc::runtime::SafetensorsFile file;
    gradc::runtime::Error error;
    REQUIRE(file.open(place.path("c"), error));
    const auto* weight = file.find("net.linear.weight");
    REQUIRE(weight);
    const auto* numbers = reinterpret_cast<const float*>(file.numbers(*weight));
    CHECK_FALSE(std::isnan(numbers[5]));
    CHECK(run(place, {"train", "--rate", "1e38", "--nan", "continue"}).code == 0);
}

TEST_CASE("weights are kept by name in the model's own shape") {
    Place place;
    REQUIRE(run(place, {"train", "--checkpoint", "c"}).code == 0);
    gradc::runtime::SafetensorsFile file;
    gradc::runtime::Error error;
    REQUIRE(file.open(place.path("c"), error));
    REQUIRE(file.find("net.linear.weight"));
    CHECK(file.find("net.linear.weight")->shape == std::vector<int64_t>{64, 10});
    CHECK(file.find("bias_in_files"));
    CHECK(file.find("momentum.v/net.linear.bias"));
    CHECK(file.find("digits.mean"));
    CHECK(gradc::runtime::metadata_value(file.metadata(), "step") == "40");
    CHECK(gradc::runtime::metadata_value(file.metadata(), "flag.train.rate") == "0.1");
}

TEST_CASE("another model's checkpoint, a damaged and a newer one are refused") {
    Place place;
    REQUIRE(run(place, {"train", "--checkpoint", "c"}).code == 0);
    std::string kept = read(place.path("c"));
    Result other = run(place, {"eval", "--checkpoint", "c"}, "_other");
    CHECK(other.code == 1);
    CHECK(other.err == "c: error: the checkpoint of another model:\n"
                       "    net.linear.matrix: f32[64, 10] in this trainer, absent in the file\n");
    Result resumed = run(place, {"train", "--checkpoint", "c", "--resume", "--allow-mismatch"}, "_other");
    CHECK(resumed.code == 1);
    CHECK(has(resumed.err, "\n    net.linear.weight: absent in this trainer, f32[64, 10] in the file\n"));
    Result rebuilt = run(place, {"train", "--checkpoint", "c", "--resume"}, "_rebuilt");
    CHECK(rebuilt.code == 1);
    CHECK(rebuilt.err == "c: error: the run in this checkpoint had another origin:\n"
                         "    bits: 2222222222222222 here, 1111111111111111 in the file\n"
                         "--resume --allow-mismatch continues from it; the bits may differ\n");
    CHECK(read(place.path("c")) == kept);
    CHECK(
        run(place, {"train", "--checkpoint", "c", "--resume", "--allow-mismatch", "--epochs", "6"}, "_rebuilt").code ==
        0);
    place.write("cut", kept.substr(0, kept.size() / 2));
    Result cut = run(place, {"train", "--checkpoint", "cut", "--resume"});
    CHECK(cut.code == 1);
    CHECK(has(cut.err, "cut: error: damaged: "));
    std::string newer = kept;
    newer.replace(newer.find("\"gradc 2\""), 9, "\"gradc 9\"");
    place.write("newer", newer);
    std::string older = kept;
    older.replace(older.find("\"gradc 2\""), 9, "\"gradc 1\"");
    place.write("older", older);
    CHECK(run(place, {"eval", "--checkpoint", "older"}).err ==
          "older: error: was written by gradc 0.1, which had other names; train it again\n");
    CHECK(run(place, {"eval", "--checkpoint", "newer"}).err ==
          "newer: error: was written by a newer gradc (format 9; this trainer reads 2)\n");
    CHECK(run(place, {"eval", "--checkpoint", "none"}).err == "none: error: there is no such checkpoint\n");
    CHECK(run(place, {"train", "--checkpoint", "."}).err == ".: error: it is a folder, not a file\n");
    CHECK(run(place, {"train", "--checkpoint", "no/where"}).err ==
          "no/where: error: cannot write here: No such file or directory\n");
}

TEST_CASE("a checkpoint of other data is an error") {
    Place place;
    REQUIRE(run(place, {"train", "--checkpoint", "c"}).code == 0);
    write_digits(place, 310);
    Result result = run(place, {"train", "--checkpoint", "c", "--resume"});
    CHECK(result.code == 1);
    CHECK(has(result.err, "\n    data: "));
}

TEST_CASE("a second trainer on the same checkpoint is refused") {
    Place place;
    pid_t first = start(place, {"train", "--epochs", "1000000", "--checkpoint", "c"});
    for (int wait = 0; wait < 500 && !std::filesystem::exists(place.path("c")); wait++) usleep(10000);
    Result second = run(place, {"train", "--checkpoint", "c"});
    CHECK(second.code == 1);
    CHECK(second.err == "c: error: another trainer is writing this checkpoint\n");
    CHECK(finish(first, SIGTERM) == 130);
    CHECK(run(place, {"eval", "--checkpoint", "c"}).code == 0);
    CHECK_FALSE(std::filesystem::exists(place.path("c.lock")));
}

TEST_CASE("predict writes CSV for a split, a CSV and an NPY file; labels are not needed") {
    Place place;
    REQUIRE(run(place, {"train", "--checkpoint", "c"}).code == 0);
    Result test = run(place, {"predict", "--checkpoint", "c"});
    CHECK(test.code == 0);
    CHECK(lines_of(test.out) == 61);
    CHECK(test.out.starts_with("predict_0,predict_1,"));
    Result all = run(place, {"predict", "--checkpoint", "c", "digits.csv", "--output", "p.csv"});
    CHECK(all.code == 0);
    CHECK(lines_of(read(place.path("p.csv"))) == 301);
    std::string csv = read(place.path("digits.csv")), bare; // without the label
    for (size_t begin = 0, end; (end = csv.find('\n', begin)) != std::string::npos; begin = end + 1) {
        bare += csv.substr(begin, csv.rfind(',', end) - begin) + "\n";
    }
    place.write("bare.csv", bare);
    CHECK(run(place, {"predict", "--checkpoint", "c", "bare.csv"}).out == read(place.path("p.csv")));
    Result wrong = run(place, {"predict", "--checkpoint", "c", "--split", "valid"});
    CHECK(wrong.code == 2);
    CHECK(wrong.err == "error: --split valid: the data has train, test\n");
    REQUIRE(run(place, {"export", "--output", "npy"}).code == 0);
    Result npy = run(place, {"predict", "--checkpoint", "c", "npy/test.image.npy"});
    CHECK(npy.out == test.out);
}

TEST_CASE("predict writes NPY, takes rows in any shape, and names its columns") {
    Place place;
    REQUIRE(run(place, {"train", "--checkpoint", "c"}).code == 0);
    Result csv = run(place, {"predict", "--checkpoint", "c", "digits.csv"});
    REQUIRE(run(place, {"predict", "--checkpoint", "c", "digits.csv", "--output", "p.npy"}).code == 0);
    std::string npy = read(place.path("p.npy"));
    REQUIRE(has(npy, "'descr': '<f4', 'fortran_order': False, 'shape': (300, 10, ), }"));
    REQUIRE(npy.size() % 64 == 300 * 40 % 64); // 300 rows are nine batches of 32 and one of 12
    const char* numbers = npy.data() + npy.size() - 300 * 40;
    size_t begin = csv.out.find('\n') + 1;
    for (int i = 0; i < 3000; i++) {
        float stored;
        memcpy(&stored, numbers + 4 * i, 4);
        size_t end = csv.out.find_first_of(",\n", begin);
        REQUIRE(stored == std::stof(csv.out.substr(begin, end - begin)));
        begin = end + 1;
    }
    CHECK(begin == csv.out.size());
    for (int rows : {1, 31, 32, 33}) {
        INFO(rows);
        size_t end = 0;
        std::string all = read(place.path("digits.csv")), expected = csv.out;
        for (int i = 0; i <= rows; i++) end = all.find('\n', end) + 1;
        place.write("some.csv", all.substr(0, end));
        Result some = run(place, {"predict", "--checkpoint", "c", "some.csv"});
        CHECK(lines_of(some.out) == rows + 1);
        CHECK(expected.starts_with(some.out));
    }
    Result named = run(place, {"predict", "--checkpoint", "c", "some.csv", "--class-names", "a,b,c,d,e,f,g,h,i,j"});
    CHECK(named.out.starts_with("a,b,c,d,e,f,g,h,i,j\n"));
    Result quoted = run(place, {"predict", "--checkpoint", "c", "some.csv", "--class-names",
                                "say \"a\",b\nc,\x1b[2J, d,e é,f'g,h,i,j,k"});
    CHECK(quoted.out.starts_with("\"say \"\"a\"\"\",\"b\nc\",\"\x1b[2J\",\" d\",e é,f'g,h,i,j,k\n"));
    CHECK(run(place, {"predict", "--checkpoint", "c", "--class-names", "a,b"}).err ==
          "error: --class-names has 2, but a row has 10\n");
    CHECK(run(place, {"predict", "--checkpoint", "c", "--output", "p.txt"}).err ==
          "error: --output p.txt: the prediction is not text; write .csv or .npy\n");
    CHECK(run(place, {"predict", "--checkpoint", "c", "--grid", "9", "--svg", "p.svg"}).err ==
          "error: --grid draws models of one or two floating inputs; this prediction reads 64 "
          "numbers a row\n");
    CHECK(run(place, {"predict", "--checkpoint", "c", "--svg", "p.svg"}).err ==
          "error: --svg draws rows that are images, of two axes or a square number of numbers; "
          "here a "
          "row has 10 (--grid N draws a model of one or two inputs)\n");
    CHECK_FALSE(std::filesystem::exists(place.path("p.svg")));
}

TEST_CASE("export writes columns and start weights") {
    Place place;
    REQUIRE(run(place, {"export", "--output", "e.safetensors", "--seed", "4"}).code == 0);
    gradc::runtime::SafetensorsFile file;
    gradc::runtime::Error error;
    REQUIRE(file.open(place.path("e.safetensors"), error));
    REQUIRE(file.find("train.image"));
    CHECK(file.find("train.image")->shape == std::vector<int64_t>{240, 64});
    CHECK(file.find("test.label")->shape == std::vector<int64_t>{60});
    CHECK(file.find("net.linear.weight"));
    REQUIRE(run(place, {"train", "--epochs", "0", "--seed", "4", "--checkpoint", "c"}).code == 0);
    gradc::runtime::SafetensorsFile start;
    REQUIRE(start.open(place.path("c"), error));
    CHECK(memcmp(start.numbers(*start.find("net.linear.weight")), file.numbers(*file.find("net.linear.weight")),
                 2560) == 0);
}

TEST_CASE("landscape writes the loss around the weights, with the bits of one thread") {
    Place place;
    REQUIRE(run(place, {"train", "--epochs", "8", "--seed", "5", "--checkpoint", "c.safetensors"}).code == 0);
    Result result =
        run(place, {"landscape", "--checkpoint", "c.safetensors", "--grid", "5", "--csv", "l.csv", "--svg", "l.svg"});
    CHECK(result.code == 0);
    CHECK(result.err == "");
    std::string lines = read(place.path("l.csv")), eval = run(place, {"eval", "--checkpoint", "c.safetensors"}).out;
    CHECK(lines.starts_with("a,b,loss\n-1,-1,"));
    CHECK(lines_of(lines) == 26);
    CHECK(has(lines, "\n0.5,-0.5,"));
    // The weights themselves are in the middle, with the splits of the run's seed.
    double middle = std::strtod(lines.c_str() + lines.find("\n0,0,") + 5, nullptr);
    CHECK(middle == Approx(std::strtod(eval.c_str() + eval.find("train loss ") + 11, nullptr)).margin(6e-5));
    CHECK(has(result.out, ": loss " + eval.substr(eval.find("train loss ") + 11, 6) + " at the weights, "));
    CHECK(has(result.out, "\n25 points in "));
    CHECK(read(place.path("l.svg")).starts_with("<svg "));

    auto again = [&](const char* flag, const char* value) {
        CHECK(run(place, {"landscape", "--checkpoint", "c.safetensors", "--grid", "5", "--csv", "m.csv", flag, value})
                  .code == 0);
        return read(place.path("m.csv"));
    };
    CHECK(again("--threads", "2") == lines);
    CHECK(again("--seed", "1") == lines);
    std::string other = again("--seed", "2");
    CHECK(other != lines);
    CHECK(other.substr(other.find("\n0,0,"), 12) == lines.substr(lines.find("\n0,0,"), 12));
}

TEST_CASE("landscape that is interrupted or misused writes nothing") {
    Place place;
    REQUIRE(run(place, {"train", "--epochs", "1", "--checkpoint", "c.safetensors"}).code == 0);
    std::vector<std::string> before = place.list();
    Result result = run_and_send(
        place, {"landscape", "--checkpoint", "c.safetensors", "--grid", "1000", "--csv", "l.csv"}, SIGINT, 300'000);
    CHECK(result.code == 130);
    CHECK(result.out == "");
    CHECK(result.err == "interrupted; nothing is written\n");
    result = run(place, {"landscape", "--checkpoint", "c.safetensors"});
    CHECK(result.code == 2);
    CHECK(has(result.err, "--svg FILE draws"));
    CHECK(run(place, {"landscape", "--svg", "l.svg"}).code == 2);
    CHECK(run(place, {"landscape", "--checkpoint", "c.safetensors", "--svg", "l.svg", "--grid", "1"}).code == 2);
    CHECK(run(place, {"landscape", "--checkpoint", "c.safetensors", "--grid", "2", "--svg", "no/l.svg"}).code == 1);
    CHECK(place.list() == before);
}

TEST_CASE("bench and about print their figures") {
    Place place;
    Result bench = run(place, {"bench", "--steps", "50", "--json", "b.json"});
    CHECK(bench.code == 0);
    CHECK(has(bench.out, "fastest step "));
    CHECK(has(bench.out, "share of peak "));
    CHECK(!has(bench.out, "of step"));
    CHECK(has(run(place, {"bench", "--steps", "5", "--kernels"}).out, "of step"));
    gradc::runtime::JsonValue json;
    REQUIRE(gradc::runtime::read_json(read(place.path("b.json")), json));
    CHECK(json.find("peak_flops")->number > 1e8);
    CHECK(json.find("fastest_us")->number <= json.find("step_us")->number);
    Result about = run(place, {"info"});
    CHECK(about.code == 0);
    for (const char* part :
         {"built for  baseline, avx2", "net.linear.weight", "--rate", "flushed to zero", "digits.csv (0..9)"})
        CHECK(has(about.out, part));
}

TEST_CASE("a trainer without a variant for the machine exits with 1") {
    Place place;
    Result result = run(place, {"train"}, "_no_isa");
    CHECK(result.code == 1);
    CHECK(has(result.err, "which this CPU does not have"));
}

TEST_CASE("a closed pipe ends quietly") {
    Place place;
    REQUIRE(run(place, {"train", "--checkpoint", "c"}).code == 0);
    std::string program = STUB_TRAINER, inside = "cd " + place.path() + " && ";
    auto shell = [&](const std::string& line) {
        return WEXITSTATUS(system(("bash -c '" + inside + line + "'").c_str()));
    };
    CHECK(shell(program + " predict --checkpoint c 2>err | true; exit ${PIPESTATUS[0]}") == 0);
    CHECK(shell(program + " train --epochs 20000 2>>err | head -2 >out; exit ${PIPESTATUS[0]}") == 130);
    CHECK(read(place.path("err")) == "");
    CHECK(lines_of(read(place.path("out"))) == 2);
}

TEST_CASE("a full disk ends the run and leaves the checkpoint that was") {
    Place place;
    REQUIRE(run(place, {"train", "--epochs", "1", "--checkpoint", "c"}).code == 0);
    std::string kept = read(place.path("c"));
    std::string line = "cd " + place.path() + " && ulimit -f 4 && " + STUB_TRAINER +
                       " train --epochs 3 --checkpoint c --resume >out 2>err";
    CHECK(WEXITSTATUS(system(("bash -c '" + line + "'").c_str())) == 1);
    CHECK(read(place.path("err")) == "c: error: cannot write it: File too large\n");
    CHECK(read(place.path("c")) == kept);
    CHECK(place.list() == std::vector<std::string>{"c", "digits.csv", "err", "out"});
    CHECK(run(place, {"train", "--epochs", "3", "--checkpoint", "c", "--resume"}).code == 0);
}
