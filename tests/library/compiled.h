// Graphs as compiled for every instruction set of this machine, beside the evaluator. Denormal
// numbers count as zero while compiled f32 code runs, as they do in trainers.
#pragma once
#include "compiler/elaborate/elaborate.h"
#include "compiler/graph/evaluate.h"
#include "compiler/plan/plan.h"
#include "compiler/program/program.h"
#include "compiler/target/engine.h"

namespace gradc::library {

/// A model text elaborated; ends the program, with the diagnostics, when it is wrong.
Elaborated elaborate_text(const std::string& text, Element precision);

const Elaborated::Circuit& model_of(const Elaborated&, const std::string& name);

class Machines {
public:
    /// Optimizes the graphs and compiles all of them into one module. `batch`: most rows of a run.
    Machines(const Elaborated& elaborated, std::vector<NamedGraph> programs, int64_t batch,
             Element precision);

    const std::vector<loop::Isa>& isas() const { return isas_; }
    /// Fields, scalars and variables that the module has, from `environment`.
    void write(const Environment& environment);
    void run(const std::string& program, int64_t row_count, loop::Isa isa);
    std::vector<double> read(const std::string& result, int64_t row_count) const;
    std::vector<double> read_variable(const std::string& path) const;

private:
    std::vector<loop::Isa> isas_;
    bool flush_;
    target::Engine engine_;
};

} // namespace gradc::library
