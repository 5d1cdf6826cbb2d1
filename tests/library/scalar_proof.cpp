// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of one or two numbers: all are programs of one module, and each runs once over all points. The derivative
// by x (and t) is that of the sum over rows, so it is each row's own.
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "tests/library/formulas.h"
#include "tests/library/points.h"
#include "tests/library/prove_formulas.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc::library {

namespace {

struct Subject {
    const ScalarFormula* formula;
    std::string program;
    Graph graph;               // outputs: value, dx, and dt where it depends on t
    Environment environment;   // the points
    std::vector<Tensor> exact; // of the outputs, in double
    bool takes_t = false;
};

struct Point {
    double x, t;
};

std::vector<Point> points_of(const ScalarFormula& formula, bool takes_t) {
    std::vector<Point> points;
    std::vector<double> some = takes_t ? special_numbers(formula.t) : std::vector<double>{0};
    for (double t : some)
        for (double x : special_numbers(formula.x)) points.push_back({x, t});
    Drawn drawn(5);
    for (int i = 0; i < 160; ++i) points.push_back({drawn.number(formula.x), takes_t ? drawn.number(formula.t) : 0});
    return points;
}

Tensor column(const std::vector<Point>& points, double Point::* member) {
    Tensor tensor{{int64_t(points.size())}, {}};
    for (const Point& point : points) tensor.values.push_back(point.*member);
    return tensor;
}

Subject subject_of(const ScalarFormula& formula, size_t number, const TrainingJob& job) {
    const TrainingJob::Circuit& model = model_of(job, fmt::format("f{}", number));
    Subject subject{&formula, model.model, model.graph, {}, {}};
    Graph& graph = subject.graph;
    NodeId value = model.graph.outputs[0].node;
    std::vector<NodeId> wrt = {field(graph, "x"), field(graph, "t")};
    subject.takes_t = wrt[1] != NodeId::none;
    if (!subject.takes_t) wrt.pop_back();
    auto derivatives = gradient(graph, build::sum(graph, value, {0}), wrt, *job.rules);
    std::vector<Output> outputs = {{subject.program + " value", value}};
    NodeId none = build::constant(graph, 0, graph.type(value).dtype, {rows});
    for (size_t i = 0; i < derivatives.size(); ++i)
        outputs.push_back(
            {fmt::format("{} d{}", subject.program, "xt"[i]), derivatives[i] == NodeId::none ? none : derivatives[i]});
    graph = extract(graph, outputs);
    std::vector<Point> points = points_of(formula, subject.takes_t);
    subject.environment.rows = int64_t(points.size());
    subject.environment.fields["x"] = column(points, &Point::x);
    subject.environment.fields["t"] = column(points, &Point::t);
    subject.exact = evaluate(graph, subject.environment);
    return subject;
}

/// Checks of one subject, point by point.
class ScalarProof {
public:
    ScalarProof(const Subject& subject, Findings& findings)
        : subject_(subject), formula_(*subject.formula), findings_(findings),
          x_(subject.environment.fields.at("x").values), t_(subject.environment.fields.at("t").values) {}

    /// Differences of the evaluator's value against its derivative; kinks; the domain.
    void mathematics() {
        kinks_met_.assign(formula_.kinks.size(), false);
        std::vector<std::vector<double>> moved;
        for (double steps : {-2.0, -1.0, 1.0, 2.0, -fine, fine}) moved.push_back(values_at(steps));
        for (size_t i = 0; i < x_.size(); ++i) {
            domain(i);
            if (std::isfinite(x_[i]) && std::isfinite(t_[i]) && !outside(i)) slope(i, moved);
        }
        for (size_t k = 0; k < kinks_met_.size(); ++k)
            if (!kinks_met_[k]) error(0, fmt::format("kink {} lies at none of the points", k + 1));
    }

    /// Compiled numbers against the evaluator's.
    void compiled(const Machines& machines, Dtype precision, const std::string& isa, Finding& worst) {
        bool single = precision == Dtype::f32;
        double bound = single ? formula_.bound : 1e-11;
        for (size_t output = 0; output < subject_.exact.size(); ++output) {
            auto found = machines.read(subject_.graph.outputs[output].name, subject_.environment.rows);
            for (size_t i = 0; i < found.size(); ++i) {
                double wanted = subject_.exact[output].values[i];
                double distance = compiled_error(found[i], wanted, scale(i, output), single);
                if (std::fabs(wanted) < formula_.least && std::fabs(found[i]) < formula_.least) distance = 0;
                double& most = output == 0 ? worst.value_error : worst.gradient_error;
                if (single && distance > most) most = distance;
                if (!(distance <= bound))
                    error(i, fmt::format("{} of compiled {} on {} is {:.9g}, the evaluator's {:.9g}",
                                         output == 0   ? "value"
                                         : output == 1 ? "d/dx"
                                                       : "d/dt",
                                         name(precision), isa, found[i], wanted));
            }
        }
    }

private:
    const Subject& subject_;
    const ScalarFormula& formula_;
    Findings& findings_;
    const std::vector<double>&x_, &t_;
    std::vector<bool> kinks_met_;

    static constexpr double fine = 1.0 / 256;

    double step(size_t i) const { return 1e-4 * std::max(1.0, std::fabs(x_[i])); }
    bool outside(size_t i) const { return formula_.outside && formula_.outside(x_[i], t_[i]); }
    double value(size_t i) const { return subject_.exact[0].values[i]; }
    double slope(size_t i) const { return subject_.exact[1].values[i]; }

    void error(size_t i, const std::string& text) {
        findings_.error(subject_.takes_t
                            ? fmt::format("{} at x = {:.9g}, t = {:.9g}: {}", formula_.formula, x_[i], t_[i], text)
                            : fmt::format("{} at x = {:.9g}: {}", formula_.formula, x_[i], text));
    }

    std::vector<double> values_at(double steps) const {
        Environment moved = subject_.environment;
        auto& x = moved.fields.at("x").values;
        for (size_t i = 0; i < x.size(); ++i) x[i] += steps * step(i);
        return evaluate(extract(subject_.graph, {subject_.graph.outputs[0]}), moved)[0].values;
    }

    void domain(size_t i) {
        bool unknown = std::isnan(x_[i]) || (subject_.takes_t && std::isnan(t_[i]));
        bool none = outside(i);
        if ((none || unknown) && !std::isnan(value(i))) error(i, fmt::format("the value is {}, not NaN", value(i)));
        if (!none && std::isfinite(x_[i]) && std::isfinite(t_[i]) && std::isnan(value(i)) && !formula_.kinks.size())
            if (formula_.entry != "divide") error(i, "the value is NaN inside of the domain");
    }

    /// True if point i is at a kink, or so near that a difference crosses it.
    bool kink(size_t i) {
        for (size_t k = 0; k < formula_.kinks.size(); ++k) {
            double gap = formula_.kinks[k].gap(x_[i], t_[i]);
            if (std::fabs(gap) > 3 * step(i) * std::max(1.0, std::fabs(t_[i]))) continue;
            if (gap != 0) return true;
            kinks_met_[k] = true;
            double stated = formula_.kinks[k].derivative(x_[i], t_[i]);
            if (!(std::fabs(slope(i) - stated) <= 1e-12 * std::fabs(stated)))
                error(i, fmt::format("the derivative is {}, stated is {}", slope(i), stated));
            return true;
        }
        return false;
    }

    void slope(size_t i, const std::vector<std::vector<double>>& moved) {
        if (formula_.jumps) {
            if (slope(i) != 0) error(i, fmt::format("the derivative is {}, not 0", slope(i)));
            return;
        }
        if (kink(i)) return;
        bool inside = true;
        for (const auto& values : moved) inside = inside && std::isfinite(values[i]);
        if (!inside || !std::isfinite(value(i))) return; // at the border of the domain
        double h = step(i), size = std::max({std::fabs(slope(i)), std::fabs(value(i)), std::fabs(moved[0][i]), 1e-300});
        double wide = (8 * (moved[2][i] - moved[1][i]) - (moved[3][i] - moved[0][i])) / (12 * h);
        double narrow = (moved[5][i] - moved[4][i]) / (2 * fine * h); // where curvature changes within the wide step
        double right = (moved[5][i] - value(i)) / (fine * h), left = (value(i) - moved[4][i]) / (fine * h);
        double jump = std::fabs(right - left), wide_jump = std::fabs(moved[2][i] + moved[1][i] - 2 * value(i)) / h;
        if (jump > 1e-2 * size && jump > wide_jump / 16) // a smooth function's would be a 256th
            error(i, fmt::format("a kink that is not stated: {} and {}", left, right));
        if (!(std::fabs(wide - slope(i)) <= 1e-6 * size) && !(std::fabs(narrow - slope(i)) <= 1e-5 * size))
            error(i, fmt::format("the derivative is {:.12g}, by differences {:.12g}", slope(i), wide));
    }

    /// What an error is measured by. A function of one number: its value, and for the derivative
    /// that or value / x. Of two: also how much it moves when they move by a unit in the last
    /// place.
    double scale(size_t i, size_t output) const {
        double own = std::fabs(subject_.exact[output].values[i]);
        if (subject_.takes_t) {
            double moves = std::fabs(x_[i] * slope(i)) + std::fabs(t_[i] * subject_.exact[2].values[i]);
            double all = std::max(
                {own, output ? std::fabs(slope(i)) : moves, output ? std::fabs(subject_.exact[2].values[i]) : 0.0});
            return std::isfinite(all) ? all : own;
        }
        if (output == 0) return own;
        double by_value = x_[i] == 0 ? 0 : std::fabs(value(i) / x_[i]);
        return std::isfinite(by_value) ? std::max(own, by_value) : own;
    }
};

} // namespace

void prove_scalar_formulas(Findings& findings) {
    auto formulas = scalar_formulas();
    std::string text;
    for (size_t i = 0; i < formulas.size(); ++i) text += scalar_model(formulas[i], fmt::format("f{}", i));
    prove_formulas<ScalarProof>(formulas, text, subject_of, true, findings);
}

} // namespace gradc::library
