// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Invalid checkpoints: damaged ones by their checksum, wrong ones by their content. And checkpoints that must not be
// overwritten.
#include "runtime/base/safetensors.h"
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>

using namespace gradc::runtime;
using workplace::Folder;
using workplace::read;
using workplace::Result;

namespace {

struct Trained : Folder {
    Trained() {
        workplace::write_digits(*this, 40);
        REQUIRE(run({"train", "--batch-size", "8", "--epochs", "2", "--checkpoint", "c"}).code == 0);
    }
    Result run(const std::vector<std::string>& words) const { return workplace::run(*this, words); }

    /// c with one thing of its metadata changed, its checksum right; "" removes it.
    void forge(const std::string& key, const std::string& value) const {
        SafetensorsFile file;
        Error error;
        REQUIRE(file.open(path("c"), error));
        std::vector<WrittenTensor> tensors;
        for (const StoredTensor& stored : file.tensors()) {
            const unsigned char* from = file.numbers(stored);
            size_t size = size_t(stored.end - stored.begin);
            tensors.push_back(
                {stored.name, stored.dtype, stored.shape, [=](unsigned char* to) { memcpy(to, from, size); }});
        }
        Metadata metadata;
        bool found = false;
        for (const auto& [name, kept] : file.metadata()) {
            found |= name == key;
            if (name != "checksum") add_metadata(metadata, name, name == key ? value : kept);
        }
        REQUIRE(found);
        REQUIRE(write_safetensors(path("forged"), tensors, metadata, error));
    }
};

} // namespace

TEST_CASE("an invalid position of a run is not resumed") {
    Trained place;
    struct Case {
        const char *key, *value, *message;
    };
    for (const Case& wrong :
         {Case{"block_steps", "99999", "its position is invalid: block_steps 99999"},
          Case{"block_steps", "3", "its position is invalid: step 8"},
          Case{"step", "-1", "its position is invalid: step -1"},
          Case{"epoch", "9", "its position is invalid: epoch 9"},
          Case{"cursor", "32", "its position is invalid: cursor 32"},
          Case{"cursor", "-8", "its position is invalid: cursor -8"},
          Case{"turn", "1", "its position is invalid: turn 1"},
          Case{"loss_rows", "7ff8000000000000", "its position is invalid: loss_rows nan"},
          Case{"epochs_reported", "[{}]", "its position is invalid: epochs_reported"},
          Case{"block", "1", "it holds weights, but no run to resume"},
          Case{"block", "4294967296", "it holds weights, but no run to resume"},
          Case{"step", "eight", "it holds weights, but no run to resume"},
          Case{"batch", "0", "damaged: its batch is `0`"}, Case{"seed", "-3", "damaged: its seed is `-3`"},
          Case{"split_seed", "x", "damaged: its split_seed is `x`"},
          Case{"epochs", "99999999999999999999", "damaged: its epochs is `99999999999999999999`"},
          Case{"flag.train.rate", "inf", "damaged: its flag.train.rate is `inf`"},
          Case{"flag.train.momentum", "nan", "damaged: its flag.train.momentum is `nan`"}}) {
        INFO(wrong.key << " " << wrong.value);
        place.forge(wrong.key, wrong.value);
        Result result = place.run({"train", "--resume", "--allow-mismatch", "--epochs", "3", "--checkpoint", "forged"});
        CHECK(result.code == 1);
        CHECK(result.err == std::string("forged: error: ") + wrong.message + "\n");
    }
    place.forge("cursor", "8");
    CHECK(place.run({"train", "--resume", "--epochs", "3", "--checkpoint", "forged"}).code == 0);
}

TEST_CASE("a checkpoint without its checksum is damaged") {
    Trained place;
    std::string bytes = read(place.path("c"));
    size_t at = bytes.find("\"checksum\"");
    REQUIRE(at != bytes.npos);
    bytes[at + 1] = 'k';
    place.write("forged", bytes);
    CHECK(place.run({"eval", "--checkpoint", "forged"}).err == "forged: error: damaged: it has no checksum\n");
}

TEST_CASE("a checkpoint is not overwritten without --overwrite") {
    Trained place;
    std::string kept = read(place.path("c"));
    Result chance = place.run({"train", "--epochs", "1", "--checkpoint", "c"});
    CHECK(chance.code == 2);
    CHECK(chance.err == "c: error: this checkpoint exists; --resume continues it, --overwrite starts a new run in its "
                        "place\n");
    CHECK((read(place.path("c")) == kept));
    Result meant = place.run({"train", "--epochs", "1", "--checkpoint", "c", "--overwrite"});
    CHECK(meant.code == 0);
    CHECK(meant.err == "");
    CHECK((read(place.path("c")) != kept));
    CHECK(place.run({"train", "--overwrite"}).err == "error: --overwrite needs --checkpoint FILE\n");
    Result both = place.run({"train", "--checkpoint", "c", "--overwrite", "--resume"});
    CHECK(both.code == 2);
    CHECK(both.err ==
          "error: --resume continues from the checkpoint, --overwrite starts a new run; give one of them\n");
}

TEST_CASE("splits have a seed of their own") {
    Trained place;
    auto exported = [&](std::vector<std::string> words, const char* name) {
        words.insert(words.begin(), {"export", "--output", "e.safetensors"});
        REQUIRE(place.run(words).code == 0);
        SafetensorsFile file;
        Error error;
        REQUIRE(file.open(place.path("e.safetensors"), error));
        const StoredTensor* tensor = file.find(name);
        REQUIRE(tensor);
        return std::string(reinterpret_cast<const char*>(file.numbers(*tensor)), size_t(tensor->end - tensor->begin));
    };
    const char *rows = "test.image", *weights = "net.linear.weight";
    using Words = std::vector<std::string>;
    CHECK((exported({"--seed", "3", "--split-seed", "3"}, rows) == exported({"--seed", "3"}, rows)));
    CHECK((exported({"--seed", "4", "--split-seed", "3"}, rows) == exported({"--seed", "3"}, rows)));
    CHECK((exported({"--seed", "4", "--split-seed", "3"}, weights) == exported({"--seed", "4"}, weights)));
    CHECK((exported({"--seed", "4"}, rows) != exported({"--seed", "3"}, rows)));
    CHECK((exported({"--seed", "4"}, weights) != exported({"--seed", "3"}, weights)));

    Words train{"train", "--batch-size", "8", "--seed", "4", "--split-seed", "3", "--checkpoint", "s", "--quiet"};
    REQUIRE(place.run(train).code == 0);
    CHECK((exported({"--checkpoint", "s"}, rows) == exported({"--seed", "3"}, rows))); // the checkpoint keeps it
    Result other = place.run({"train", "--resume", "--split-seed", "5", "--checkpoint", "s"});
    CHECK(other.code == 2);
    CHECK(other.err == "error: --split-seed 5: the run in s has split seed 3, which cannot change\n");
    CHECK(place.run({"train", "--resume", "--split-seed", "3", "--epochs", "9", "--checkpoint", "s"}).code == 0);
    CHECK(place.run({"info"}).out.find("\n  rows are shuffled into splits by --split-seed (default: --seed)\n") !=
          std::string::npos);
}

TEST_CASE("numbers of flags are checked") {
    Trained place;
    struct Case {
        const char *flag, *value, *message;
    };
    for (const Case& wrong :
         {Case{"--steps", "-5", "`-5` is not an integer in 1..9007199254740992"},
          Case{"--steps", "99999999999999999999", "`99999999999999999999` is not an integer in 1..9007199254740992"},
          Case{"--epochs", "1.5", "`1.5` is not an integer in 0..9007199254740992"},
          Case{"--batch-size", "inf", "`inf` is not an integer in 1..32"},
          Case{"--seed", "-1", "`-1` is not an integer in 0..9007199254740992"},
          Case{"--split-seed", "nan", "`nan` is not an integer in 0..9007199254740992"},
          Case{"--threads", "1025", "`1025` is not an integer in 0..1024"},
          Case{"--save-every", "0", "`0` is not an integer in 1..9007199254740992"},
          Case{"--rate", "inf", "`inf` is not a finite number"},
          Case{"--rate", "-1e999", "`-1e999` is not a finite number"}, Case{"--mu", "nan", "`nan` is not a number"}}) {
        Result result = place.run({"train", "--checkpoint", "n", wrong.flag, wrong.value});
        CHECK(result.code == 2);
        CHECK(result.err == std::string("error: ") + wrong.flag + ": " + wrong.message + "\n");
    }
    for (std::string flag : {"--steps", "--rate", "--checkpoint", "--json", "--data-dir"}) {
        Result result = place.run({"train", flag, ""});
        CHECK(result.code == 2);
        CHECK(result.err.starts_with("error: " + flag + " needs a value: "));
    }
    CHECK_FALSE(std::filesystem::exists(place.path("n")));
}
