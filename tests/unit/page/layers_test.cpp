// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Boxes of random graphs do not overlap. Inputs are above their readers in the forward lane and below them in the
// backward lane. The same graph has the same layout.
#include "compiler/page/layers.h"
#include <catch2/catch.hpp>
#include <random>

using namespace gradc;

namespace {

LayeredDrawing random_drawing(uint64_t seed) {
    std::mt19937_64 random(seed);
    LayeredDrawing drawing;
    size_t count = 1 + random() % 60;
    for (size_t i = 0; i < count; ++i) {
        LayeredBox box;
        box.lane = i < count / 2 ? Lane::forward : i < count * 4 / 5 ? Lane::backward : Lane::update;
        box.width = 40 + double(random() % 160);
        box.height = 40;
        drawing.boxes.push_back(box);
        for (size_t edges = random() % 3; edges > 0 && i > 0; --edges)
            drawing.edges.push_back({random() % i, i, {}, false});
    }
    lay_out(drawing);
    return drawing;
}

bool apart(const LayeredBox& a, const LayeredBox& b) {
    constexpr double touching = 1e-6;
    return a.x + a.width <= b.x + touching || b.x + b.width <= a.x + touching || a.y + a.height <= b.y + touching ||
           b.y + b.height <= a.y + touching;
}

} // namespace

TEST_CASE("boxes stand apart and inside the drawing") {
    for (uint64_t seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        LayeredDrawing drawing = random_drawing(seed);
        for (size_t i = 0; i < drawing.boxes.size(); ++i) {
            const LayeredBox& box = drawing.boxes[i];
            REQUIRE(box.x >= 0);
            REQUIRE(box.y >= 0);
            REQUIRE(box.x + box.width <= drawing.width);
            REQUIRE(box.y + box.height <= drawing.height);
            for (size_t k = 0; k < i; ++k) REQUIRE(apart(box, drawing.boxes[k]));
        }
    }
}

TEST_CASE("edges go down in the forward lane and up in the backward lane") {
    for (uint64_t seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        LayeredDrawing drawing = random_drawing(seed);
        for (const LayeredEdge& edge : drawing.edges) {
            const LayeredBox &from = drawing.boxes[edge.from], &to = drawing.boxes[edge.to];
            REQUIRE(edge.across == (from.lane != to.lane));
            if (edge.across || from.lane == Lane::update) continue;
            REQUIRE((from.lane == Lane::forward ? from.y < to.y : from.y > to.y));
            REQUIRE(edge.bends.size() >= 2);
        }
    }
}

TEST_CASE("the same graph has the same layout") {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        LayeredDrawing a = random_drawing(seed), b = random_drawing(seed);
        for (size_t i = 0; i < a.boxes.size(); ++i) {
            CHECK(a.boxes[i].x == b.boxes[i].x);
            CHECK(a.boxes[i].y == b.boxes[i].y);
        }
    }
}
