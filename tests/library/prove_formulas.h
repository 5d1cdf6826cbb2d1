// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The common proof of all formulas of one kind. Each formula is a model, all models are programs of one module, and
// each program runs on its points in f32 and f64.
#pragma once
#include "tests/library/compiled.h"
#include "tests/library/proof.h"

namespace gradc::library {

/// `text` has the model of each formula; `subject_of(formula, number, elaborated)` gives a program with its points, and
/// `Proof` checks it: `mathematics()` by the evaluator, `compiled(..)` by one way of compiling.
/// `with_text`: as C++ text too.
template <class Proof, class Formula, class SubjectOf>
void prove_formulas(const std::vector<Formula>& formulas, const std::string& text, SubjectOf subject_of, bool with_text,
                    Findings& findings) {
    for (Dtype precision : {Dtype::f32, Dtype::f64}) {
        TrainingJob job = elaborate_text(text, precision);
        std::vector<decltype(subject_of(formulas[0], 0, job))> subjects;
        std::vector<NamedGraph> programs;
        int64_t most = 1;
        for (size_t i = 0; i < formulas.size(); ++i) {
            subjects.push_back(subject_of(formulas[i], i, job));
            programs.push_back({subjects[i].program, subjects[i].graph});
            most = std::max(most, subjects[i].environment.rows);
        }
        Machines machines(job, programs, most, precision, with_text);
        for (const auto& subject : subjects) {
            Finding& finding = findings.of[subject.formula->entry];
            Proof proof(subject, findings);
            if (precision == Dtype::f32) proof.mathematics();
            finding.cases += precision == Dtype::f32;
            finding.differentiated = true;
            finding.kinked = finding.kinked || is_kinked(*subject.formula);
            for (const Way& way : machines.ways()) {
                machines.write(subject.environment);
                machines.run(subject.program, subject.environment.rows, way);
                proof.compiled(machines, precision, way.name, finding);
            }
        }
    }
}

} // namespace gradc::library
