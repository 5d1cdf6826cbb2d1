// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A run that is killed and resumed has the weights of an uninterrupted one.
#include "tests/unit/runtime/workplace.h"
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>

using namespace workplace;

namespace {

std::vector<std::string> words_with(std::vector<std::string> words, std::vector<std::string> more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

std::string uninterrupted(const Folder& place, const std::vector<std::string>& words) {
    Result result = run(place, words_with(words, {"--json", "whole.json"}));
    REQUIRE(result.code == 0);
    return json_text(place.path("whole.json"), "weights_hash");
}

} // namespace

TEST_CASE("a run killed at random instants and resumed has the same bits") {
    Folder place;
    write_digits(place, 300);
    std::vector<std::string> words{"train", "--epochs", "200", "--rate", "0.05", "--quiet"};
    std::string expected = uninterrupted(place, words);
    std::mt19937 random(20240607);
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(12);
    int kills = 0;
    for (int run_number = 0; run_number < 3; run_number++) {
        std::filesystem::remove(place.path("c"));
        std::vector<std::string> resuming =
            words_with(words, {"--checkpoint", "c", "--save-every", "7", "--resume", "--json", "end.json"});
        int wait = 4000;
        Result result;
        do {
            result = run_and_send(place, resuming, SIGKILL, int(random() % unsigned(wait)));
            kills += result.code == 128 + SIGKILL;
            wait += 2000;
            if (std::chrono::steady_clock::now() > deadline) result = run(place, resuming);
        } while (result.code == 128 + SIGKILL);
        INFO(result.err);
        REQUIRE(result.code == 0);
        CHECK(json_text(place.path("end.json"), "weights_hash") == expected);
    }
    CHECK(kills >= 3);
}

TEST_CASE("SIGTERM and SIGINT leave a checkpoint and code 130") {
    Folder place;
    write_digits(place, 300);
    std::vector<std::string> words{"train", "--epochs", "6000", "--quiet"};
    std::string expected = uninterrupted(place, words);
    for (int signal : {SIGINT, SIGTERM}) {
        std::filesystem::remove(place.path("c"));
        Result stopped =
            run_until_written(place, words_with(words, {"--checkpoint", "c", "--save-every", "100"}), "c", signal);
        REQUIRE(stopped.code == 130);
        Result rest = run(place, words_with(words, {"--checkpoint", "c", "--resume", "--json", "end.json"}));
        REQUIRE(rest.code == 0);
        CHECK(json_text(place.path("end.json"), "weights_hash") == expected);
    }
}

TEST_CASE("metrics of a resumed epoch are those of the whole one") {
    Folder place;
    write_digits(place, 300);
    REQUIRE(run(place, {"train", "--epochs", "3", "--json", "whole.json"}).code == 0);
    REQUIRE(run(place, {"train", "--steps", "19", "--checkpoint", "c"}).code == 0); // epochs have 8 steps
    Result rest = run(place, {"train", "--epochs", "3", "--checkpoint", "c", "--resume", "--json", "rest.json"});
    REQUIRE(rest.code == 0);
    CHECK(rest.out.find("resumed from c at step 19 of 24\n") != std::string::npos);
    std::string whole = read(place.path("whole.json")), part = read(place.path("rest.json"));
    CHECK(whole.substr(whole.find("{\"epoch\": 3")) == part.substr(part.find("{\"epoch\": 3")));
}

TEST_CASE("a resumed run reports all of its epochs") {
    Folder place;
    write_digits(place, 300);
    auto epochs = [&](const std::string& path) {
        std::string json = read(place.path(path));
        return json.substr(json.find("\"epochs\": "));
    };
    REQUIRE(run(place, {"train", "--epochs", "5", "--json", "whole.json", "--curves", "whole.svg"}).code == 0);
    for (std::vector<std::string> first : {std::vector<std::string>{"--epochs", "2"}, {"--steps", "19"}}) {
        std::filesystem::remove(place.path("c"));
        REQUIRE(run(place, words_with({"train", "--checkpoint", "c"}, first)).code == 0);
        REQUIRE(run(place, {"train", "--epochs", "5", "--checkpoint", "c", "--resume", "--json", "rest.json",
                            "--curves", "rest.svg"})
                    .code == 0);
        CHECK(epochs("rest.json") == epochs("whole.json"));
        CHECK(read(place.path("rest.svg")) == read(place.path("whole.svg")));
    }
}

TEST_CASE("a resumed run keeps its settings unless flags change them") {
    Folder place;
    write_digits(place, 300);
    std::string expected = uninterrupted(
        place, {"train", "--epochs", "6", "--rate", "0.03", "--seed", "5", "--batch-size", "20", "--quiet"});
    REQUIRE(run(place,
                {"train", "--epochs", "2", "--rate", "0.03", "--seed", "5", "--batch-size", "20", "--checkpoint", "c"})
                .code == 0);
    Result rest = run(place, {"train", "--epochs", "6", "--checkpoint", "c", "--resume", "--json", "end.json"});
    REQUIRE(rest.code == 0);
    CHECK(json_text(place.path("end.json"), "weights_hash") == expected);
    Result seed = run(place, {"train", "--seed", "6", "--checkpoint", "c", "--resume"});
    CHECK(seed.code == 2);
    CHECK(seed.err == "error: --seed 6: the run in c has seed 5, which cannot change\n");
    Result again =
        run(place, {"train", "--checkpoint", "c", "--resume", "--json", "end.json"}); // nothing is left to do
    CHECK(again.code == 0);
    CHECK(json_text(place.path("end.json"), "weights_hash") == expected);
    Result fresh = run(place, {"train", "--checkpoint", "new", "--resume", "--epochs", "1"});
    CHECK(fresh.code == 0);
    CHECK(fresh.err == "note: new does not exist yet; training starts from the beginning\n");
}
