// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activations and losses compared with another system: values and derivatives that PyTorch computed (record_values.py).
// This finds a wrong constant or sign in the formula itself.
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "tests/library/compiled.h"
#include "tests/library/entries.h"
#include "tests/library/formulas.h"
#include "tests/library/points.h"
#include "tests/library/proof.h"
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sstream>

namespace gradc::library {

namespace {

using Numbers = std::vector<double>;

std::map<std::string, std::vector<Numbers>> read_lines(const std::string& path) {
    std::map<std::string, std::vector<Numbers>> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        size_t bar = line.find(" | ");
        if (bar == line.npos) continue;
        std::istringstream rest(line.substr(bar + 3));
        Numbers numbers;
        for (double number; rest >> number;) numbers.push_back(number);
        lines[line.substr(0, bar)].push_back(numbers);
    }
    return lines;
}

/// Value and derivatives by field `by` of the results, weighted by 1, 2, .. if they are a list.
Graph with_derivative(const TrainingJob& job, const std::string& model, const char* by) {
    Graph graph = model_of(job, model).graph;
    NodeId value = graph.outputs[0].node, weighed = value;
    std::vector<int> axes = {0};
    Type type = graph.type(value);
    if (type.rank() == 2) {
        NodeId place = build::iota(graph, type.shape, 1, type.dtype);
        NodeId one = build::constant(graph, 1, type.dtype, type.shape);
        NodeId weights = build::elementwise(graph, Primitive::add, {place, one});
        weighed = build::elementwise(graph, Primitive::multiply, {value, weights});
        axes.push_back(1);
    }
    std::vector<NodeId> wrt = {field(graph, by)};
    NodeId by_field = gradient(graph, build::sum(graph, weighed, axes), wrt, *job.rules)[0];
    if (by_field == NodeId::none) by_field = build::constant(graph, 0, type.dtype, graph.type(wrt[0]).shape);
    return extract(graph, {{"value", value}, {"derivative", by_field}});
}

/// Fields from consecutive columns of the lines: name, width (0: a number, not a list of one).
Environment columns(const std::vector<Numbers>& lines, const std::vector<std::pair<const char*, int>>& fields) {
    Environment environment;
    environment.rows = int64_t(lines.size());
    size_t first = 0;
    for (auto [name, width] : fields) {
        Tensor tensor{{environment.rows}, {}};
        if (width) tensor.shape.push_back(width);
        size_t each = size_t(std::max(1, width));
        for (const Numbers& line : lines)
            tensor.values.insert(tensor.values.end(), line.begin() + int64_t(first),
                                 line.begin() + int64_t(first + each));
        first += each;
        environment.fields[name] = tensor;
    }
    return environment;
}

void compare_lines(const std::string& formula, const Graph& graph, const Environment& environment,
                   const std::vector<Numbers>& lines, Findings& findings) {
    auto results = evaluate(graph, environment);
    for (size_t row = 0; row < lines.size(); ++row) {
        Numbers found;
        for (const Tensor& result : results) {
            size_t each = result.values.size() / lines.size();
            found.insert(found.end(), result.values.begin() + int64_t(row * each),
                         result.values.begin() + int64_t((row + 1) * each));
        }
        Numbers wanted(lines[row].end() - int64_t(std::min(found.size(), lines[row].size())), lines[row].end());
        double scale = 1e-300;
        for (double value : wanted) scale = std::max(scale, std::fabs(value));
        bool good = found.size() == wanted.size();
        for (size_t k = 0; good && k < found.size(); ++k) good = std::fabs(found[k] - wanted[k]) <= 1e-12 * scale;
        if (!good)
            findings.error(fmt::format("{} on line {}: {} is not the recorded {}", formula, row + 1,
                                       fmt::join(found, " "), fmt::join(wanted, " ")));
    }
}

/// Entries that must have recorded lines: all but those that state why there are none.
std::set<std::string> recorded_entries() {
    std::set<std::string> names;
    for (const Entry& entry : entries())
        if ((entry.file == "activations" || entry.file == "losses") && entry.recording.empty())
            names.insert(entry.name);
    return names;
}

} // namespace

void prove_recorded(const std::string& path, Findings& findings) {
    auto lines = read_lines(path);
    auto wanted = recorded_entries();
    auto scalars = scalar_formulas();
    auto of_rows = row_formulas();
    std::string text;
    for (size_t i = 0; i < scalars.size(); ++i) text += scalar_model(scalars[i], fmt::format("f{}", i));
    for (size_t i = 0; i < of_rows.size(); ++i) text += row_model(of_rows[i], fmt::format("r{}", i));
    TrainingJob job = elaborate_text(text, Dtype::f64);
    size_t known = 0;
    auto prove = [&](const std::string& entry, const std::string& formula, const std::string& model, const char* by,
                     const auto& fields) {
        auto found = lines.find(formula);
        known += found != lines.end();
        if (found != lines.end())
            compare_lines(formula, with_derivative(job, model, by), columns(found->second, fields), found->second,
                          findings);
        else if (wanted.count(entry)) findings.error(fmt::format("{} is not in {}", formula, path));
    };
    using Fields = std::vector<std::pair<const char*, int>>;
    for (size_t i = 0; i < scalars.size(); ++i)
        prove(scalars[i].entry, scalars[i].formula, fmt::format("f{}", i), "x", Fields{{"x", 0}, {"t", 0}});
    for (size_t i = 0; i < of_rows.size(); ++i)
        prove(of_rows[i].entry, of_rows[i].formula, fmt::format("r{}", i), "v", Fields{{"v", 4}, {"u", 4}, {"i", 0}});
    if (known != lines.size()) findings.error(fmt::format("{} has formulas that are called nowhere", path));
}

} // namespace gradc::library
