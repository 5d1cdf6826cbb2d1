// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Graphs compiled for every instruction set of this machine, to compare with the evaluator. Denormal numbers count as
// zero while compiled f32 code runs, as in trainers.
#pragma once
#include "compiler/graph/evaluate.h"
#include "compiler/plan/plan.h"
#include "compiler/program/program.h"
#include "compiler/target/engine.h"
#include "compiler/training/job.h"

namespace gradc::library {

/// A model text elaborated; ends the program, with the diagnostics, when it is wrong.
TrainingJob elaborate_text(const std::string& text, Dtype precision);

const TrainingJob::Circuit& model_of(const TrainingJob&, const std::string& name);

/// One way to run programs: by LLVM for an instruction set, or by the C++ text.
struct Way {
    std::string name; // "avx2", "C++"
    size_t engine;
    loop::Isa isa;
};

class Machines {
public:
    /// Optimizes the graphs and compiles all of them into one module. `batch`: most rows of a run.
    /// `with_text`: the C++ text as well, where a compiler is found.
    Machines(const TrainingJob& job, std::vector<NamedGraph> programs, int64_t batch, Dtype precision,
             bool with_text = false);

    const std::vector<Way>& ways() const { return ways_; }
    /// In place of the trainers' mode at this precision.
    void flush_denormals(bool flush) { flush_ = flush; }
    /// Fields, scalars and variables that the module has, from `environment`, for all ways.
    void write(const Environment& environment);
    void run(const std::string& program, int64_t row_count, const Way& way);
    /// Results and variables of the way that ran last.
    std::vector<double> read(const std::string& result, int64_t row_count) const;
    std::vector<double> read_variable(const std::string& path) const;
    /// The memory of a field and of a result in the only engine, for tests of millions of numbers.
    unsigned char* field(const std::string& name) const { return place(name, GRADC_FIELD); }
    unsigned char* result(const std::string& name) const { return place(name, GRADC_RESULT); }

private:
    unsigned char* place(const std::string& name, gradc_role role) const;

    std::vector<Way> ways_;
    bool flush_;
    std::vector<target::Engine> engines_;
    size_t last_ = 0;
};

} // namespace gradc::library
