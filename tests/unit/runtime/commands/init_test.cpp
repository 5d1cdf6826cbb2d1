// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `train --init`: weights of another file, by name. What starts anew, what is listed, and what is refused.
#include "runtime/base/pattern.h"
#include "runtime/base/safetensors.h"
#include "tests/unit/runtime/workplace.h"
#include <algorithm>
#include <catch2/catch.hpp>

using namespace workplace;

namespace {

struct Place : Folder {
    Place() {
        write_digits(*this, 300);
        REQUIRE(run(*this, {"train", "--epochs", "2", "--checkpoint", "c", "--quiet"}).code == 0);
    }
    std::string train(std::vector<std::string> words, const std::string& kind = "") const {
        words.insert(words.begin(), {"train", "--epochs", "0", "--json", "r", "--quiet"});
        Result result = run(*this, words, kind);
        CHECK(result.err == "");
        CHECK(result.code == 0);
        return json_text(path("r"), "weights_hash");
    }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("patterns of names") {
    using gradc::runtime::any_matches;
    using gradc::runtime::matches;
    CHECK(matches("encoder", "encoder.linear_1.weight"));
    CHECK(matches("encoder", "encoder"));
    CHECK_FALSE(matches("encode", "encoder.linear_1.weight"));
    CHECK_FALSE(matches("encoder", "my.encoder.linear_1.weight"));
    CHECK(matches("encoder.*", "encoder.linear_1.weight"));
    CHECK_FALSE(matches("encoder.*", "encoder"));
    CHECK(matches("*.weight", "a.b.weight"));
    CHECK_FALSE(matches("*.weight", "a.weight.b"));
    CHECK(matches("h.*.attn*.bias", "h.0.attn.h.1.attn.c.bias"));
    CHECK(matches("*", ""));
    CHECK(matches("a**b*", "ab"));
    CHECK_FALSE(matches("*a*a*a*a*a*a*a*a*b", std::string(200, 'a')));
    CHECK(any_matches("a, b.*", "b.c"));
    CHECK_FALSE(any_matches("a, b.*", "c"));
    CHECK(any_matches("", "c"));
}

TEST_CASE("--init takes weights and states; the optimizer and the position start anew") {
    Place place;
    std::string fresh = place.train({});
    std::string taken = place.train({"--init", "c", "--checkpoint", "d"});
    CHECK(taken != fresh);
    gradc::runtime::SafetensorsFile before, after;
    gradc::runtime::Error error;
    REQUIRE((before.open(place.path("c"), error) && after.open(place.path("d"), error)));
    auto same = [&](const char* name) {
        auto *a = before.find(name), *b = after.find(name);
        REQUIRE((a && b));
        return std::equal(before.numbers(*a), before.numbers(*a) + (a->end - a->begin), after.numbers(*b));
    };
    CHECK(same("net.linear.weight"));
    CHECK(same("bias_in_files"));
    CHECK(same("digits.mean"));
    CHECK_FALSE(same("momentum.v/net.linear.bias"));
    CHECK(gradc::runtime::metadata_value(after.metadata(), "step") == "0");
    CHECK(run(place, {"eval", "--checkpoint", "d"}).out == run(place, {"eval", "--checkpoint", "c"}).out);
    CHECK(place.train({"--init", "c", "--only", "net,bias_in_files"}) != fresh);
    CHECK(place.train({"--init", "c", "--only", "digits.*"}) == fresh); // the same data have the same mean
}

TEST_CASE("--init lists the tensors that one side lacks") {
    Place place;
    Result other = run(place, {"train", "--epochs", "1", "--init", "c"}, "_other");
    CHECK(other.code == 0);
    CHECK(has(other.err, "c: note: 3 tensors taken; others are only on one side:\n"
                         "    net.linear.matrix: f32[64, 10] in this trainer, absent in the file\n"
                         "    net.linear.weight: absent in this trainer, f32[64, 10] in the file\n"));
    Result part = run(place, {"train", "--epochs", "1", "--init", "c", "--only", "bias_in_files"}, "_other");
    CHECK(part.err == "c: note: 1 tensor taken\n");
}

TEST_CASE("what --init refuses") {
    Place place;
    auto refused = [&](std::vector<std::string> words, int code, const std::string& kind = "") {
        words.insert(words.begin(), "train");
        Result result = run(place, words, kind);
        CHECK(result.code == code);
        return result.err;
    };
    CHECK(refused({"--init", "none"}, 1) == "none: error: there is no such checkpoint\n");
    CHECK(refused({"--only", "net"}, 2) == "error: --only needs --init FILE\n");
    CHECK(refused({"--init", "c", "--checkpoint", "c", "--resume"}, 2) ==
          "c: error: --resume continues the run in this checkpoint, --init starts a new one; give one of them\n");
    CHECK(refused({"--init", "c", "--only", "bias_in_files,nat"}, 1) ==
          "c: error: no tensor that matches `nat` is both in it and in this trainer; did you mean net?\n");
    CHECK(refused({"--init", "c", "--only", "net.linear.*"}, 1, "_other") ==
          "c: error: no tensor that matches `net.linear.*` is both in it and in this trainer:\n"
          "    net.linear.matrix: f32[64, 10] in this trainer, absent in the file\n"
          "    net.linear.weight: absent in this trainer, f32[64, 10] in the file\n");
    std::string header = R"({"bias_in_files":{"dtype":"F32","shape":[2,5],"data_offsets":[0,40]}})";
    std::string file(8, '\0');
    file[0] = char(header.size());
    place.write("shaped", file + header + std::string(40, '\0'));
    CHECK(refused({"--init", "shaped"}, 1) == "shaped: error: tensors of another shape:\n"
                                              "    bias_in_files: f32[10] in this trainer, f32[2, 5] in the file\n");
    // A new run may resume later: --init counts as long as there is no checkpoint.
    CHECK(run(place, {"train", "--epochs", "1", "--init", "c", "--checkpoint", "e", "--resume", "--quiet"}).code == 0);
}

TEST_CASE("weights in other floating types are converted") {
    Place place;
    std::string header = R"({"bias_in_files":{"dtype":"F16","shape":[10],"data_offsets":[0,20]}})";
    std::string file(8, '\0'), numbers;
    file[0] = char(header.size());
    for (int i = 0; i < 10; i++) numbers += {'\0', char(i % 2 ? 0x3C : 0xC0)}; // 1 and -2
    place.write("half", file + header + numbers);
    REQUIRE(run(place, {"train", "--epochs", "0", "--init", "half", "--checkpoint", "d", "--quiet"}).code == 0);
    gradc::runtime::SafetensorsFile after;
    gradc::runtime::Error error;
    REQUIRE(after.open(place.path("d"), error));
    const auto* bias = reinterpret_cast<const float*>(after.numbers(*after.find("bias_in_files")));
    CHECK(bias[0] == -2);
    CHECK(bias[1] == 1);
    header.replace(header.find("F16"), 3, "I16"); // no dtype that a weight can have
    place.write("short", file + header + numbers);
    CHECK(run(place, {"train", "--init", "short"}).code == 1);
}
