// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Models as text in tests: elaborated, evaluated on random rows, their gradients compared with central differences.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/training/job.h"
#include <memory>

namespace gradc {

/// Files by name; "main.grad" is the model file.
struct MemoryReader : SourceReader {
    std::map<std::string, std::string> files;
    std::optional<std::string> read(const std::string& path, std::string& reason) override {
        auto found = files.find(path);
        if (found != files.end()) return found->second;
        reason = "no such file";
        return {};
    }
};

struct ModelText {
    Sources sources;
    Diagnostics diagnostics;
    MemoryReader reader;
    std::optional<TrainingJob> job;

    explicit ModelText(const std::string& text, Options options = {}, std::map<std::string, std::string> files = {});
    std::string errors() const { return print(diagnostics, sources); }
    /// The model of this name: of a file without train blocks, with fields for its parameters.
    const TrainingJob::Circuit& model(const std::string& name) const;
};

/// Fields drawn within their type, weights as they start (moved a little off special points if
/// `noise`).
Environment draw(const ModelText& text, const Graph& graph, int64_t rows, double noise = 0.01, uint64_t seed = 1);

/// Largest difference of the symbolic gradient of a model's weighted results from central
/// differences, over the largest entry, for every parameter and floating field. -1: no gradient
/// anywhere.
double gradient_error(const ModelText& text, const std::string& model, int64_t rows = 3, uint64_t seed = 1);

/// Values of the model's first result.
Tensor value_of(const ModelText& text, const std::string& model, const Environment& environment);

} // namespace gradc
