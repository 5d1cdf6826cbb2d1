// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Old names of calls and arguments become new ones, by the table. Nothing else changes.
#include "dsl/modernize.h"
#include "dsl/other_names.h"
#include "dsl/parser.h"
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gradc;

namespace {

std::string today(const std::string& text) {
    Sources sources;
    Diagnostics diagnostics;
    ast::Module module = parse(sources, sources.add({"main.grad", text}), diagnostics);
    INFO(print(diagnostics, sources));
    REQUIRE(!diagnostics.failed());
    return modernized(module, sources, declared_functions(module));
}

} // namespace

TEST_CASE("each old name is rewritten once") {
    for (const Renamed& each : renamed()) {
        bool function = each.function.empty();
        auto with = [&](const std::string& name, const std::string& value) {
            return function ? fmt::format("fn f(x) = abs({}(x))\n", name)
                            : fmt::format("fn f(x) = {}(x, {}: {})\n", each.function, name, value);
        };
        std::string value = each.value;
        if (size_t at = value.find('_'); at != value.npos) value.replace(at, 1, "(0.5)");
        std::string wanted = with(each.new_name, value.empty() ? "0.5" : value);
        INFO(with(each.old_name, "0.5"));
        CHECK(today(with(each.old_name, "0.5")) == wanted);
        CHECK(today(wanted) == wanted);
    }
}

TEST_CASE("old names are found wherever a call may be") {
    struct Row {
        const char *before, *after;
    };
    for (const Row& row : {
             Row{"train { optimizer accumulate(clip(adam(rate: 1e-3, correct: false), norm: 1), k: 4) }\n",
                 "train { optimizer gradient_accumulation(clip_by_global_norm(adam(learning_rate: 1e-3, "
                 "bias_correction: false), max_norm: 1), steps: 4) }\n"},
             Row{"model m(x: [N, max_pool(C, k: 2)]) { param w = normal(scale: 2);  repeat 2 { x = mean_pool(x, k: "
                 "2) };  return [svm(x), scan t < 3 with h = sample(x) { yield linear(h, 2, biased: false) }][0] }\n",
                 "model m(x: [N, max_pool2d(C, kernel_size: 2)]) { param w = normal(std: 2);  repeat 2 { x = "
                 "avg_pool2d(x, kernel_size: 2) };  return [multiclass_hinge(x), scan t < 3 with h = categorical(x) { "
                 "yield linear(h, 2, bias: false) }][0] }\n"},
             Row{"dataset d { x = reversed(sum(x, keep: true)) }\n",
                 "dataset d { x = flip(sum(x, keepdims: true)) }\n"},
             // another function's `rate`, a name that is no call, and one of the file's own
             Row{"fn g(x, rate) = rate * svm  # clip(x)\n", "fn g(x, rate) = rate * svm  # clip(x)\n"},
             Row{"fn clip(x, norm) = clip_value(x, limit: norm)\nfn h(x) = clip(x, norm: 1)\n",
                 "fn clip(x, norm) = clip_by_value(x, limit: norm)\nfn h(x) = clip(x, norm: 1)\n"},
         })
        CHECK(today(row.before) == row.after);
}
