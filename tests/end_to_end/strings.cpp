// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data whose numbers stand for strings: labels, words and characters. The checkpoint has their dictionaries, which
// `info` shows and `predict` uses where no file of the training is left. Records and tokens without a header.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;
namespace fs = std::filesystem;

namespace {

const char* const animals = R"(dataset sounds {
    animal: int < C, words: f32[V] = lines("sounds.tsv")
    split train: 0.75, test: 0.25, in order
}
model scores(x: f32[N, V], classes: const int) -> f32[N, classes] = linear(x, classes)
train {
    data sounds;  batch all;  epochs 60
    loss cross_entropy(scores(words, C), animal)
    optimizer adam(learning_rate: 0.1)
    metric accuracy(scores(words, C), animal)
    predict argmax(scores(words, C))
}
)";

const char* const sounds = "cat\tThe cat: meow, MEOW!\ndog\tA dog says woof\ncat\tmeow\ndog\twoof woof\n"
                           "cat\tsay meow\ndog\tsay woof\ncat\tnever heard\ndog\twoof\n";

Launch in(const Scratch& scratch) { return {.folder = scratch.path().string(), .limit = 120}; }

/// A model over records of a label and four bytes; the label is the place of the largest.
const char* const pictures = R"(dataset pictures {
    label: u8 < 4, image: u8[2, 2] = raw(train: ["a.bin", "b.bin.gz"], test: "b.bin.gz")
}
model scores(x: f32[N, 4]) -> f32[N, 4] = linear(x, 4)
train {
    data pictures;  batch all;  epochs 200
    s = scores(reshape(image / 255, [N, 4]))
    loss cross_entropy(s, label)
    optimizer adam(learning_rate: 0.05)
    metric accuracy(s, label)
    predict argmax(s)
}
)";

std::string records(int first) {
    std::string bytes;
    for (int i = first; i < first + 8; ++i)
        for (int k = -1; k < 4; ++k) bytes += char(k < 0 ? i % 4 : k == i % 4 ? 200 + i : 10 * k);
    return bytes;
}

} // namespace

TEST_CASE("labelled lines are learned as bags of words", "[strings]") {
    Scratch scratch;
    scratch.write("sounds.tsv", sounds);
    scratch.write("m.grad", animals);
    Outcome built = run(quoted(gradc) + " build m.grad -o m && ./m train --checkpoint c.safetensors", in(scratch));
    INFO(built.out + built.err);
    REQUIRE(built.code == 0);
    CHECK(contains(built.out, "6 rows to train, 2 rows to test"));
    CHECK(contains(built.out, "train accuracy 1.0000"));
    // Made of the six training rows: neither `never` nor `heard`.
    Outcome info = run("./m info --checkpoint c.safetensors", in(scratch));
    CHECK(contains(info.out, "dictionary of animal: 2 classes\n    `cat` `dog`\n"));
    CHECK(contains(info.out,
                   "dictionary of words: 9 words\n    `other` `a` `cat` `dog` `meow` `say` `says` `the` `woof`"));
    CHECK(contains(run("./m info", in(scratch)).out,
                   "dictionary of words: made from the rows, at most 11 words; --checkpoint FILE shows it"));
    fs::remove(scratch.path() / "sounds.tsv");
    scratch.write("new.txt", "Woof?\nmeow\tmeow\n");
    CHECK(run("./m predict --checkpoint c.safetensors new.txt", in(scratch)).out == "predict\ndog\ncat\n");
    scratch.write("sounds.tsv", std::string(sounds) + "cow\tmoo\n");
    Outcome other = run("./m eval --checkpoint c.safetensors", in(scratch));
    CHECK(other.code == 1);
    CHECK(contains(other.err, "sounds.tsv:9:1: error: animal is `cow`, which is none of its 2 classes"));
}

TEST_CASE("a smaller bag has the commonest words", "[strings]") {
    Scratch scratch;
    scratch.write("sounds.tsv", sounds);
    scratch.write("m.grad", replaced(animals, "f32[V]", "f32[4]"));
    std::string train = "./m train --quiet --checkpoint c.safetensors";
    REQUIRE(run(quoted(gradc) + " build m.grad -o m && " + train, in(scratch)).code == 0);
    CHECK(contains(run("./m info --checkpoint c.safetensors", in(scratch)).out,
                   "dictionary of words: 4 words\n    `other` `meow` `say` `woof`\n"));
    CHECK(run(train + " --resume --epochs 61", in(scratch)).code == 0);
    scratch.write("sounds.tsv", std::string(sounds) + "cat\tmeow\n");
    Outcome changed = run(train + " --resume --epochs 62", in(scratch));
    CHECK(changed.code == 1);
    CHECK(contains(changed.err, "had another origin:\n    data:"));
}

TEST_CASE("records are read from several files, plain and packed", "[strings]") {
    Scratch scratch;
    scratch.write("a.bin", records(0));
    scratch.write("b.bin", records(8));
    scratch.write("m.grad", pictures);
    Outcome built = run("gzip b.bin && " + quoted(gradc) + " build m.grad -o m && ./m train --checkpoint c.safetensors",
                        in(scratch));
    INFO(built.out + built.err);
    REQUIRE(built.code == 0);
    CHECK(contains(built.out, "16 rows to train, 8 rows to test"));
    CHECK(contains(built.out, "test accuracy 1.0000"));
    scratch.write("new.bin", records(2).substr(0, 10));
    CHECK(run("./m predict --checkpoint c.safetensors new.bin", in(scratch)).out == "predict\n2\n3\n");
    scratch.write("a.bin", records(0).substr(1));
    Outcome cut = run("./m train", in(scratch));
    CHECK(cut.code == 1);
    CHECK(contains(cut.err, "a.bin: error: has 39 bytes, which is not a multiple of its record of 5 bytes"));
}

TEST_CASE("tokens are read in windows", "[strings]") {
    Scratch scratch;
    std::string tokens;
    for (int i = 0; i < 200; ++i) tokens += {char(i % 4), char(i % 4 == 3 ? 1 : 0)}; // 0 1 2 259
    scratch.write("train.bin", tokens);
    scratch.write("val.bin", tokens.substr(0, 40));
    scratch.write(
        "m.grad",
        R"(dataset web { window: int[5] < V = windows(tokens(train: "train.bin", test: "val.bin"), length: 5) }
model next(token: int[N] < V) -> f32[N, V] = linear(embedding(token, 8), V)
train {
    data web;  batch 16;  epochs 40
    loss cross_entropy(next(window[:, 0]), window[:, 1])
    optimizer adam(learning_rate: 0.05)
    metric accuracy(next(window[:, 0]), window[:, 1])
    predict argmax(next(window[:, 0]))
}
)");
    Outcome built = run(quoted(gradc) + " build m.grad -o m && ./m train --checkpoint c.safetensors", in(scratch));
    INFO(built.out + built.err);
    REQUIRE(built.code == 0);
    CHECK(contains(built.out, "196 rows to train, 16 rows to test"));
    CHECK(contains(built.out, "test accuracy 1.0000"));
    CHECK(contains(run("./m info", in(scratch)).out, "(0..259)"));
    scratch.write("new.bin", tokens.substr(2, 12));
    CHECK(run("./m predict --checkpoint c.safetensors new.bin", in(scratch)).out == "predict\n2\n259\n");
    scratch.write("val.bin", tokens.substr(0, 40) + std::string("\x04\x01", 2));
    Outcome large = run("./m train", in(scratch));
    CHECK(large.code == 1);
    CHECK(contains(large.err, "val.bin:21:1: error: window is 260, not in 0..259, at byte 40"));
}

TEST_CASE("a checkpoint keeps the characters; others are read if the model asks for it", "[strings]") {
    Scratch scratch;
    std::string text;
    for (int i = 0; i < 50; ++i) text += "ab\xc3\xa9\n";
    scratch.write("text.txt", text);
    const std::string model = R"(dataset plays { window: int[5] < V = windows(characters("text.txt"), length: 5) }
model next(token: int[N] < V) -> f32[N, V] = linear(embedding(token, 8), V)
train {
    data plays;  batch 16;  epochs 30
    loss cross_entropy(next(window[:, 0]), window[:, 1])
    optimizer adam(learning_rate: 0.05)
    generate scan t < 5 with h = zeros([N, 1]) { yield next(token) }
}
)";
    scratch.write("m.grad", model);
    std::string train = " -o m && ./m train --quiet --overwrite --checkpoint ";
    REQUIRE(run(quoted(gradc) + " build m.grad" + train + "c.safetensors", in(scratch)).code == 0);
    CHECK(contains(scratch.read("c.safetensors"), R"("dictionary.window": "[\"\\n\", \"a\", \"b\", \")"));
    std::string known = "dictionary of window: 4 characters\n    `\\n` `a` `b` `\xc3\xa9`\n";
    CHECK(contains(run("./m info", in(scratch)).out, known));
    CHECK(contains(run("./m info --checkpoint c.safetensors", in(scratch)).out, known));
    // A trainer of another text, with as many characters, speaks those of the checkpoint.
    scratch.write("text.txt", replaced(text, "a", "x"));
    REQUIRE(run(quoted(gradc) + " build m.grad -o other", in(scratch)).code == 0);
    fs::remove(scratch.path() / "text.txt");
    std::string flags = " predict --checkpoint c.safetensors --temperature 0 --length 5 --prompt ";
    CHECK(run("./m" + flags + "a", in(scratch)).out == "ab\xc3\xa9\nab\n");
    CHECK(run("./other" + flags + "a", in(scratch)).out == "ab\xc3\xa9\nab\n");
    CHECK(run("./other" + flags + "x", in(scratch)).code == 2);
    scratch.write("text.txt", text);
    scratch.write("m.grad", replaced(model, "\"text.txt\"", "\"text.txt\", other: true"));
    REQUIRE(run(quoted(gradc) + " build m.grad" + train + "d.safetensors", in(scratch)).code == 0);
    flags = replaced(flags, "c.saf", "d.saf");
    CHECK(contains(run("./m info", in(scratch)).out, "5 characters\n    `\xef\xbf\xbd` `\\n` `a` `b`"));
    CHECK(run("./m" + flags + "Za", in(scratch)).out == "Zab\xc3\xa9\nab\n");
}
