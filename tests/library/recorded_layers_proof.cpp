// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers against another system: what PyTorch computed (record_layers.py, whose comment has the form of the file) and JAX
// (record_second_order.py), and steps worked by hand, beside the evaluator and compiled code, in training. Values,
// gradients by inputs and by parameters, losses of gradient descent, products of Hessians and vectors.
#include "compiler/check/sample.h"
#include "compiler/graph/build.h"
#include "compiler/graph/rewrite.h"
#include "compiler/util/check.h"
#include "tests/library/compiled.h"
#include "tests/library/entries.h"
#include "tests/library/formulas.h"
#include "tests/library/points.h"
#include "tests/library/proof.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <numeric>
#include <set>
#include <sstream>

namespace gradc::library {

namespace {

struct Recorded {
    std::string name; // in the recorded case; with a dot a variable, else a field
    Tensor tensor, gradient;
    std::vector<double> direction; // of a variable in a case with a Hessian
};

struct RecordedLayer {
    std::string statement;
    bool hessian = false; // the recorded gradients are its products with the directions
    std::vector<Recorded> tensors;
    std::vector<Recorded> integers; // fields without a gradient
    double rate = 0;
    std::vector<double> losses; // before each step of gradient descent
    int64_t rows() const { return tensors[0].tensor.shape[0]; }
};

std::vector<double> numbers(const std::string& text) {
    std::istringstream stream(text);
    std::vector<double> result;
    for (double number; stream >> number;) result.push_back(number);
    return result;
}

std::vector<RecordedLayer> read_layers(const std::string& path) {
    std::vector<RecordedLayer> layers;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        if (line.starts_with("layer ") || line.starts_with("hessian ")) {
            layers.push_back({line.substr(line.find(' ') + 1), line.starts_with("hessian "), {}, {}, 0, {}});
            continue;
        }
        size_t first = line.find(" | "), second = line.find(" | ", first + 3), space = line.find(' ');
        size_t third = second == line.npos ? line.npos : line.find(" | ", second + 3);
        Shape shape;
        for (double size : numbers(line.substr(space, first - space))) shape.push_back(int64_t(size));
        if (line.starts_with("losses ")) {
            layers.back().rate = std::stod(line.substr(space));
            layers.back().losses = numbers(line.substr(first + 3));
            continue;
        }
        Recorded each{line.substr(0, space),
                      {shape, numbers(line.substr(first + 3, second - first - 3))},
                      {shape, numbers(line.substr(second + 3))},
                      third == line.npos ? std::vector<double>() : numbers(line.substr(third + 3))};
        (each.gradient.values.empty() ? layers.back().integers : layers.back().tensors).push_back(each);
    }
    return layers;
}

bool is_variable(const Recorded& each) { return each.name.find('.') != std::string::npos; }

std::string path_of(const Recorded& each, const std::string& model) {
    return model + (each.name.starts_with('.') ? "" : ".") + each.name;
}

/// As many numbers as the shape wants, as nested lists.
std::string list_of(const Shape& shape, const std::string& number, size_t axis = 0) {
    if (axis == shape.size()) return number;
    std::string inner = list_of(shape, number, axis + 1), text = inner;
    for (int64_t i = 1; i < shape[axis]; ++i) text += ", " + inner;
    return "[" + text + "]";
}

/// The declarations of a layer's fields: as parameters of its model, its call and in the data set.
struct FieldTexts {
    std::string parameters, arguments, fields;

    void add(const Recorded& each, size_t number, int64_t most_rows, bool integer) {
        Shape shape = each.tensor.shape;
        shape[0] = most_rows;
        std::string sizes = fmt::format("{}", fmt::join(shape.begin() + 1, shape.end(), ", "));
        std::string dtype = integer ? "int" : "f32", bound;
        if (integer)
            bound = fmt::format(" < {}", 1 + *std::max_element(each.tensor.values.begin(), each.tensor.values.end()));
        fields += fmt::format("    {}{}: {}[{}]{} = {}\n", each.name, number, dtype, sizes, bound,
                              list_of(shape, integer ? "0" : "0.5"));
        const char* comma = parameters.empty() ? "" : ", ";
        parameters +=
            fmt::format("{}{}: {}[N{}{}]{}", comma, each.name, dtype, sizes.empty() ? "" : ", ", sizes, bound);
        arguments += fmt::format("{}{}{}", comma, each.name, number);
    }
};

/// One data set, a model and a train block of each layer. Fields end with its number.
std::string text_of(const std::vector<RecordedLayer>& layers, int64_t most_rows) {
    std::string fields, programs;
    for (size_t i = 0; i < layers.size(); ++i) {
        FieldTexts texts;
        for (const Recorded& each : layers[i].tensors)
            if (!is_variable(each)) texts.add(each, i, most_rows, false);
        for (const Recorded& each : layers[i].integers) texts.add(each, i, most_rows, true);
        fields += texts.fields;
        programs += fmt::format("model l{0}({1}) {{ param one = 1;  {2};  return one * sum(weights * y) }}\n"
                                "train t{0} {{ data d;  batch {3};  epochs 1;  optimizer sgd()\n loss l{0}({4}) }}\n",
                                i, texts.parameters, layers[i].statement, most_rows, texts.arguments);
    }
    return fmt::format("dataset d {{\n{}}}\n{}", fields, programs);
}

NodeId variable_node(const Graph& graph, const std::string& path) {
    for (uint32_t i = 0; i < graph.size(); ++i)
        if (graph[NodeId(i)].op == Op::variable && attribute<VariableName>(graph[NodeId(i)]).path == path)
            return NodeId(i);
    return NodeId::none;
}

/// The sum of gradients times directions. Its gradient is the product of the Hessian and the direction.
NodeId along_directions(Graph& graph, const RecordedLayer& layer, const std::vector<NodeId>& gradients) {
    NodeId total = NodeId::none;
    for (size_t i = 0; i < gradients.size(); ++i) {
        if (layer.tensors[i].direction.empty()) continue;
        const Type type = graph.type(gradients[i]);
        NodeId direction = build::constant(graph, layer.tensors[i].direction, type);
        std::vector<int> axes(type.shape.size());
        std::iota(axes.begin(), axes.end(), 0);
        NodeId product = build::elementwise(graph, Primitive::multiply, {gradients[i], direction});
        NodeId sum = build::sum(graph, product, axes);
        total = total == NodeId::none ? sum : build::elementwise(graph, Primitive::add, {total, sum});
    }
    return total;
}

struct Subject {
    std::string program;
    Graph graph; // its outputs: the gradient by each tensor of the case
    Environment environment;
};

Subject subject_of(const RecordedLayer& layer, size_t number, const TrainingJob& job) {
    const TrainBlock& block = job.blocks[number];
    Graph graph = block.forward;
    std::vector<NodeId> wrt;
    Environment environment = sample(job, {}, graph, {layer.rows(), 1});
    environment.variables[fmt::format("l{}.one", number)].values = {1};
    for (const Recorded& each : layer.integers)
        environment.fields[fmt::format("{}{}", each.name, number)] = each.tensor;
    for (const Recorded& each : layer.tensors) {
        std::string path = path_of(each, fmt::format("l{}", number)), column = fmt::format("{}{}", each.name, number);
        (is_variable(each) ? environment.variables[path] : environment.fields[column]) = each.tensor;
        wrt.push_back(is_variable(each) ? variable_node(graph, path) : field(graph, column));
        if (wrt.back() == NodeId::none) throw InternalError("library", layer.statement + " has no " + each.name);
    }
    auto gradients = gradient(graph, block.loss, wrt, *job.rules);
    if (layer.hessian) gradients = gradient(graph, along_directions(graph, layer, gradients), wrt, *job.rules);
    std::vector<Output> outputs;
    const char* kind = layer.hessian ? "Hessian of " : "";
    for (size_t i = 0; i < wrt.size(); ++i) {
        const Type& type = graph.type(wrt[i]);
        NodeId by = gradients[i] == NodeId::none ? build::constant(graph, 0, type.dtype, type.shape) : gradients[i];
        outputs.push_back({fmt::format("{}{} by {}", kind, layer.statement, layer.tensors[i].name), by});
    }
    return {fmt::format("l{}", number), extract(graph, outputs), std::move(environment)};
}

void compare_recorded(const std::string& what, const std::string& way, const std::vector<double>& found,
                      const Recorded& recorded, double bound, Findings& findings) {
    const std::vector<double>& wanted = recorded.gradient.values;
    double largest = 1e-3, worst = found.size() == wanted.size() ? 0 : INFINITY;
    for (double value : wanted) largest = std::max(largest, std::fabs(value));
    for (size_t i = 0; i < std::min(found.size(), wanted.size()); ++i) {
        double error = std::fabs(found[i] - wanted[i]) / largest;
        if (!(error <= worst)) worst = error;
    }
    if (!(worst <= bound)) findings.error(fmt::format("{}: {} is off by {:.2g} from the recorded", what, way, worst));
}

using Gradients = std::vector<std::vector<double>>; // by the tensors of a case, in their order

/// Gradient descent by the variables. The gradient by `weights` is y, so their product is the loss.
void compare_losses(const RecordedLayer& layer, Subject subject, const std::string& way, double bound,
                    Findings& findings, const std::function<Gradients(const Environment&)>& gradients) {
    double largest = 1e-3, worst = 0;
    for (double loss : layer.losses) largest = std::max(largest, std::fabs(loss));
    for (double wanted : layer.losses) {
        Gradients now = gradients(subject.environment);
        double loss = 0;
        for (size_t i = 0; i < layer.tensors.size(); ++i) {
            const Recorded& each = layer.tensors[i];
            if (each.name == "weights")
                for (size_t k = 0; k < now[i].size(); ++k) loss += now[i][k] * each.tensor.values[k];
            if (!is_variable(each)) continue;
            auto& values = subject.environment.variables.at(path_of(each, subject.program)).values;
            for (size_t k = 0; k < values.size(); ++k) values[k] -= layer.rate * now[i][k];
        }
        double error = std::fabs(loss - wanted) / largest;
        if (!(error <= worst)) worst = error;
    }
    if (!(worst <= bound))
        findings.error(
            fmt::format("{}: {} losses of {} are off by {:.2g}", layer.statement, layer.losses.size(), way, worst));
}

/// Layers of these files must be recorded, but for those that draw random numbers, and losses that are not a formula
/// of one row.
void check_complete(const std::vector<RecordedLayer>& layers, Findings& findings) {
    const std::set<std::string> files = {"layers",        "convolution", "recurrent", "attention",
                                         "normalization", "axes",        "losses"};
    std::set<std::string> of_rows;
    for (const ScalarFormula& formula : scalar_formulas()) of_rows.insert(formula.entry);
    for (const RowFormula& formula : row_formulas()) of_rows.insert(formula.entry);
    for (const Entry& entry : entries()) {
        bool known = !files.count(entry.file) || of_rows.count(entry.name);
        for (const RecordedLayer& layer : layers)
            known =
                known || entry.name == "dropout" || layer.statement.find(" " + entry.name + "(") != std::string::npos;
        if (!known) findings.error(entry.name + " is not in recorded_layers.txt");
    }
}

} // namespace

void prove_recorded_layers(const std::string& folder, Findings& findings) {
    auto layers = read_layers(folder + "/recorded_layers.txt");
    for (const char* file : {"/recorded_second_order.txt", "/by_hand.txt"}) {
        auto more = read_layers(folder + file);
        if (more.empty()) findings.error(fmt::format("no cases in {}{}", folder, file));
        layers.insert(layers.end(), more.begin(), more.end());
    }
    check_complete(layers, findings);
    int64_t most_rows = 0;
    for (const RecordedLayer& layer : layers) most_rows = std::max(most_rows, layer.rows());
    std::string text = text_of(layers, most_rows);
    for (Dtype precision : {Dtype::f64, Dtype::f32}) {
        double bound = precision == Dtype::f64 ? 1e-9 : 1e-4;
        TrainingJob job = elaborate_text(text, precision);
        std::vector<Subject> subjects;
        std::vector<NamedGraph> programs;
        for (size_t i = 0; i < layers.size(); ++i) {
            subjects.push_back(subject_of(layers[i], i, job));
            programs.push_back({subjects[i].program, subjects[i].graph});
        }
        Machines machines(job, programs, most_rows, precision);
        for (size_t i = 0; i < layers.size(); ++i) {
            const Subject& subject = subjects[i];
            auto prove = [&](const std::string& way, const std::function<Gradients(const Environment&)>& gradients) {
                Gradients found = gradients(subject.environment);
                for (size_t k = 0; k < found.size(); ++k)
                    compare_recorded(subject.graph.outputs[k].name, way, found[k], layers[i].tensors[k], bound,
                                     findings);
                compare_losses(layers[i], subject, way, bound, findings, gradients);
            };
            if (precision == Dtype::f64)
                prove("the evaluator", [&](const Environment& environment) {
                    Gradients found;
                    for (const Tensor& each : evaluate(subject.graph, environment)) found.push_back(each.values);
                    return found;
                });
            for (const Way& way : machines.ways())
                prove(fmt::format("{} on {}", name(precision), way.name), [&](const Environment& environment) {
                    machines.write(environment);
                    machines.run(subject.program, layers[i].rows(), way);
                    Gradients found;
                    for (const Output& output : subject.graph.outputs)
                        found.push_back(machines.read(output.name, layers[i].rows()));
                    return found;
                });
        }
    }
}

} // namespace gradc::library
