// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The page of `gradc inspect --html`: valid, complete, and without outside resources.
#include "tests/end_to_end/session.h"
#include <catch2/catch.hpp>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

using namespace end_to_end;

namespace {

struct Tag {
    std::string name;
    std::map<std::string, std::string> attributes;
    bool opens = false, closes = false;
};

/// Tags in order; style and script are passed over. Text must hold no bare < or >.
std::vector<Tag> tags_of(const std::string& page) {
    std::vector<Tag> tags;
    static const std::regex attribute("([a-zA-Z-]+)=\"([^\"]*)\"");
    for (size_t at = page.find('<'); at != page.npos;) {
        size_t end = page.find('>', at);
        REQUIRE(end != page.npos);
        std::string inside = page.substr(at + 1, end - at - 1);
        REQUIRE(!contains(inside, "<"));
        at = page.find('<', end);
        if (inside[0] == '!') continue;
        Tag tag;
        tag.closes = inside[0] == '/' || inside.back() == '/';
        tag.opens = inside[0] != '/';
        std::istringstream(inside.substr(inside[0] == '/')) >> tag.name;
        if (tag.name.back() == '/') tag.name.pop_back();
        for (std::sregex_iterator each(inside.begin(), inside.end(), attribute), last; each != last; ++each)
            tag.attributes[(*each)[1]] = (*each)[2];
        tags.push_back(tag);
        if (tag.opens && (tag.name == "style" || tag.name == "script")) {
            size_t stop = page.find("</" + tag.name + ">", end);
            REQUIRE(stop != page.npos);
            at = stop;
        }
    }
    return tags;
}

void require_balanced(const std::vector<Tag>& tags) {
    std::vector<std::string> open;
    for (const Tag& tag : tags) {
        if (tag.opens) open.push_back(tag.name);
        if (!tag.closes) continue;
        REQUIRE(!open.empty());
        REQUIRE(open.back() == tag.name);
        open.pop_back();
    }
    REQUIRE(open.empty());
}

/// Ids are unique and every link leads to one, both ways.
void require_linked(const std::vector<Tag>& tags) {
    std::map<std::string, std::set<std::string>> links;
    std::set<std::string> ids;
    for (const Tag& tag : tags) {
        auto id = tag.attributes.find("id");
        if (id == tag.attributes.end()) continue;
        INFO(id->second);
        REQUIRE(ids.insert(id->second).second);
        auto to = tag.attributes.find("data-to");
        if (to == tag.attributes.end()) continue;
        REQUIRE(tag.attributes.at("tabindex") == "0");
        std::istringstream words(to->second);
        for (std::string word; words >> word;) links[id->second].insert(word);
    }
    int count = 0;
    for (const auto& [from, targets] : links)
        for (const std::string& to : targets) {
            INFO(from << " to " << to);
            REQUIRE(ids.count(to));
            ++count;
        }
    CHECK(count > 20);
    for (const Tag& tag : tags)
        if (auto ends = tag.attributes.find("data-ends"); ends != tag.attributes.end()) {
            std::istringstream words(ends->second);
            for (std::string word; words >> word;) REQUIRE(ids.count(word));
        }
}

double numeric(const Tag& tag, const char* name) { return std::stod(tag.attributes.at(name)); }

/// Boxes of one graph, and blocks of one arena, do not overlap.
void require_apart(const std::vector<Tag>& tags) {
    std::vector<std::vector<double>> placed;
    int compared = 0;
    for (const Tag& tag : tags) {
        if (tag.name == "svg" && tag.opens) placed.clear();
        if (tag.name != "rect" || !tag.opens) continue;
        double x = numeric(tag, "x"), y = numeric(tag, "y"), w = numeric(tag, "width"), h = numeric(tag, "height");
        REQUIRE(w > 0);
        REQUIRE(h > 0);
        for (const auto& other : placed) {
            INFO(x << " " << y << " beside " << other[0] << " " << other[1]);
            bool apart =
                x >= other[2] - 0.11 || other[0] >= x + w - 0.11 || y >= other[3] - 0.11 || other[1] >= y + h - 0.11;
            REQUIRE(apart);
            ++compared;
        }
        placed.push_back({x, y, x + w, y + h});
    }
    CHECK(compared > 0);
}

void require_good(const std::string& page) {
    std::vector<Tag> tags = tags_of(page);
    require_balanced(tags);
    require_linked(tags);
    require_apart(tags);
    for (const char* outside : {"http:", "https:", "src=", "@import", "url("}) {
        INFO(outside);
        CHECK(!contains(page, outside));
    }
}

} // namespace

TEST_CASE("the page is well-formed and has every kernel and parameter", "[page]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    Outcome made = run(end_to_end::quoted(gradc) + " inspect m.grad --html page.html --isa avx2", launch);
    REQUIRE(made.code == 0);
    CHECK(made.out == "");
    std::string page = scratch.read("page.html");
    require_good(page);
    for (const char* name : {"W1", "b1", "W2", "b2", "m(W1)", "dL/dW1", "dL/dz1", "linear(tanh(linear(x, 8)), 1)"}) {
        INFO(name);
        CHECK(contains(page, name));
    }
    std::string plan = run(end_to_end::quoted(gradc) + " inspect m.grad --emit=plan", launch).out;
    plan = plan.substr(plan.find("program train.step"));
    plan = plan.substr(0, plan.find("\nprogram ", 10));
    int kernels = 0;
    static const std::regex kernel("(nest|product|scatter) [A-Za-z_0-9]+ over");
    for (std::sregex_iterator each(plan.begin(), plan.end(), kernel), last; each != last; ++each) ++kernels;
    CHECK(kernels > 0);
    int shown = 0;
    for (size_t at = page.find("class=\"part kernel\""); at != page.npos;
         at = page.find("class=\"part kernel\"", at + 1))
        ++shown;
    CHECK(shown == kernels);
    CHECK(run(end_to_end::quoted(gradc) + " inspect m.grad --html page.html --isa avx2", launch).code == 0);
    CHECK((scratch.read("page.html") == page));
}

TEST_CASE("a page of circuits and loops", "[page]") {
    Scratch scratch;
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    for (const char* example : {"circuits", "rnn_scan", "linear_collapse"}) {
        INFO(example);
        std::string model = tree + "/examples/" + example + "/model.grad";
        REQUIRE(run(end_to_end::quoted(gradc) + " inspect " + end_to_end::quoted(model) + " --html page.html", launch)
                    .code == 0);
        require_good(scratch.read("page.html"));
    }
}

TEST_CASE("a page that cannot be written leaves the old file", "[page]") {
    Scratch scratch;
    scratch.write("m.grad", small_model);
    Launch launch{.folder = scratch.path().string(), .limit = 120};
    CHECK(run(end_to_end::quoted(gradc) + " inspect m.grad --html m.grad", launch).code == 1);
    CHECK(scratch.read("m.grad") == small_model);
    CHECK(run(end_to_end::quoted(gradc) + " inspect m.grad --html nowhere/page.html", launch).code == 1);
    CHECK(run(end_to_end::quoted(gradc) + " inspect m.grad --html page.html --emit=plan", launch).code == 2);
}
