// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A training run in double, step by step, twice: by the evaluator and by the compiled step.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/pipeline.h"
#include "compiler/target/engine.h"
#include "dsl/ast.h"

namespace gradc {

/// The text of a file of this folder; fails the test if it cannot be read.
std::string recorded_text(const std::string& name);

/// The optimizers or functions of a file of the library, "std/optimizers.grad", but for private ones.
std::vector<const ast::Function*> library_functions(const ast::Module& module);
ast::Module library_module(const std::string& name);

/// A model file compiled and interpreted, from the same start.
class StepRun {
public:
    /// `text` is a model file with one train block whose data are literals, in batches of two rows.
    /// `compiler`: one that compiles the C++ text in place of LLVM.
    explicit StepRun(const std::string& text, const std::string& compiler = "");

    /// Both runs' next step, the first being 1.
    void step(int number, int steps);

    /// The values of variables, one after another.
    std::vector<double> evaluated(const std::vector<std::string>& paths) const;
    std::vector<double> compiled(const std::vector<std::string>& paths) const;
    const TrainingJob& job() const { return *front_.job; }
    /// The compiled step, and where it stores.
    const loop::Program& program() const { return program_; }
    const std::vector<loop::Buffer>& buffers() const { return buffers_; }

private:
    Front front_;
    std::unordered_map<std::string, Tensor> variables_;
    std::optional<target::Engine> engine_;
    Metadata metadata_;
    loop::Program program_;
    std::vector<loop::Buffer> buffers_;
    loop::Isa isa_ = loop::Isa::baseline;

    Environment environment(int number, int steps) const;
    void write(const Environment& environment);
};

} // namespace gradc
