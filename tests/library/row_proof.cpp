// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of a row of four numbers (and another row, and an index): softmax and functions made of it, losses of
// classes. The derivative is that of the results weighted by z.
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "tests/library/formulas.h"
#include "tests/library/points.h"
#include "tests/library/prove_formulas.h"
#include <cmath>
#include <fmt/format.h>

namespace gradc::library {

namespace {

constexpr int width = 4;

struct Subject {
    const RowFormula* formula;
    std::string program;
    Graph graph; // outputs: value, by v, and by u where it depends on u
    Environment environment;
    std::vector<Tensor> exact;
    bool list = false; // a row of results, not one
};

void add_row(Environment& environment, const std::vector<double>& v, int i, Drawn& drawn) {
    auto& fields = environment.fields;
    fields["v"].values.insert(fields["v"].values.end(), v.begin(), v.end());
    fields["i"].values.push_back(i);
    for (int k = 0; k < width; ++k) {
        fields["u"].values.push_back(drawn.number(Points::unit));
        fields["z"].values.push_back(drawn.number(Points::unit));
    }
    fields["z1"].values.push_back(1);
    ++environment.rows;
}

Environment rows_of(const RowFormula& formula) {
    Environment environment;
    environment.rows = 0;
    Drawn drawn(9);
    for (const RowKink& kink : formula.kinks) add_row(environment, kink.v, kink.i, drawn);
    const double inf = INFINITY;
    const std::vector<double> special[] = {{0, 0, 0, 0},
                                           {1, 1, 0, 0},
                                           {0.25, 0.5, 0.125, 0.125},
                                           {100, -100, 0, 0},
                                           {-100, -100, -100, -100},
                                           {100, 100, 100, 100},
                                           {0, 1, 0, 0},
                                           {inf, 0, 0, 0},
                                           {-inf, 0, 1, 0.5},
                                           {-inf, -inf, -inf, -inf},
                                           {inf, inf, 0, 1},
                                           {NAN, 0, 0, 0},
                                           {0, NAN, 1, 0},
                                           {NAN, NAN, NAN, NAN},
                                           {-0.25, 1.25, 0.5, 0.5},
                                           {20, 0.5, 0.25, 0},
                                           {1e-30, 1, 1, 0.0625}};
    for (auto v : special)
        for (int i : {0, 1, 3}) {
            for (double& number : v) number = double(float(number));
            add_row(environment, v, i, drawn);
        }
    for (int row = 0; row < 60; ++row) {
        std::vector<double> v;
        for (int k = 0; k < width; ++k) v.push_back(drawn.number(formula.v));
        add_row(environment, v, drawn.below(width), drawn);
    }
    for (auto& [name, tensor] : environment.fields) {
        tensor.shape = {environment.rows};
        if (int64_t(tensor.values.size()) != environment.rows) tensor.shape.push_back(width);
    }
    return environment;
}

Subject subject_of(const RowFormula& formula, size_t number, const TrainingJob& job) {
    const TrainingJob::Circuit& model = model_of(job, fmt::format("r{}", number));
    Subject subject{&formula, model.model, model.graph, rows_of(formula), {}};
    Graph& graph = subject.graph;
    NodeId value = model.graph.outputs[0].node;
    subject.list = graph.type(value).rank() == 2;
    NodeId weight =
        graph.add(Op::input, graph.type(value), {}, Input{Input::Source::field, subject.list ? "z" : "z1", 0, -1});
    NodeId total = build::elementwise(graph, Primitive::multiply, {value, weight});
    std::vector<int> axes = {0};
    if (subject.list) axes.push_back(1);
    std::vector<NodeId> wrt = {field(graph, "v"), field(graph, "u")};
    if (wrt[1] == NodeId::none) wrt.pop_back();
    auto derivatives = gradient(graph, build::sum(graph, total, axes), wrt, *job.rules);
    std::vector<Output> outputs = {{subject.program + " value", value}};
    for (size_t i = 0; i < derivatives.size(); ++i)
        if (derivatives[i] != NodeId::none)
            outputs.push_back({fmt::format("{} d{}", subject.program, "vu"[i]), derivatives[i]});
    graph = extract(graph, outputs);
    subject.exact = evaluate(graph, subject.environment);
    return subject;
}

class RowProof {
public:
    RowProof(const Subject& subject, Findings& findings)
        : subject_(subject), formula_(*subject.formula), findings_(findings),
          v_(subject.environment.fields.at("v").values) {}

    void mathematics() {
        int64_t count = subject_.environment.rows;
        for (int64_t row = 0; row < count; ++row) domain(row);
        for (int k = 0; k < width; ++k) slopes(k);
        for (size_t i = 0; i < formula_.kinks.size(); ++i)
            for (int k = 0; k < width; ++k)
                if (slope(int64_t(i), k) != formula_.kinks[i].gradient[size_t(k)])
                    error(int64_t(i), fmt::format("the derivative by entry {} is {}, stated is {}", k,
                                                  slope(int64_t(i), k), formula_.kinks[i].gradient[size_t(k)]));
    }

    void compiled(const Machines& machines, Dtype precision, const std::string& isa, Finding& worst) {
        bool single = precision == Dtype::f32;
        double bound = single ? formula_.bound : 1e-12;
        for (size_t output = 0; output < subject_.exact.size(); ++output) {
            auto found = machines.read(subject_.graph.outputs[output].name, subject_.environment.rows);
            const auto& wanted = subject_.exact[output].values;
            size_t each = wanted.size() / size_t(subject_.environment.rows);
            for (size_t i = 0; i < found.size(); ++i) {
                int64_t row = int64_t(i / each);
                double distance = compiled_error(found[i], wanted[i], scale(row, output), single);
                double& most = output == 0 ? worst.value_error : worst.gradient_error;
                if (single && distance > most) most = distance;
                if (!(distance <= bound))
                    error(row, fmt::format("output {} of compiled {} on {} is {:.9g}, the evaluator's {:.9g}", output,
                                           name(precision), isa, found[i], wanted[i]));
            }
        }
    }

private:
    const Subject& subject_;
    const RowFormula& formula_;
    Findings& findings_;
    const std::vector<double>& v_;

    int index(int64_t row) const { return int(subject_.environment.fields.at("i").values[size_t(row)]); }
    double slope(int64_t row, int k) const { return subject_.exact[1].values[size_t(row * width + k)]; }
    bool finite(int64_t row) const {
        for (int k = 0; k < width; ++k)
            if (!std::isfinite(v_[size_t(row * width + k)])) return false;
        return true;
    }
    bool outside(int64_t row) const {
        return formula_.outside && formula_.outside(&v_[size_t(row * width)], index(row));
    }

    void error(int64_t row, const std::string& text) {
        const double* v = &v_[size_t(row * width)];
        findings_.error(fmt::format("{} at v = [{}, {}, {}, {}], i = {}: {}", formula_.formula, v[0], v[1], v[2], v[3],
                                    index(row), text));
    }

    double largest(int64_t row, const std::vector<double>& values) const {
        size_t each = values.size() / size_t(subject_.environment.rows);
        double most = 0;
        for (size_t k = 0; k < each; ++k)
            if (double size = std::fabs(values[size_t(row) * each + k]); std::isfinite(size))
                most = std::max(most, size);
        return most;
    }

    void domain(int64_t row) {
        bool all_nan = true;
        for (int k = 0; k < width; ++k) all_nan = all_nan && std::isnan(v_[size_t(row * width + k)]);
        const auto& values = subject_.exact[0].values;
        size_t each = values.size() / size_t(subject_.environment.rows);
        for (size_t k = 0; k < each; ++k) {
            double value = values[size_t(row) * each + k];
            if ((all_nan || outside(row)) && !std::isnan(value))
                error(row, fmt::format("the value is {}, not NaN", value));
            if (finite(row) && !outside(row) && std::isnan(value)) error(row, "the value is NaN inside of the domain");
        }
    }

    /// Results weighted by z and summed in each row, with entry k of v moved.
    std::vector<double> moved(int k, double step) const {
        Environment environment = subject_.environment;
        auto& v = environment.fields.at("v").values;
        for (int64_t row = 0; row < environment.rows; ++row) v[size_t(row * width + k)] += step;
        auto values = evaluate(extract(subject_.graph, {subject_.graph.outputs[0]}), environment)[0].values;
        const auto& z = environment.fields.at(subject_.list ? "z" : "z1").values;
        std::vector<double> sums(size_t(environment.rows), 0.0);
        size_t each = values.size() / sums.size();
        for (size_t i = 0; i < values.size(); ++i) sums[i / each] += values[i] * z[i];
        return sums;
    }

    void slopes(int k) {
        const double h = 1e-4;
        auto far_down = moved(k, -2 * h), down = moved(k, -h), up = moved(k, h), far_up = moved(k, 2 * h);
        for (int64_t row = int64_t(formula_.kinks.size()); row < subject_.environment.rows; ++row) {
            size_t r = size_t(row);
            if (!finite(row) || outside(row) || kink(row)) continue;
            double difference = (8 * (up[r] - down[r]) - (far_up[r] - far_down[r])) / (12 * h);
            if (!std::isfinite(difference)) continue; // at the border of the domain
            double size = std::max({1.0, largest(row, subject_.exact[1].values), std::fabs(up[r])});
            if (!(std::fabs(difference - slope(row, k)) <= 1e-6 * size))
                error(row, fmt::format("the derivative by entry {} is {:.12g}, by differences {:.12g}", k,
                                       slope(row, k), difference));
        }
    }

    /// A row of special numbers that is like one of the stated kinks: entries of it differ from the
    /// index's by a margin.
    bool kink(int64_t row) const {
        if (formula_.kinks.empty()) return false;
        const double* v = &v_[size_t(row * width)];
        const RowKink& stated = formula_.kinks[0];
        double margin = stated.v[size_t(stated.i)] - stated.v[1];
        for (int k = 0; k < width; ++k)
            if (k != index(row) && std::fabs(margin + v[k] - v[index(row)]) < 1e-3) return true;
        return false;
    }

    double scale(int64_t row, size_t output) const {
        double own = largest(row, subject_.exact[output].values);
        if (output > 0)
            return std::max(own, largest(row, subject_.environment.fields.at(subject_.list ? "z" : "z1").values));
        return subject_.list ? own : std::max(own, largest(row, v_));
    }
};

} // namespace

void prove_row_formulas(Findings& findings) {
    auto formulas = row_formulas();
    std::string text;
    for (size_t i = 0; i < formulas.size(); ++i) text += row_model(formulas[i], fmt::format("r{}", i));
    prove_formulas<RowProof>(formulas, text, subject_of, false, findings);
}

} // namespace gradc::library
