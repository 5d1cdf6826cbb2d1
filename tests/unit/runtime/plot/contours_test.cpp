// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contours of known heights: circles, edges, saddles, numbers that are not finite, and round levels.
#include "runtime/plot/contours.h"
#include "tests/unit/runtime/plot/path_points.h"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc::runtime;

namespace {

/// Heights on a grid over -1..1, drawn in a box of 200 x 100 at 10, 20.
HeightMap map_of(int64_t columns, int64_t rows, auto height) {
    HeightMap map{{}, columns, {10, 20, 200, 100}};
    for (int64_t i = 0; i < columns * rows; i++)
        map.heights.push_back(
            height(2 * double(i % columns) / double(columns - 1) - 1, 2 * double(i / columns) / double(rows - 1) - 1));
    return map;
}
double right(PathPoint at) { return (at.x - 10) / 100 - 1; }
double up(PathPoint at) { return 1 - (at.y - 20) / 50; }
bool is_closed(const std::vector<PathPoint>& curve) {
    return std::fabs(curve.front().x - curve.back().x) < 1e-6 && std::fabs(curve.front().y - curve.back().y) < 1e-6;
}

} // namespace

TEST_CASE("a contour of x^2 + y^2 is a circle, and higher points lie outside of it") {
    HeightMap map = map_of(41, 31, [](double x, double y) { return x * x + y * y; });
    auto curves = path_points(contour(map, 0.25));
    REQUIRE(curves.size() == 2); // the outline of the region has a hole
    for (const auto& curve : curves) CHECK(is_closed(curve));
    size_t hole = std::fabs(right(curves[0][0])) < 0.9 ? 0 : 1;
    CHECK(curves[hole].size() > 60);
    for (PathPoint point : curves[hole]) CHECK(std::hypot(right(point), up(point)) == Approx(0.5).margin(0.01));
    for (PathPoint point : curves[1 - hole]) CHECK(std::max(std::fabs(right(point)), std::fabs(up(point))) > 1.03);
}

TEST_CASE("a region that reaches the edge goes on beyond it") {
    HeightMap map = map_of(11, 11, [](double x, double) { return x; });
    auto curves = path_points(contour(map, 0.3));
    REQUIRE(curves.size() == 1);
    double farthest = 0, nearest = 9;
    for (PathPoint point : curves[0]) {
        farthest = std::max(farthest, right(point));
        if (std::fabs(up(point)) < 0.95) nearest = std::min(nearest, right(point));
    }
    CHECK(farthest > 1.1);
    CHECK(nearest == Approx(0.3).margin(0.01));
    CHECK(contour(map, 2).empty());
    CHECK(path_points(contour(map, -2)).size() == 1); // all of it
}

TEST_CASE("opposite corners of a cell stay apart, and every region is closed") {
    HeightMap map = map_of(4, 4, [](double x, double y) { return x * y > 0 ? 1 : 0; });
    auto curves = path_points(contour(map, 0.5));
    CHECK(curves.size() == 2);
    for (const auto& curve : curves) CHECK(is_closed(curve));
    HeightMap points = map_of(7, 7, [](double, double) { return 0; });
    for (size_t at : {8, 10, 16, 24, 40}) points.heights[at] = 1; // single nodes, two of them at a corner's distance
    curves = path_points(contour(points, 0.5));
    CHECK(curves.size() == 5);
    for (const auto& curve : curves) CHECK(curve.size() == 5);
}

TEST_CASE("heights that are not finite count as above every level, -inf as below") {
    HeightMap map = map_of(5, 5, [](double, double) { return 1; });
    map.heights[6] = NAN, map.heights[18] = INFINITY, map.heights[16] = -INFINITY;
    std::string path = contour(map, 3);
    CHECK(path_points(path).size() == 2);
    CHECK(path.find("nan") + path.find("inf") == 2 * std::string::npos);
    CHECK(path_points(contour(map, 0)).size() == 2); // all, with a hole
}

TEST_CASE("levels are round, about a dozen, and of equal ratio for positive heights") {
    using Levels = std::vector<double>;
    Levels narrow = round_levels(0.015, 0.9, 14), due{0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7};
    REQUIRE(narrow.size() == due.size());
    for (size_t i = 0; i < due.size(); i++) CHECK(narrow[i] == Approx(due[i]));
    Levels wide = round_levels(1e-3, 2.5e5, 14);
    REQUIRE(wide.size() >= 7);
    CHECK(wide[0] == Approx(1e-2));
    CHECK(wide.back() == Approx(1e5));
    CHECK(round_levels(-1, 1, 14) == Levels{-1, -0.5, 0, 0.5, 1});
    CHECK(round_levels(10, 12, 14).size() >= 4);
    for (double low : {1e-300, 1e-12, 0.5, 3.0}) {
        for (double high : {1.6, 7e3, 1e9, 1e300}) {
            if (high <= low) continue;
            Levels levels = round_levels(low, high, 14);
            CHECK(levels.size() >= 2);
            CHECK(levels.size() <= 14);
            CHECK(std::is_sorted(levels.begin(), levels.end()));
            CHECK(levels.front() >= low);
            CHECK(levels.back() <= high);
        }
    }
}
