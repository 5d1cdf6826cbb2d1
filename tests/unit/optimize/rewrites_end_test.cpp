// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rules whose results match again end in an error that names one of them, after a bounded number of rewrites.
#include "compiler/graph/pattern.h"
#include "compiler/optimize/passes.h"
#include "compiler/training/job.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {

struct NoFiles : SourceReader {
    std::optional<std::string> read(const std::string&, std::string&) override { return {}; }
};

/// The error of the pass over the model `m` of a text, "" if there is none; `rewrites` counts.
std::string error_of(const std::string& text, int64_t& rewrites, size_t& nodes) {
    Sources sources;
    NoFiles reader;
    Diagnostics diagnostics;
    auto job = elaborate(sources, sources.add({"main.grad", text}), reader, {}, diagnostics);
    INFO(print(diagnostics, sources));
    REQUIRE(job);
    PassContext context;
    context.rules = job->pattern_rules.get();
    rewrites = 0;
    context.applied = [&](const PatternRule&, const Graph&, NodeId, NodeId) { ++rewrites; };
    const Graph& graph = job->models.at(0).graph;
    nodes = graph.size();
    try {
        apply_identities(graph, context);
    } catch (const UserError& error) {
        return print(error.diagnostic, *error.sources);
    }
    return "";
}

const std::string model = "model m(x: f32[N, 2], y: f32[N, 2]) { return tanh(x + y) * x }\n";

} // namespace

TEST_CASE("rewrites are counted, and an endless rule is an error") {
    int64_t rewrites = 0;
    size_t nodes = 0;
    for (const char* rule : {"rule exact a + b -> (a + b) + 0 * a\n",
                             "rule fast a + b -> (a - b) + 2 * b\nrule fast a - b -> (a + b) - 2 * b\n"}) {
        std::string told = error_of(rule + model, rewrites, nodes);
        INFO(told);
        CHECK((told.starts_with("main.grad:1:") || told.starts_with("main.grad:2:")));
        CHECK(told.find("do not end") != std::string::npos);
        CHECK(told.find("| rule ") != std::string::npos);
        CHECK(rewrites == 1000 + 16 * int64_t(nodes));
    }
    CHECK(error_of("rule fast tanh(a) -> a\n" + model, rewrites, nodes) == "");
    CHECK(rewrites >= 1);
    CHECK(error_of(model, rewrites, nodes) == "");
}
