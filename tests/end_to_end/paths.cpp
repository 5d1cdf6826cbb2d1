// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gradc trajectories: where two numbers go, told and drawn; what it refuses.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>

using namespace end_to_end;

namespace {

const char* bowl = R"(
model bowl() -> f32 { param a = 1;  param b = 2;  return a^2 / 2 + b^2 }
train down { steps 3;  loss bowl();  optimizer sgd(learning_rate: 0.1) }
train up_and_up { steps 3;  loss bowl();  optimizer sgd(learning_rate: 1.5) }
)";

Outcome paths(const Scratch& scratch, const std::string& arguments) {
    return run(quoted(gradc) + " trajectories " + arguments, {.folder = scratch.path().string(), .limit = 120});
}

size_t times(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

} // namespace

TEST_CASE("paths end where the formulas say", "[paths]") {
    Scratch scratch;
    scratch.write("bowl.grad", bowl);
    Outcome outcome = paths(scratch, "bowl.grad --svg bowl.svg");
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(outcome.out == "down: lower after 3 steps, at a 0.729, b 1.024\n"
                         "up_and_up: not lower after 3 steps, at a -0.125, b -16\n"
                         "bowl.svg\n");
    std::string picture = scratch.read("bowl.svg");
    CHECK(picture.rfind("<svg", 0) == 0);
    CHECK(picture.find("</svg>") == picture.size() - 7);
    CHECK(times(picture, "href=\"#ground\"") == 2);
    CHECK(times(picture, ">sgd(learning_rate: 1.5)<") == 1);
    CHECK(times(picture, "nan") == 0);
    REQUIRE(paths(scratch, "bowl.grad --svg again.svg").code == 0);
    CHECK((scratch.read("again.svg") == picture));
    Outcome longer = paths(scratch, "bowl.grad --svg bowl.svg --steps 2000");
    CHECK(longer.code == 0);
    CHECK(times(longer.out, "down: lower after 2000 steps") == 1);
    CHECK(times(longer.out, "up_and_up: not lower after") == 1); // ends where a number is infinite
    CHECK(times(scratch.read("bowl.svg"), "inf") == 0);
}

TEST_CASE("check asks for the gradients of a loss once", "[paths]") {
    Scratch scratch;
    scratch.write("bowl.grad", std::string(bowl) + "train other { steps 3;  loss 2 * bowl();  optimizer sgd() }\n");
    Outcome outcome = run(quoted(gradc) + " check bowl.grad", {.folder = scratch.path().string(), .limit = 120});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(times(outcome.out, "up_and_up: the loss of down, already checked") == 1);
    CHECK(times(outcome.out, "already checked") == 1);
    CHECK(times(outcome.out, "other = ") == 1);
    CHECK(times(outcome.out, "bowl.a ") == 3); // the model by itself is asked too
}

TEST_CASE("a path beside another takes fewer rows a step", "[paths]") {
    Scratch scratch;
    scratch.write("line.grad", R"(
dataset points { x: f32 = [1, 2, 3, 4];  y: f32 = [2, 4, 6, 8] }
model net(x: f32[N]) -> f32[N] { param a = 0;  param b = 0;  return a * x + b }
train { data points;  batch all;  epochs 5;  order file;  loss mean((net(x) - y)^2);  optimizer sgd(learning_rate: 0.01) }
)");
    Outcome outcome = paths(scratch, "line.grad --svg line.svg --beside 1");
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(times(outcome.out, "train, all 4 rows per step: lower after 5 steps") == 1);
    CHECK(times(outcome.out, "train, 1 row per step: lower after 5 steps") == 1);
    CHECK(times(scratch.read("line.svg"), "1 row per step") == 1);
}

TEST_CASE("a legend of one panel lies within the picture and names what is drawn", "[paths]") {
    Scratch scratch;
    auto model = [](const std::string& loss) {
        return "dataset points { x: f32 = [1, 2, 3, 4] }\n"
               "model net(x: f32[N]) -> f32[N] { param a = 1;  param b = 1;  return a * x + b }\n"
               "train { data points;  batch all;  epochs 400;  order file;  loss " +
               loss + ";  optimizer sgd(learning_rate: 0.05) }\n";
    };
    scratch.write("bowl.grad", model("mean((net(x) - x)^2)"));
    scratch.write("slope.grad", model("mean(net(x))")); // lowest in a corner of what is seen
    for (std::string name : {"bowl", "slope"}) {
        INFO(name);
        Outcome outcome = paths(scratch, name + ".grad --svg p.svg --beside 1");
        INFO(outcome.out << outcome.err);
        REQUIRE(outcome.code == 0);
        std::string picture = scratch.read("p.svg");
        double width = std::stod(picture.substr(picture.find("width=\"") + 7));
        for (std::string words : {"all 4 rows per step", "1 row per step", "start", "lowest loss"}) {
            size_t end = picture.find(">" + words + "</text>");
            if (words == "lowest loss" && name == "slope") {
                CHECK(end == std::string::npos);
                continue;
            }
            REQUIRE(end != std::string::npos);
            double x = std::stod(picture.substr(picture.rfind("x=\"", end) + 3));
            CHECK(x + 7 * double(words.size()) <= width);
        }
        CHECK(times(picture, "h10M") == (name == "bowl" ? 2 : 0)); // the cross: in the legend and on the ground
    }
}

TEST_CASE("paths refuses what lies in no plane", "[paths]") {
    Scratch scratch;
    struct Case {
        const char* text;
        const char* told;
    };
    for (const Case& each : {Case{"model m() -> f32 { param a = 1;  return a }\n", "no train block"},
                             Case{"model m() -> f32 { param a = 1;  return a^2 }\ntrain { steps 1;  loss m();  "
                                  "optimizer sgd() }\n",
                                  "the same two scalar parameters"},
                             Case{"model m() -> f32 { param a: [2] = 1;  param b = 1;  return sum(a^2) + b^2 }\n"
                                  "train { steps 1;  loss m();  optimizer sgd() }\n",
                                  "the same two scalar parameters"}}) {
        INFO(each.text);
        scratch.write("m.grad", each.text);
        Outcome outcome = paths(scratch, "m.grad --svg m.svg");
        CHECK(outcome.code == 1);
        CHECK(times(outcome.err, each.told) == 1);
        CHECK(!std::filesystem::exists(scratch.path() / "m.svg"));
    }
    scratch.write("bowl.grad", bowl);
    CHECK(paths(scratch, "bowl.grad --svg absent/bowl.svg").code == 1);
    CHECK(paths(scratch, "bowl.grad").code == 2);
    CHECK(paths(scratch, "bowl.grad --svg x.svg --beside 0").code == 2);
}
