// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sections of the text: names, chain, kept values, rewrites, code.
#include "compiler/explain/explanation.h"
#include "compiler/explain/iteration.h"
#include "compiler/graph/rewrite.h"
#include "compiler/util/figures.h"
#include <algorithm>
#include <fmt/format.h>

namespace gradc {
namespace {

constexpr size_t width = 80;
constexpr size_t longest_formula = 200; // in characters, of the whole chain
constexpr double most_paths = 4;        // that are shown as one sum

/// Text broken at spaces; further lines begin at column `hanging`.
std::string wrapped(const std::string& lead, const std::string& text, size_t hanging) {
    std::string result, line = lead;
    bool fresh = true; // the line holds only the lead
    for (size_t begin = 0; begin <= text.size();) {
        size_t end = std::min(text.find(' ', begin), text.size());
        std::string word = text.substr(begin, end - begin);
        if (!fresh && columns(line) + 1 + columns(word) > width) {
            result += line + "\n";
            line = std::string(hanging, ' ') + word;
        } else {
            line += (fresh ? "" : " ") + word;
        }
        fresh = false;
        begin = end + 1;
    }
    return result + line + "\n";
}

std::string bracketed(const Shape& shape) {
    return shape.size() > 1 ? "(" + dimensions(shape) + ")" : dimensions(shape);
}

/// `left` in its column, or alone on a line if it is too long.
std::string column(const std::string& left, size_t size) {
    if (columns(left) < size) return left + std::string(size - columns(left), ' ');
    return left + " ";
}

class Report {
public:
    Report(const Explanation& explanation, const Sources& sources)
        : all_(explanation), derivation_(explanation.derivation), graph_(derivation_.graph), sources_(sources) {}

    std::string run() {
        text_ = title();
        names();
        chain();
        kept();
        rewrites();
        code();
        return text_;
    }

private:
    std::string target() const { return "dL/d" + derivation_.stations.back().name; }
    const Shape& shape(NodeId id) const { return graph_.type(id).shape; }
    std::string formula(NodeId id) const { return textbook_formula(graph_, id, all_.symbols); }

    std::string title() const {
        const Station& last = derivation_.stations.back();
        const std::string& path = attribute<VariableName>(graph_[last.node]).path;
        return wrapped("", fmt::format("{}: the derivative of {} by {}", target(), all_.scalar, path), 4);
    }

    // ---- names

    std::vector<NodeId> shown_values() const {
        std::vector<bool> shown(derivation_.forward, false);
        for (const Station& station : derivation_.stations) shown[index(station.node)] = true;
        for (NodeId id : values_read_back(derivation_)) shown[index(id)] = true;
        std::vector<bool> spoken_of = shown; // by a formula of a shown value
        for (size_t i = shown.size(); i-- > 0;)
            if (spoken_of[i]) mark_named(NodeId(uint32_t(i)), shown, spoken_of);
        std::vector<NodeId> result;
        for (size_t i = 0; i < shown.size(); ++i)
            if (shown[i]) result.push_back(NodeId(uint32_t(i)));
        return result;
    }

    /// Marks the values in the formula of `id`; values with a name are shown on their own.
    void mark_named(NodeId id, std::vector<bool>& shown, std::vector<bool>& spoken_of) const {
        for (NodeId input : graph_[id].inputs) {
            if (kind(graph_[input].op) == Kind::leaf && graph_[input].op != Op::variable) continue;
            spoken_of[index(input)] = true;
            if (!graph_[input].name.empty() || graph_[input].op == Op::variable) shown[index(input)] = true;
        }
    }

    void names() {
        text_ += "\nForward\n";
        std::vector<NodeId> values = shown_values();
        size_t widest = 1, largest = 1;
        for (NodeId id : values) {
            widest = std::max(widest, columns(name_of(id)));
            largest = std::max(largest, columns(dimensions(shape(id))));
        }
        widest = std::min<size_t>(widest, 14) + 2;
        largest = std::min<size_t>(largest, 14) + 2;
        for (NodeId id : values) {
            std::string lead = "  " + column(name_of(id), widest) + column(dimensions(shape(id)), largest);
            bool parameter = graph_[id].op == Op::variable;
            std::string path = parameter ? attribute<VariableName>(graph_[id]).path : "";
            std::string meaning = parameter ? "parameter" + (path == name_of(id) ? "" : " " + path)
                                  : kind(graph_[id].op) == Kind::leaf ? "data"
                                                                      : "= " + formula(id);
            text_ += wrapped(lead, meaning, lead.size() + 2);
        }
        for (NodeId id : values) loop_inside(id);
        for (NodeId id : values)
            if (graph_.type(id).has_rows()) {
                text_ += fmt::format("  N is the number of rows of a batch, here at most {}.\n", grouped(all_.batch));
                break;
            }
    }

    /// Below the value of a loop: the equations of one iteration.
    void loop_inside(NodeId id) {
        if (graph_[id].op != Op::part) return;
        text_ += fmt::format("  One iteration of the loop behind {}:\n", name_of(id));
        iteration(graph_[graph_[id].inputs[0]], attribute<Part>(graph_[id]).number, 4);
    }

    /// Output `number` of a loop's body, and the carries that it depends on, as equations.
    void iteration(const Node& scan, int number, size_t indent) {
        LoopIteration equations = iteration_equations(graph_, scan, number, all_.symbols);
        size_t widest = 0;
        for (const auto& [name, formula] : equations) widest = std::max(widest, columns(name));
        for (const auto& [name, formula] : equations) {
            std::string lead = std::string(indent, ' ') + column(name, widest + 1);
            text_ += wrapped(lead, formula, lead.size() + 3);
        }
    }

    std::string name_of(NodeId id) const { return textbook_name(graph_, id, all_.symbols); }

    // ---- the chain

    double paths(size_t station) const { // from here to the scalar
        if (station == 0) return 1;
        double total = 0;
        for (const Factor& factor : derivation_.stations[station].factors) total += paths_[factor.later];
        return total;
    }

    std::vector<std::string> products(size_t station) const {
        if (station == 0) return {""};
        std::vector<std::string> result;
        for (const Factor& factor : derivation_.stations[station].factors)
            for (std::string before : products(factor.later))
                result.push_back(before + (before.empty() ? "" : " · ") + factor_name(station, factor));
        return result;
    }

    std::string factor_name(size_t station, const Factor& factor) const {
        return fmt::format("d{}/d{}", derivation_.stations[factor.later].name, derivation_.stations[station].name);
    }

    void chain() {
        const auto& stations = derivation_.stations;
        for (size_t i = 0; i < stations.size(); ++i) paths_.push_back(paths(i));
        text_ += "\nChain rule\n";
        if (paths_.back() <= most_paths) {
            std::string sum;
            for (const std::string& product : products(stations.size() - 1))
                sum += (sum.empty() ? "" : " + ") + product;
            if (stations.size() > 2) text_ += wrapped("  " + target() + " = ", sum, 4);
        } else {
            text_ += wrapped("  ",
                             fmt::format("{} is a sum over {} paths from {} to L. It is accumulated value by value:",
                                         target(), grouped(int64_t(paths_.back())), stations.back().name),
                             2);
        }
        for (size_t i = 1; i < stations.size(); ++i) station(i);
        together();
    }

    void station(size_t number) {
        const Station& station = derivation_.stations[number];
        std::string adjoint = "dL/d" + station.name;
        if (station.factors.size() > 1) {
            std::string sum;
            for (const Factor& factor : station.factors) {
                std::string own = factor_name(number, factor);
                sum += (sum.empty() ? "" : " + ") +
                       (factor.later ? "dL/d" + derivation_.stations[factor.later].name + " · " + own : own);
            }
            text_ += "\n" + wrapped("  " + adjoint + " = ", sum, 6);
        }
        for (const Factor& factor : station.factors) {
            const Shape &rows = shape(derivation_.stations[factor.later].node), &columns = shape(station.node);
            std::string jacobian = fmt::format("Jacobian {} x {}", bracketed(rows), bracketed(columns));
            if (station.factors.size() == 1) text_ += "\n";
            text_ +=
                wrapped("  " + column(factor_name(number, factor), 12), jacobian + ": " + reading(factor, station), 14);
        }
        text_ += wrapped("      ", adjoint + " = " + equation(station), 10);
        const Node& back = graph_[station.adjoint];
        if (back.op != Op::part || back.name != adjoint) return;
        const Scan& scan = attribute<Scan>(graph_[back.inputs[0]]);
        text_ += fmt::format("      One iteration, t from {} to {}:\n", scan.reverse ? scan.iterations - 1 : 0,
                             scan.reverse ? 0 : scan.iterations - 1);
        iteration(graph_[back.inputs[0]], attribute<Part>(back).number, 8);
    }

    std::string equation(const Station& station) const {
        std::string own = "dL/d" + station.name;
        return graph_[station.adjoint].name == own ? formula(station.adjoint) : name_of(station.adjoint);
    }

    std::string reading(const Factor& factor, const Station& station) const {
        if (factor.simplified == Simplified::product) return product_reading(factor, station);
        if (factor.simplified != Simplified::mixture) return reading(factor.simplified);
        std::string text;
        for (Simplified step : factor.steps) text += (text.empty() ? "several steps, " : ", ") + step_name(step);
        return text;
    }

    static std::string reading(Simplified simplified) {
        switch (simplified) {
        case Simplified::identity: return "the identity; the gradient passes unchanged";
        case Simplified::number: return "a number";
        case Simplified::diagonal: return "diagonal, an elementwise product";
        case Simplified::product: return "a matrix product";
        case Simplified::repetition: return "a broadcast; the gradients of all uses are added";
        case Simplified::total: return "a sum; each term receives the gradient";
        case Simplified::arrangement: return "a permutation of the elements";
        case Simplified::selection: return "a selection; the other elements receive 0";
        case Simplified::loop: return "a loop, run in reverse";
        case Simplified::mixture: return "several steps";
        }
        return {};
    }

    static std::string step_name(Simplified step) {
        switch (step) {
        case Simplified::number: return "a number";
        case Simplified::diagonal: return "elementwise";
        case Simplified::product: return "a matrix product";
        case Simplified::repetition: return "repeated";
        case Simplified::total: return "summed";
        case Simplified::arrangement: return "rearranged";
        case Simplified::selection: return "picked";
        case Simplified::loop: return "a loop";
        default: return "moved";
        }
    }

    /// The words for z = x w by x or w. They depend on the axes that the contraction with the other operand sums.
    std::string product_reading(const Factor& factor, const Station& station) const {
        for (NodeId id : factor.path) {
            const Node& node = graph_[id];
            if (node.op != Op::contract) continue;
            const auto& [left, right, out] = attribute<Contract>(node);
            const std::vector<int>& own = node.inputs[0] == station.node ? left : right;
            std::string size;
            for (size_t i = 0; i < out.size(); ++i)
                if (std::find(own.begin(), own.end(), out[i]) == own.end())
                    size += (size.empty() ? "" : " x ") + dimensions({node.type.shape[i]});
            if (size.empty()) return "an outer product";
            if (size == "N") return "an outer product of each row, added over the N rows";
            return "mostly zeros, a matrix product that sums over " + size;
        }
        return "a product";
    }

    /// The whole chain as one formula, down to the derivative by the first station before the scalar.
    void together() {
        const auto& stations = derivation_.stations;
        if (stations.size() < 4 || paths_.back() > 1) return; // it is one formula already, or many paths
        Graph open = graph_;
        for (size_t i = 2; i < stations.size(); ++i)
            if (graph_[stations[i].adjoint].name == "dL/d" + stations[i].name)
                open.rename_node(stations[i].adjoint, "");
        std::string text = textbook_formula(open, derivation_.gradient(), all_.symbols);
        if (text.size() <= longest_formula) text_ += "\n" + wrapped("  All together: ", target() + " = " + text, 6);
    }

    // ---- what is kept

    void kept() {
        text_ += "\nKept for the backward pass\n";
        if (all_.kept.empty()) {
            text_ += "  nothing: parameters and data exist anyway, the rest is recomputed.\n";
            return;
        }
        int64_t total = 0;
        for (const KeptValue& value : all_.kept) {
            std::string what = fmt::format("{} {}", dimensions(value.type.shape), gradc::name(value.type.dtype));
            std::string lead = "  " + column(value.name.empty() ? "-" : value.name, 7) + column(what, 17) +
                               fmt::format("{:>10} bytes  ", grouped(value.bytes));
            text_ += wrapped(lead, value.formula, lead.size() + 2);
            total += value.bytes;
        }
        text_ += fmt::format("  {:24}{:>10} bytes of the forward pass, for {} row{}\n", "", grouped(total),
                             grouped(all_.batch), all_.batch == 1 ? "" : "s");
    }

    // ---- rewrites

    void rewrites() {
        text_ += "\nRewrites\n";
        if (all_.rewritings.empty()) text_ += "  none: no pass changes a formula above.\n";
        for (const Rewriting& each : all_.rewritings) {
            std::string head = each.pass;
            if (!each.rule.empty()) head += ": " + each.rule;
            if (each.times > 1) head += fmt::format(" ({} times)", each.times);
            text_ += wrapped("  ", head, 6);
            std::string value = each.value.empty() ? "" : each.value + " = ";
            text_ += wrapped("      before  ", value + each.before, 16);
            text_ += wrapped("      after   ", value + each.after, 16);
        }
    }

    // ---- code

    void code() {
        text_ += "\nCode\n";
        for (const KernelShown& kernel : all_.kernels) {
            std::string values;
            for (const std::string& value : kernel.values) values += (values.empty() ? "" : ", ") + value;
            if (!values.empty()) text_ += wrapped("  computes ", values, 4);
            std::vector<std::string> lines = lines_of(kernel);
            for (const std::string& line : lines) text_ += "  " + line + "\n";
            text_ += "\n" + kernel.text + "\n";
        }
    }

    /// "model.grad:14    h = relu(linear(x, hidden))", each line once, in order of the sources: the model's file comes
    /// first.
    std::vector<std::string> lines_of(const KernelShown& kernel) const {
        std::vector<std::string> result;
        std::vector<Span> spans = kernel.spans;
        std::stable_sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
            return std::pair(a.source, a.begin) < std::pair(b.source, b.begin);
        });
        for (const Span& span : spans) {
            const Source& source = sources_.all[span.source];
            uint32_t number = sources_.place(span.source, span.begin).line;
            std::string name = source.name.substr(source.name.rfind("std/") == 0 ? 0 : source.name.rfind('/') + 1);
            std::string text(sources_.line(span.source, number));
            text.erase(0, text.find_first_not_of(' '));
            std::string line = column(fmt::format("{}:{}", name, number), 22) + text;
            if (columns(line) > width - 2) line = line.substr(0, width - 4) + "..";
            if (std::find(result.begin(), result.end(), line) == result.end()) result.push_back(line);
        }
        return result;
    }

    const Explanation& all_;
    const Derivation& derivation_;
    const Graph& graph_;
    const Sources& sources_;
    std::vector<double> paths_; // by station
    std::string text_;
};

} // namespace

std::string print(const Explanation& explanation, const Sources& sources) { return Report(explanation, sources).run(); }

} // namespace gradc
