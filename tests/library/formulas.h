// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The calls of the library's functions that work on one row, and their properties: kinks with the derivative there, and
// the domain. Rows are scalars `x[n]`, `t[n]` or lists `v[n, :]`, `u[n, :]` of four with an index `i[n]`.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace gradc::library {

/// A place where a function of x (and t) has no derivative: where `gap` is 0.
struct Kink {
    std::function<double(double x, double t)> gap;
    std::function<double(double x, double t)> derivative; // the one by x that is taken there
};

/// Drawn and special values of an argument: any number, any up to 0, around [0, 1], or finite as
/// labels are.
enum class Points { real, below, unit, label };

struct ScalarFormula {
    std::string entry, formula;
    std::vector<Kink> kinks = {};
    std::function<bool(double x, double t)> outside = {}; // no value there: NaN
    Points x = Points::real, t = Points::real;
    bool jumps = false;  // constant between jumps: its derivative is 0 everywhere
    double bound = 1e-6; // relative error of compiled f32
    double least = 0;    // results below it may be made of denormal numbers
};

/// Gradient by v that is taken at a kink.
struct RowKink {
    std::vector<double> v;
    int i;
    std::vector<double> gradient;
};

struct RowFormula {
    std::string entry, formula;
    Points v = Points::real;
    std::vector<RowKink> kinks = {};
    std::function<bool(const double* v, int i)> outside = {};
    double bound = 1e-6;
};

/// A model of this name that is the formula for each row.
std::string scalar_model(const ScalarFormula&, const std::string& name);
std::string row_model(const RowFormula&, const std::string& name);

inline bool is_kinked(const ScalarFormula& formula) { return formula.jumps || !formula.kinks.empty(); }
inline bool is_kinked(const RowFormula& formula) { return !formula.kinks.empty(); }

std::vector<ScalarFormula> scalar_formulas();
std::vector<RowFormula> row_formulas();

} // namespace gradc::library
