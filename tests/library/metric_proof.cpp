// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Metrics over batches of several sizes, in passes as trainers run them, are equal to the formula over all rows at
// once, and that is equal to a count by hand. All but the marked ones need one pass, so that they also run during
// training.
#include "compiler/dataset/whole_split.h"
#include "tests/library/compiled.h"
#include "tests/library/points.h"
#include "tests/library/proof.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>

namespace gradc::library {

namespace {

constexpr int64_t all_rows = 23;
constexpr int classes = 4;

/// 23 rows: scores of four classes with ties, a label, a score with a truth, a number with another
/// far from 0.
struct Data {
    std::vector<double> v, label, score, truth, y, far;

    Data() {
        Drawn drawn(4);
        for (int64_t n = 0; n < all_rows; ++n) {
            for (int c = 0; c < classes; ++c) v.push_back(0.5 * drawn.below(6));
            label.push_back(n < classes ? double(n) : drawn.below(classes)); // each class has rows and is taken
            v[size_t(n * classes + (n < classes ? n : 0))] += n < classes ? 4 : 0;
            truth.push_back(drawn.below(2));
            score.push_back(drawn.number(Points::real));
            y.push_back(double(float(2000 + drawn.number(Points::unit))));
            far.push_back(double(float(2000 + drawn.number(Points::unit))));
        }
    }

    const double* row(int64_t n) const { return &v[size_t(n) * classes]; }
    int taken(int64_t n) const { return int(std::max_element(row(n), row(n) + classes) - row(n)); }
    int rank(int64_t n) const { // number of classes with a higher score than the label
        int before = 0, own = int(label[size_t(n)]);
        for (int c = 0; c < classes; ++c) before += row(n)[c] > row(n)[own] || (row(n)[c] == row(n)[own] && c < own);
        return before;
    }
    template <class F> double share(F f) const {
        double sum = 0;
        for (int64_t n = 0; n < all_rows; ++n) sum += f(size_t(n));
        return sum / double(all_rows);
    }
    std::vector<double> matrix() const {
        std::vector<double> m(classes * classes, 0.0);
        for (int64_t n = 0; n < all_rows; ++n) ++m[size_t(int(label[size_t(n)]) * classes + taken(n))];
        return m;
    }

    Environment rows(int64_t from, int64_t to) const {
        Environment e;
        e.rows = to - from;
        auto part = [&](const std::vector<double>& all, int64_t each) {
            Shape shape = {to - from};
            if (each > 1) shape.push_back(each);
            return Tensor{shape, {all.begin() + from * each, all.begin() + to * each}};
        };
        e.fields = {{"v", part(v, classes)}, {"i", part(label, 1)}, {"x", part(score, 1)},
                    {"b", part(truth, 1)},   {"y", part(y, 1)},     {"t", part(far, 1)}};
        return e;
    }
};

struct MetricFormula {
    const char *entry, *formula;
    std::function<std::vector<double>(const Data&)> by_hand;
    double bound = 1e-12; // counts are exact
    bool two_passes = false;
    const char* spoiled = ""; // the field whose NaN makes it NaN
};

double sum_of(const std::vector<double>& values) {
    double sum = 0;
    for (double value : values) sum += value;
    return sum;
}

double squares_about_mean(const std::vector<double>& values) {
    double mean = sum_of(values) / double(values.size()), sum = 0;
    for (double value : values) sum += (value - mean) * (value - mean);
    return sum;
}

double hits(const Data& d) {
    return d.share([&](size_t n) { return d.score[n] > 0 && d.truth[n] == 1; }) * double(all_rows);
}
double positives(const Data& d) {
    return d.share([&](size_t n) { return d.score[n] > 0; }) * double(all_rows);
}

double surprise(const Data& d) {
    return d.share([&](size_t n) {
        double sum = 0;
        for (int c = 0; c < classes; ++c) sum += std::exp(d.row(int64_t(n))[c]);
        return std::log(sum) - d.row(int64_t(n))[int(d.label[n])];
    });
}

/// For each class: its place on the diagonal over a mix of its column's and its row's sum.
std::vector<double> of_classes(const Data& d, double column, double row) {
    auto m = d.matrix();
    std::vector<double> result;
    for (int c = 0; c < classes; ++c) {
        double taken = 0, there = 0;
        for (int k = 0; k < classes; ++k) taken += m[size_t(k * classes + c)], there += m[size_t(c * classes + k)];
        result.push_back(m[size_t(c * classes + c)] / (column * taken + row * there));
    }
    return result;
}

std::vector<MetricFormula> metric_formulas() {
    using Values = std::vector<double>;
    const double n = double(all_rows);
    return {
        {"argmax", "sum(argmax(v))",
         [=](const Data& d) { return Values{n * d.share([&](size_t r) { return d.taken(int64_t(r)); })}; }},
        {"one_hot", "sum(one_hot(i, 4), axis: 0)",
         [](const Data& d) {
             Values counts(classes, 0.0);
             for (double label : d.label) ++counts[size_t(label)];
             return counts;
         }},
        {"accuracy", "accuracy(v, i)",
         [](const Data& d) {
             return Values{d.share([&](size_t r) { return d.taken(int64_t(r)) == int(d.label[r]); })};
         },
         1e-12, false, "v"},
        {"top_k_accuracy", "top_k_accuracy(v, i, 2)",
         [](const Data& d) { return Values{d.share([&](size_t r) { return d.rank(int64_t(r)) < 2; })}; }, 1e-12, false,
         "v"},
        {"top_k_accuracy", "top_k_accuracy(v, i, 1)",
         [](const Data& d) {
             return Values{d.share([&](size_t r) { return d.taken(int64_t(r)) == int(d.label[r]); })};
         },
         1e-12, false, "v"},
        {"mse", "mse(y, t)",
         [](const Data& d) {
             return Values{d.share([&](size_t r) { return (d.y[r] - d.far[r]) * (d.y[r] - d.far[r]); })};
         },
         1e-6, false, "y"},
        {"mae", "mae(y, t)",
         [](const Data& d) { return Values{d.share([&](size_t r) { return std::fabs(d.y[r] - d.far[r]); })}; }, 1e-6,
         false, "y"},
        {"r2", "r2(y, t)",
         [=](const Data& d) {
             double rest = n * d.share([&](size_t r) { return (d.y[r] - d.far[r]) * (d.y[r] - d.far[r]); });
             return Values{1 - rest / squares_about_mean(d.far)};
         },
         1e-7, false, "y"},
        {"perplexity", "perplexity(v, i)", [](const Data& d) { return Values{std::exp(surprise(d))}; }, 1e-6, false,
         "v"},
        {"confusion_matrix", "confusion_matrix(v, i)", [](const Data& d) { return d.matrix(); }, 1e-12, false, "v"},
        {"precision", "precision(x, b)", [](const Data& d) { return Values{hits(d) / positives(d)}; }, 1e-12, false,
         "x"},
        {"recall", "recall(x, b)", [](const Data& d) { return Values{hits(d) / sum_of(d.truth)}; }, 1e-12, false, "x"},
        {"f1", "f1(x, b)", [](const Data& d) { return Values{2 * hits(d) / (positives(d) + sum_of(d.truth))}; }, 1e-12,
         false, "x"},
        {"class_precision", "class_precision(v, i)", [](const Data& d) { return of_classes(d, 1, 0); }, 1e-12, false,
         "v"},
        {"class_recall", "class_recall(v, i)", [](const Data& d) { return of_classes(d, 0, 1); }, 1e-12, false, "v"},
        {"class_f1", "class_f1(v, i)", [](const Data& d) { return of_classes(d, 0.5, 0.5); }, 1e-12, false, "v"},
        {"variance", "variance(y)", [=](const Data& d) { return Values{squares_about_mean(d.y) / n}; }, 1e-3, true,
         "y"},
        {"std", "std(y)", [=](const Data& d) { return Values{std::sqrt(squares_about_mean(d.y) / n)}; }, 1e-3, true,
         "y"},
    };
}

struct Subject {
    const MetricFormula* formula;
    Graph integer;
    SplitFormulas split;
    std::vector<std::string> passes;
    std::string finish;
};

Subject subject_of(const MetricFormula& formula, size_t number, TrainingJob& job, Findings& findings) {
    const Graph& graph = model_of(job, fmt::format("m{}", number)).graph;
    WholeSplitRequest request{
        fmt::format("m{}", number), {}, {{fmt::format("m{} result", number), graph.outputs[0].node}}, false, 0};
    Subject subject{&formula, graph, split_formulas(graph, request), {}, request.prefix + ".finish"};
    for (const SplitProblem& problem : subject.split.problems)
        findings.error(fmt::format("{} is no formula of a whole split: {}", formula.formula, problem.reason));
    if ((subject.split.split.passes.size() > 1) != formula.two_passes)
        findings.error(fmt::format("{} takes {} passes", formula.formula, subject.split.split.passes.size()));
    for (size_t i = 0; i < subject.split.split.passes.size(); ++i)
        subject.passes.push_back(fmt::format("{}.{}", request.prefix, i));
    for (const Variable& variable : subject.split.accumulators) job.variables.push_back(variable);
    return subject;
}

/// What a trainer does: accumulators from zero, each pass over all batches, finish once.
std::vector<double> over_batches(Machines& machines, const Subject& subject, const Data& data, int64_t batch,
                                 const Way& way) {
    Environment zero;
    for (const Variable& variable : subject.split.accumulators)
        zero.variables[variable.path] = {variable.type.shape,
                                         std::vector<double>(size_t(count(variable.type.shape, 1)), 0.0)};
    machines.write(zero);
    for (const std::string& pass : subject.passes)
        for (int64_t from = 0; from < all_rows; from += batch) {
            Environment rows = data.rows(from, std::min(all_rows, from + batch));
            machines.write(rows);
            machines.run(pass, rows.rows, way);
        }
    machines.run(subject.finish, 1, way);
    return machines.read(subject.split.split.finish.outputs[0].name, 1);
}

double worst_error(const std::vector<double>& found, const std::vector<double>& wanted) {
    double worst = found.size() == wanted.size() ? 0 : INFINITY;
    for (size_t i = 0; i < std::min(found.size(), wanted.size()); ++i)
        worst = std::max(worst, compiled_error(found[i], wanted[i], std::fabs(wanted[i]), false));
    return worst;
}

void prove_subject(const Subject& subject, Machines& machines, Dtype precision, Findings& findings) {
    const MetricFormula& formula = *subject.formula;
    Finding& finding = findings.of[formula.entry];
    Data data;
    auto wanted = formula.by_hand(data);
    if (worst_error(evaluate(subject.integer, data.rows(0, all_rows))[0].values, wanted) >
        std::max(1e-9, formula.bound))
        findings.error(fmt::format("{} is not what is counted by hand", formula.formula));
    for (const Way& way : machines.ways())
        for (int64_t batch : {int64_t(1), int64_t(5), all_rows}) {
            double error = worst_error(over_batches(machines, subject, data, batch, way), wanted);
            if (precision == Dtype::f32) finding.value_error = std::max(finding.value_error, error);
            if (!(error <= (precision == Dtype::f32 ? formula.bound : 1e-7)))
                findings.error(fmt::format("{} in batches of {} as compiled {} on {} is off by {:.2g}", formula.formula,
                                           batch, name(precision), way.name, error));
        }
    std::vector<double> Data::* spoiled = nullptr;
    for (auto [field, member] : {std::pair{"v", &Data::v}, {"x", &Data::score}, {"y", &Data::y}})
        if (std::string(field) == formula.spoiled) spoiled = member;
    if (!spoiled) return;
    (data.*spoiled)[5] = NAN;
    for (double value : over_batches(machines, subject, data, 5, machines.ways().back()))
        if (!std::isnan(value)) findings.error(fmt::format("{} with a NaN is {}", formula.formula, value));
}

} // namespace

void prove_metrics(Findings& findings) {
    auto formulas = metric_formulas();
    for (Dtype precision : {Dtype::f32, Dtype::f64}) {
        std::string text;
        for (size_t i = 0; i < formulas.size(); ++i)
            text += fmt::format("model m{}(v: f32[N, 4], i: int[N] < 4, x: f32[N], b: int[N] < 2, "
                                "y: f32[N], t: f32[N]) {{ return {} }}\n",
                                i, formulas[i].formula);
        TrainingJob job = elaborate_text(text, precision);
        std::vector<Subject> subjects;
        std::vector<NamedGraph> programs;
        for (size_t i = 0; i < formulas.size(); ++i) subjects.push_back(subject_of(formulas[i], i, job, findings));
        for (const Subject& subject : subjects) {
            for (size_t i = 0; i < subject.passes.size(); ++i)
                programs.push_back({subject.passes[i], subject.split.split.passes[i]});
            programs.push_back({subject.finish, subject.split.split.finish});
        }
        Machines machines(job, programs, all_rows, precision);
        for (const Subject& subject : subjects) {
            ++findings.of[subject.formula->entry].cases;
            prove_subject(subject, machines, precision, findings);
        }
    }
}

} // namespace gradc::library
