// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The proofs of the library's functions, each over all entries of its kind. Value and gradient of compiled code, on
// every instruction set and in f32 and f64, are compared with the evaluator; with differences where a function is
// smooth; with the stated derivative at kinks; with NaN outside the domain and for NaN.
#pragma once
#include <map>
#include <string>
#include <vector>

namespace gradc::library {

/// What was found of one entry of the library.
struct Finding {
    double value_error = 0, gradient_error = 0; // worst of compiled f32, relative
    bool differentiated = false, kinked = false;
    int cases = 0;
};

/// Errors of one cause differ in numbers only: the first of them stands for all.
struct Findings {
    std::map<std::string, Finding> of; // by entry

    void error(const std::string& text);
    std::vector<std::string> errors() const; // one line for each cause, in order

private:
    struct Cause {
        std::string key, first;
        size_t count = 0;
    };
    std::vector<Cause> causes_;
};

void prove_scalar_formulas(Findings&);
void prove_row_formulas(Findings&);
void prove_layers(Findings&);
void prove_metrics(Findings&);
void prove_starts(Findings&);
void prove_steps(const std::string& folder, Findings&);
void prove_recorded(const std::string& path, Findings&);
void prove_recorded_layers(const std::string& folder, Findings&);
void prove_augmentation(Findings&);

} // namespace gradc::library
