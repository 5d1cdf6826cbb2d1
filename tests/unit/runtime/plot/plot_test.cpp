// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pictures: round ticks, valid XML, the cells and borders of known functions.
#include "runtime/plot/curves.h"
#include "runtime/plot/drawing.h"
#include "runtime/plot/grid.h"
#include "runtime/plot/images.h"
#include "tests/unit/runtime/plot/path_points.h"
#include <catch2/catch.hpp>
#include <cmath>

using namespace gradc::runtime;

namespace {

size_t count_of(const std::string& text, std::string_view part) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) count++;
    return count;
}

/// Every element ends where it should, and no number is missing.
void check_svg(const std::string& svg) {
    std::vector<std::string> open;
    size_t at = 0;
    while ((at = svg.find('<', at)) != std::string::npos) {
        size_t end = svg.find('>', at);
        REQUIRE(end != std::string::npos);
        std::string tag = svg.substr(at + 1, end - at - 1);
        CHECK(count_of(tag, "\"") % 2 == 0);
        if (tag[0] == '/') {
            REQUIRE_FALSE(open.empty());
            CHECK(open.back() == tag.substr(1));
            open.pop_back();
        } else if (tag.back() != '/') {
            open.push_back(tag.substr(0, tag.find(' ')));
        }
        at = end;
    }
    CHECK(open.empty());
    CHECK(count_of(svg, "nan") + count_of(svg, "inf") == 0);
    CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
}

GridView plane(int64_t side) {
    GridView view;
    view.side = side;
    view.x_low = view.y_low = -1;
    return view;
}

} // namespace

TEST_CASE("texts in a picture are escaped for XML") {
    CHECK(gradc::runtime::xml_escaped("a < b & \"c\"\x1b\n\xff\u202e") ==
          "a &lt; b &amp; &quot;c&quot;\\x1b\\n\\xff\\u202e");
}

TEST_CASE("axes have ticks at round numbers") {
    CHECK(round_axis(0.13, 0.87).ticks == std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
    CHECK(round_axis(-3, 12).ticks == std::vector<double>{-5, 0, 5, 10, 15});
    PlotAxis tight = tight_axis(-1.08, 0.97);
    CHECK(tight.low == -1.08);
    CHECK(tight.ticks == std::vector<double>{-1, -0.5, 0, 0.5});
    CHECK(tight.share(tight.high) == 1);
    CHECK(tight_axis(1, 3, true).ticks == std::vector<double>{1, 2, 3});
    CHECK(tight_axis(1, 40, true).ticks == std::vector<double>{10, 20, 30, 40});
    PlotAxis flat = round_axis(5, 5);
    CHECK((flat.low < 5 && flat.high > 5));
    for (double size : {1e-200, 1e-7, 1., 3e12, 1e200}) {
        INFO(size);
        PlotAxis axis = round_axis(0, size);
        CHECK((axis.high >= size * (1 - 1e-8) && axis.high <= 1.6 * size));
        CHECK((axis.ticks.size() >= 4 && axis.ticks.size() <= 10));
    }
    CHECK(tick_label(0.6000000000000001) == "0.6");
    CHECK(tick_label(-1e-5) == "\u22121e-05");
}

TEST_CASE("a logarithmic axis has equal distances between powers of ten") {
    PlotAxis axis = logarithmic_axis(0.02, 7);
    CHECK(axis.low == 0.01);
    CHECK(axis.high == 10);
    for (double value : {0.01, 0.02, 0.1, 0.5, 3., 10.})
        CHECK(axis.share(value) == Approx(std::log10(value / 0.01) / 3).margin(1e-6));
    CHECK(logarithmic_axis(1, 10).ticks == std::vector<double>{1, 2, 5, 10});
    CHECK(logarithmic_axis(1e-30, 1).ticks.size() <= 9);
}

TEST_CASE("cells become runs along a row") {
    std::string paths = cell_paths({0, 0, 1, -1, 1, 1}, 3, {{255, 0, 0}, {0, 0, 255}});
    CHECK(paths == "<path fill=\"#ff0000\" d=\"M0 0h2v1h-2z\"/>\n"
                   "<path fill=\"#0000ff\" d=\"M2 0h1v1h-1zM1 1h2v1h-2z\"/>\n");
}

TEST_CASE("curves have a panel for each metric and a line for each split") {
    std::vector<EpochReport> epochs;
    for (int64_t e = 1; e <= 3; e++) {
        double value = e == 2 ? NAN : 1.0 / double(e);
        epochs.push_back({e,
                          8 * e,
                          {{"train", {{"loss", {}, {value}}, {"confusion", {2}, {1, 2}}}},
                           {"test", {{"loss", {}, {2 * value}}, {"f<1", {}, {0.5}}}}}});
    }
    std::string svg = draw_curves("a & b", epochs);
    check_svg(svg);
    CHECK(count_of(svg, ">loss</text>") == 1);
    CHECK(count_of(svg, ">f&lt;1</text>") == 1);
    CHECK(count_of(svg, "confusion") == 0);
    CHECK(count_of(svg, ">a &amp; b</text>") == 1);
    CHECK(count_of(svg, "stroke-linejoin") == 4); // two panels, two splits
    CHECK(count_of(svg, ">0.3333</text>") == 1);  // the end of the line
    check_svg(draw_curves("none", {}));
    std::vector<EpochReport> again;
    JsonWriter json;
    write_epochs(json, epochs);
    REQUIRE(read_epochs(json.text(), again));
    CHECK(draw_curves("a & b", again) == svg);
    JsonWriter twice;
    write_epochs(twice, again);
    CHECK(twice.text() == json.text());
    CHECK(again[0].splits[0].metrics[1].shape == std::vector<int64_t>{2});
    for (const char* bad :
         {"", "{}", "[1]", "[{\"epoch\": 1}]", "[{\"epoch\": 1, \"step\": 1}", "[{\"epoch\": 1e300, \"step\": 1}]",
          "[{\"epoch\": 1, \"step\": 1, \"train\": {\"m\": [[1, 2], [3]]}}]"}) {
        CHECK_FALSE(read_epochs(bad, again));
        CHECK(again.empty());
    }
}

TEST_CASE("the border between two classes is where the probability is a half") {
    GridView view = plane(40);
    for (int64_t i = 0; i < 1600; i++) {
        double x = view.x_at(i % 40), y = view.y_at(i / 40);
        view.values.push_back(1 / (1 + std::exp(-20 * (0.25 - x * x - y * y)))); // a disc
    }
    view.dots_x = {0, 0.9}, view.dots_y = {0, 0.9}, view.labels = {1, 0};
    std::string svg = draw_regions(view);
    check_svg(svg);
    CHECK(count_of(svg, "stroke-width=\"1.4\"") == 1);
    size_t path = svg.rfind("<path", svg.find("stroke-width=\"1.4\""));
    size_t begin = svg.find('M', path), crossings = 0;
    for (const auto& curve : path_points(svg.substr(begin, svg.find('"', begin) - begin))) {
        for (PathPoint point : curve) {
            // the box is 460 wide from 64, 60
            double right = (point.x - 64) / 230 - 1, up = 1 - (point.y - 60) / 230;
            CHECK(std::hypot(right, up) == Approx(0.5).margin(0.01));
            crossings++;
        }
    }
    CHECK(crossings > 70);
    CHECK(count_of(svg, "<circle") == 4); // two dots, two classes
}

TEST_CASE("scores, classes and heights are distinguished") {
    GridView scores = plane(8), classes = plane(8), heights = plane(8);
    scores.width = 3;
    classes.integer = true;
    for (int64_t i = 0; i < 64; i++) {
        double x = scores.x_at(i % 8), y = scores.y_at(i / 8);
        scores.values.insert(scores.values.end(), {x, y, -x - y});
        classes.values.push_back(x > 0 ? 2 : 0);
        heights.values.push_back(10 * x);
    }
    for (GridView* view : {&scores, &classes, &heights}) check_svg(draw_regions(*view));
    CHECK(count_of(draw_regions(scores), "stroke-width=\"1.4\"") == 3);
    CHECK(count_of(draw_regions(classes), "<circle") == 3); // a legend for each class
    CHECK(count_of(draw_regions(heights), "<circle") == 0);
    heights.values[5] = NAN;
    check_svg(draw_regions(heights));
    for (double& value : heights.values) value = 0.5; // neither a probability nor of any range
    heights.heights = true;
    check_svg(draw_regions(heights));
    CHECK(count_of(draw_regions(heights), "class") == 0);
}

TEST_CASE("a model of one input is drawn as lines within the range of the data") {
    GridView view;
    view.side = 50;
    view.width = 2;
    view.names = {"flat", "steep"};
    for (int64_t i = 0; i < 50; i++) view.values.insert(view.values.end(), {0.5, 1e6 * view.x_at(i)});
    view.dots_x = {0, 1}, view.labels = {0, 1};
    std::string svg = draw_lines(view);
    check_svg(svg);
    CHECK(count_of(svg, ">steep</text>") == 1);
    CHECK(count_of(svg, "stroke-linejoin") == 1); // of the group
    CHECK(count_of(svg, "<circle") == 4);
}

TEST_CASE("images are drawn below their inputs") {
    ImageRows images{2, 2, {0, 1, 1, 0, 0.5, 0.5, 0.5, 0.5}}, none{2, 2, {}};
    std::string single = draw_images("x", images, none), pairs = draw_images("x", images, images);
    check_svg(single);
    check_svg(pairs);
    CHECK(count_of(single, "<g ") == 2);
    CHECK(count_of(pairs, "<g ") == 4);
}
