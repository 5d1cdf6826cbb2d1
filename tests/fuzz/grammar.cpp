// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each expression is drawn for a shape: [N, 4], [N], a scalar of the run or a constant. It may use the names of the
// statements before it.
#include "tests/fuzz/grammar.h"
#include "dsl/token.h"
#include <fmt/format.h>
#include <random>
#include <vector>

namespace gradc {

namespace {

enum class Kind : uint8_t { rows_by_four, rows, scalar, constant };

class Drawing {
public:
    explicit Drawing(uint64_t seed) : random_(seed) {}

    size_t any(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
    template <size_t n> std::string one(const char* const (&words)[n]) { return words[any(n)]; }

    std::string program();
    std::string item();
    std::string statement();
    std::string expression(Kind kind, int depth);

private:
    std::mt19937_64 random_;
    std::vector<std::string> wide_ = {"x"}; // names of values [N, 4]
    int made_ = 0;

    std::string wide(int depth);
    std::string rows(int depth);
    std::string scalar(int depth);
    std::string constant(int depth);
    std::string block(int statements);
    std::string fresh() { return fmt::format("v{}", made_++); }
    std::string function();
    std::string dataset();
    std::string model();
    std::string train();
};

std::string Drawing::constant(int depth) {
    if (depth > 0 && any(3) == 0)
        return fmt::format("({} {} {})", constant(depth - 1), one({"+", "-", "*", "/", "//", "%", "^"}),
                           constant(depth - 1));
    return one({"1", "2", "4", "K", "0.5", "1e-3", "3", "pi", "size(x, 1)", "-1", "0"});
}

std::string Drawing::scalar(int depth) {
    if (depth <= 0) return one({"1", "0.5", "mean(x)", "K"});
    switch (any(4)) {
    case 0: return fmt::format("{}({})", one({"mean", "sum", "max", "min"}), wide(depth - 1));
    case 1: return fmt::format("{}({})", one({"exp", "tanh", "abs", "sqrt"}), scalar(depth - 1));
    case 2:
        return fmt::format("({} {} {})", scalar(depth - 1), one({"+", "-", "*", "/", "<", "=="}), scalar(depth - 1));
    default: return fmt::format("mse({}, {})", wide(depth - 1), wide(depth - 1));
    }
}

std::string Drawing::rows(int depth) {
    if (depth <= 0) return "x[:, 0]";
    switch (any(5)) {
    case 0:
        return fmt::format("{}({}, axis: {})", one({"sum", "mean", "max", "logsumexp"}), wide(depth - 1),
                           one({"-1", "1"}));
    case 1: return fmt::format("{}[:, {}]", wide(0), one({"0", "-1", "K - 1", "2"}));
    case 2: return fmt::format("({} {} {})", rows(depth - 1), one({"+", "*", "-"}), rows(depth - 1));
    case 3: return fmt::format("linear({}, 1)[:, 0]", wide(depth - 1));
    default: return fmt::format("where({} > 0, {}, {})", rows(depth - 1), rows(depth - 1), scalar(0));
    }
}

std::string Drawing::wide(int depth) {
    if (depth <= 0) return wide_[any(wide_.size())];
    auto next = [&] { return wide(depth - 1); };
    switch (any(16)) {
    case 0:
    case 1: return fmt::format("({} {} {})", next(), one({"+", "-", "*", "/", "^", "%", "//"}), next());
    case 2:
    case 3:
        return fmt::format("{}({})",
                           one({"relu", "tanh", "sigmoid", "softmax", "exp", "abs", "softplus", "stop_gradient",
                                "dropout", "batch_norm", "layer_norm", "f0", "-"}),
                           next());
    case 4: return fmt::format("linear({}, 4)", next());
    case 5: return fmt::format("where({} < {}, {}, {})", next(), scalar(1), next(), next());
    case 6: return fmt::format("({} {} {})", next(), one({"+", "*", "-"}), scalar(depth - 1));
    case 7:
        if (any(2)) return fmt::format("({0}{1})", next(), one({"[::-1]", "[-1:][0] + x", " + x[0]"}));
        return fmt::format("concat({0}[:, 2:], {0}[:, :2])", next());
    case 8: return fmt::format("reshape(permute(reshape({}, [N, 2, 2]), [0, 2, 1]), [N, 4])", next());
    case 9: return fmt::format("({} @ full({}, [4, 4]))", next(), constant(1));
    case 10: return fmt::format("{}({}, {})", one({"max", "min"}), next(), next());
    case 11: return fmt::format("grad({}({}), wrt: x)", one({"tanh", "sum", "exp", ""}), next());
    case 12: return fmt::format("({} * uniform(shape: [N, 4]))", next());
    case 13: return fmt::format("pad({}[:, 1:], [0, 1], [0, 0], value: {})", next(), constant(1));
    case 14:
        return fmt::format("(scan t < {} with h = {} {{ h = tanh(h + {});  yield h }})[:, -1]", one({"2", "3"}), next(),
                           wide(0));
    default: return fmt::format("({} * reshape({}, [N, 1]))", next(), rows(depth - 1));
    }
}

std::string Drawing::expression(Kind kind, int depth) {
    switch (kind) {
    case Kind::rows_by_four: return wide(depth);
    case Kind::rows: return rows(depth);
    case Kind::scalar: return scalar(depth);
    case Kind::constant: return constant(depth);
    }
    return {};
}

std::string Drawing::statement() {
    std::string name = fresh(), text;
    switch (any(14)) {
    case 12:
        text = fmt::format("{}[n, c] = {}[d < {}](x[n, {}] * {}[n, c])", name, one({"sum", "max", "mean"}),
                           one({"c", "c + 1", "4 - c", "c // 2 + 1"}), one({"d", "c - d", "3 - d"}), wide(0));
        break;
    case 13:
        text = fmt::format("{0}[n, c] = {1}[{2}, c] * x[n, c];  {0}[n, c] = sum[m < {3}]({0}[m, c])", name, wide(0),
                           one({"0", "N - 1 - n", "max(n - 1, 0)", "(n + 1) % N", "n // 2", "N"}),
                           one({"n", "n + 1", "N", "n + 2"}));
        break;
    case 0:
        text = fmt::format("{}[n, c] = {}(x[n, c] * {}[n, {}])", name, one({"", "tanh", "-"}), wide(0),
                           one({"c", "3 - c", "(c + 1) % 4", "c // 2", "c // 2 + c % 2", "0"}));
        break;
    case 1:
        text = fmt::format("{}[n, c < 4] = {}[d](x[n, d] * where(c {} d, {}, {}))", name, one({"sum", "max", "mean"}),
                           one({"<=", "==", "<"}), scalar(0), scalar(0));
        break;
    case 2:
        text =
            fmt::format("param {0}_p: [4] = {1};  {0} = x * {0}_p", name, one({"1", "normal(0.1)", "uniform()", "0"}));
        break;
    case 3:
        text = fmt::format("state {0}_s: [4] = 0;  if training {{ {0}_s <- 0.9 * {0}_s + "
                           "mean(x, axis: 0) }};  {0} = x + {0}_s",
                           name);
        break;
    case 4:
        text = fmt::format("{0} = x;  if {1} {{ {0} = {2} }} else {{ {0} = {3} }}", name,
                           one({"mean(x) > 0", "training", "K > 3", "step % 2 == 0"}), wide(1), wide(1));
        break;
    case 5:
        text = fmt::format("{0} = x;  repeat i < {1} {{ {0} = {0} + {2} }}", name, one({"2", "K", "0"}), wide(1));
        break;
    case 6: text = fmt::format("{0}_a, {0}_b = split({1}, 2);  {0} = concat({0}_b, {0}_a)", name, wide(1)); break;
    case 7:
        text = fmt::format("{0} = {1};  {0}_b = {2};  {0}, {0}_b = {0}_b{3}, {0}", name, wide(1), wide(1),
                           one({"", " + 1", " * x"}));
        break;
    case 8: text = fmt::format("{0}_rows, {0}_columns = shape({1});  {0} = x / {0}_columns", name, wide(0)); break;
    case 9: text = fmt::format("{0} = x * [{1}, {2}, {3}, {1}]", name, scalar(1), constant(1), scalar(0)); break;
    default: text = fmt::format("{} = {}", name, wide(2));
    }
    wide_.push_back(name);
    return text;
}

std::string Drawing::block(int statements) {
    std::string text;
    for (int i = 0; i < statements; ++i) text += "    " + statement() + "\n";
    return text;
}

std::string Drawing::function() {
    wide_ = {"x"};
    std::string text = fmt::format("fn f0(x{}{}) = ", one({"", ": [.., C]", ": [N, 4]", ": [N, ..]"}),
                                   one({"", ", k = 2", ", k: const int = 4"}));
    text += fmt::format("{}(x) * {}", one({"tanh", "exp", "", "-", "abs"}), one({"x", "2", "K"}));
    if (any(2))
        text +=
            fmt::format("  {}derivative x: g * {}", one({"", "surrogate "}), one({"x", "2", "exp(x)", "K", "sum(x)"}));
    return text + "\n";
}

std::string Drawing::dataset() {
    return fmt::format("dataset d {{\n    x: f32[4] = [[0, 1, 2, 3], [1, 0, 2, 4], [1, 1, 0, 2], [3, 2, 1, "
                       "0]]\n    y: int < 3 = [0, 1, 2, {}]\n    z{}\n    split train: 0.5, test: "
                       "0.5{}\n}}\n",
                       one({"0", "1", "2"}),
                       one({" = x / 2", " = (x - mean(train.x, axis: 0)) / std(train.x, axis: 0)", " = x[1:]",
                            "[i < 2] = x[i] * x[i + 2]", "[i] = x[i] - y"}),
                       one({"", ", in order"}));
}

std::string Drawing::model() {
    wide_ = {"x"};
    std::string body = block(1 + int(any(4)));
    return fmt::format("model m(x: f32[N, 4]){} {{\n{}    return {}\n}}\n", one({"", " -> f32[N, 4]", " -> [N, 4]"}),
                       body, wide(1));
}

std::string Drawing::train() {
    wide_ = {"x", "m(x)"};
    std::string optimizer =
        one({"sgd(learning_rate: 0.1)", "adam(learning_rate: 1e-3)", "clip_by_global_norm(adam(), max_norm: 1)",
             "momentum(learning_rate: 0.1)", "adam(learning_rate: cosine(step / steps, peak: 1e-3))",
             "sgd(learning_rate: 0.1) on m", "own(rate: 0.1)"});
    std::string lines = fmt::format("    data d\n    batch 2\n    loss {}\n    optimizer {}\n",
                                    one({"mean(m(x)^2)", "mse(m(x), x)", "cross_entropy(m(x), y)", "sum(abs(m(x)))",
                                         "mean(m(x)^2) + sum(m(x)[:, 0] * y)"}),
                                    optimizer);
    if (any(2))
        lines += fmt::format("    metric {}\n", one({"accuracy(m(x), y)", "r = sqrt(mean(m(x)^2))", "max(m(x))"}));
    if (any(2)) lines += fmt::format("    predict {}\n", wide(1));
    return fmt::format("train{} {{\n{}}}\n", one({"", " a", " b"}), lines);
}

std::string Drawing::item() {
    switch (any(7)) {
    case 0: return "const K = " + constant(1) + "\n";
    case 1: return function();
    case 2: return dataset();
    case 3: return train();
    case 4:
        return fmt::format("rule {} {} -> {}\n", one({"exact", "fast"}),
                           one({"-(-x)", "x * 1", "log(exp(x))", "x + x"}), one({"x", "2 * x", "x * 1", "f0(x)"}));
    case 5:
        return fmt::format("optimizer own(rate, mu = 0.9) {{ state v = {};  v <- mu * v - rate * {};  w <- w + v "
                           "}}\n",
                           one({"0", "w", "1"}),
                           one({"g", "gradient(at: w + mu * v)", "g / sqrt(total(g^2) + 1)", "loss(at: w)"}));
    default: return model();
    }
}

std::string Drawing::program() {
    std::string text = "const K = 4\n" + function();
    if (any(2)) text += item();
    if (any(3)) text += "optimizer own(rate) { w <- w - rate * g }\n";
    text += model();
    if (any(2)) text += dataset() + train();
    return text;
}

/// The tokens of a text, each with the spaces and comments before it.
std::vector<std::string> pieces(const std::string& text) {
    Sources sources;
    Diagnostics diagnostics;
    Tokens tokens = lex(sources, sources.add({"text", text}), diagnostics);
    std::vector<std::string> result;
    uint32_t end = 0;
    for (const Token& token : tokens.all) {
        result.push_back(text.substr(end, token.end - end));
        end = token.end;
    }
    result.push_back(text.substr(end));
    return result;
}

} // namespace

std::string drawn_program(uint64_t seed) { return Drawing(seed).program(); }

std::string mutated_program(const std::string& text, uint64_t seed) {
    Drawing drawing(seed);
    std::vector<std::string> parts = pieces(text);
    for (size_t edits = 1 + drawing.any(3); edits > 0; --edits) {
        std::string& part = parts[drawing.any(parts.size())];
        const std::string other = parts[drawing.any(parts.size())];
        switch (drawing.any(8)) {
        case 0: part.clear(); break;
        case 1: part += other; break;
        case 2: part = other; break;
        case 3: std::swap(part, parts[drawing.any(parts.size())]); break;
        case 4: part = " " + drawing.expression(Kind(drawing.any(4)), int(drawing.any(3))); break;
        case 5: part += "\n" + drawing.statement() + "\n"; break;
        case 6: part += "\n" + drawing.item(); break;
        default:
            part += drawing.one({" 0",   " 1",      " -1",    " N",    " x",      " 2.5", " inf", " 1e9",
                                 " ..",  " :",      "'",      " true", " [N, 2]", " h",   " (x)", " [0]",
                                 " + 1", " sum(x)", " \"t\"", " .m",   " ^",      " @",   " %",   " not"});
        }
    }
    std::string result;
    for (const std::string& part : parts) result += part;
    return result;
}

} // namespace gradc
