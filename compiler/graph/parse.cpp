// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the text of a graph, line by line. Any text gives a valid graph or an error with its line: every node is
// checked before it is added, sizes and nesting are bounded.
#include "compiler/graph/print.h"
#include "compiler/graph/verify.h"
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>

namespace gradc {

namespace {

struct Failure {
    std::string message;
};

constexpr int deepest = 64; // bodies within bodies

class Parser {
public:
    Parser(const std::string& text, std::shared_ptr<PrimitiveTable> primitives)
        : rest_(text), primitives_(std::move(primitives)) {}

    Graph graph() {
        next_line();
        if (!word("graph")) fail("a graph starts with `graph 1`");
        if (int64_t version = number(); version != 1)
            fail(fmt::format("this text has format {}; this program reads format 1", version));
        end();
        next_line();
        Graph result = block(0);
        if (!at_end_) fail("a `}` without its body");
        return result;
    }

    size_t line_number() const { return line_number_; }

private:
    [[noreturn]] void fail(std::string message) const { throw Failure{std::move(message)}; }

    // ---- lines and tokens
    void next_line() {
        do {
            if (rest_.empty()) {
                at_end_ = true;
                line_ = {};
                return;
            }
            size_t size = std::min(rest_.find('\n'), rest_.size());
            line_ = rest_.substr(0, size);
            rest_.remove_prefix(std::min(size + 1, rest_.size()));
            ++line_number_;
            spaces();
        } while (line_.empty());
    }
    void spaces() {
        while (!line_.empty() && (line_[0] == ' ' || line_[0] == '\t' || line_[0] == '\r')) line_.remove_prefix(1);
    }
    bool sign(std::string_view text) {
        if (!line_.starts_with(text)) return false;
        line_.remove_prefix(text.size());
        spaces();
        return true;
    }
    void need(std::string_view text) {
        if (!sign(text)) fail(fmt::format("`{}` expected", text));
    }
    static bool letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    }
    std::string any_word() {
        size_t size = 0;
        while (size < line_.size() && letter(line_[size])) ++size;
        if (!size) fail("a word expected");
        std::string result(line_.substr(0, size));
        line_.remove_prefix(size);
        spaces();
        return result;
    }
    bool word(std::string_view text) {
        if (!line_.starts_with(text) || (line_.size() > text.size() && letter(line_[text.size()]))) return false;
        return sign(text);
    }
    template <class T> T read() {
        T value{};
        auto [stop, error] = std::from_chars(line_.data(), line_.data() + line_.size(), value);
        if (error != std::errc{}) fail("a number expected");
        line_.remove_prefix(size_t(stop - line_.data()));
        spaces();
        return value;
    }
    int64_t number() { return read<int64_t>(); }
    int small() {
        int64_t value = number();
        if (value < INT32_MIN || value > INT32_MAX) fail("the number is too large");
        return int(value);
    }
    void end() {
        if (!line_.empty()) fail("the line should end here");
    }

    std::string name_text() { return line_.starts_with('"') ? quoted() : any_word(); }
    std::string quoted() {
        need("\"");
        std::string result;
        while (!line_.empty() && line_[0] != '"') {
            if (line_[0] == '\\' && line_.size() > 3 && line_[1] == 'x') {
                unsigned code = 0;
                if (std::from_chars(line_.data() + 2, line_.data() + 4, code, 16).ptr != line_.data() + 4)
                    fail("two digits expected after \\x");
                result += char(code);
                line_.remove_prefix(4);
                continue;
            }
            if (line_[0] == '\\') line_.remove_prefix(1);
            if (line_.empty()) break;
            result += line_[0];
            line_.remove_prefix(1);
        }
        need("\"");
        return result;
    }

    template <class T> std::vector<T> list() {
        std::vector<T> result;
        need("[");
        if (sign("]")) return result;
        do result.push_back(read<T>());
        while (sign(","));
        need("]");
        return result;
    }

    // ---- types
    Type type() {
        std::string word = any_word();
        Type result;
        bool known = false;
        for (int e = 0; e <= int(Dtype::boolean); ++e)
            if (name(Dtype(e)) == word) result.dtype = Dtype(e), known = true;
        if (!known) fail("no element type is called " + word);
        if (!sign("[")) return result;
        if (sign("]")) return result;
        do result.shape.push_back(word_is_rows() ? rows : size());
        while (sign(","));
        need("]");
        return result;
    }
    bool word_is_rows() { return word("N"); }
    int64_t size() {
        int64_t value = number();
        if (value < 1) fail("sizes start at 1");
        return value;
    }

    // ---- attributes
    Input input() {
        static constexpr const char* sources[] = {"field", "scalar", "carry", "capture", "iteration"};
        std::string source = any_word();
        Input result;
        auto at = std::find(std::begin(sources), std::end(sources), source);
        if (at == std::end(sources)) fail("no input is of source " + source);
        result.source = Input::Source(at - std::begin(sources));
        result.name = quoted();
        if (line_.starts_with(':')) return result;
        result.low = number();
        need("..");
        result.high = number();
        return result;
    }

    Attributes attributes(Op op) {
        switch (op) {
        case Op::constant:
            if (line_.starts_with('[')) return Constant{list<double>()};
            return Constant{{read<double>()}};
        case Op::input: return input();
        case Op::variable: return VariableName{quoted()};
        case Op::random: return Random{read<uint64_t>()};
        case Op::elementwise: {
            std::string word = any_word();
            auto found = primitives_->find(word);
            if (!found) fail("no primitive is called " + word);
            return Elementwise{*found};
        }
        case Op::custom_gradient: return CustomGradient{read<uint64_t>()};
        case Op::iota:
        case Op::sum:
        case Op::max_of:
        case Op::permute:
        case Op::broadcast: return Axes{list<int>()};
        case Op::slice: {
            auto start = list<int64_t>();
            need("step");
            return Slice{std::move(start), list<int64_t>()};
        }
        case Op::pad: {
            auto before = list<int64_t>();
            need("value");
            return Pad{std::move(before), read<double>()};
        }
        case Op::window:
        case Op::fold: return window();
        case Op::gather:
        case Op::scatter: return lookup();
        case Op::contract: return contraction();
        case Op::scan: return scan();
        case Op::part: return Part{small()};
        case Op::assign: return Assign{quoted()};
        case Op::cast:
        case Op::reshape: return NoAttributes{};
        }
        return NoAttributes{};
    }
    Window window() {
        Window result;
        need("axis"), result.axis = small();
        need("stride"), result.stride = number();
        need("dilation"), result.dilation = number();
        return result;
    }
    Gather lookup() {
        Gather result;
        need("axis"), result.axis = small();
        need("batch"), result.batch = small();
        return result;
    }
    Contract contraction() {
        Contract result;
        result.left = list<int>();
        result.right = list<int>();
        result.out = list<int>();
        return result;
    }
    Scan scan() {
        Scan result;
        need("body");
        int64_t body = number();
        auto found = bodies_.back().find(body);
        if (found == bodies_.back().end()) fail(fmt::format("no body {} stands before", body));
        result.body = found->second;
        need("iterations"), result.iterations = number();
        need("carries"), result.carries = small();
        result.reverse = word("reverse");
        return result;
    }

    // ---- nodes
    NodeId reference(const std::map<int64_t, NodeId>& nodes) {
        need("%");
        int64_t id = number();
        auto found = nodes.find(id);
        if (found == nodes.end()) fail(fmt::format("no node %{} stands before", id));
        return found->second;
    }

    void node(Graph& graph, std::map<int64_t, NodeId>& nodes) {
        int64_t id = number();
        need("=");
        std::string word = any_word();
        const Op* op = find_op(word);
        if (!op) fail("no op is called " + word);
        Attributes attributes = this->attributes(*op);
        std::vector<NodeId> inputs;
        while (line_.starts_with('%')) inputs.push_back(reference(nodes));
        need(":");
        Type type = this->type();
        std::string error = verify_node(graph, *op, type, inputs, attributes);
        if (!error.empty()) fail(error);
        NodeId added = graph.add(*op, std::move(type), std::move(inputs), std::move(attributes));
        if (sign("#")) graph.name_node(added, name_text());
        end();
        if (!nodes.emplace(id, added).second) fail(fmt::format("%{} stands twice", id));
    }

    void body(Graph& graph, int depth) {
        if (depth >= deepest) fail("bodies within bodies within bodies ..");
        int64_t number = this->number();
        need("{");
        end();
        next_line();
        Graph inner = block(depth + 1);
        if (at_end_ || !sign("}")) fail("the body does not end");
        end();
        if (!bodies_.back().emplace(number, graph.add_body(std::move(inner))).second)
            fail(fmt::format("body {} stands twice", number));
    }

    Graph block(int depth) {
        Graph graph(primitives_);
        std::map<int64_t, NodeId> nodes;
        bodies_.emplace_back();
        for (; !at_end_ && !line_.starts_with('}'); next_line()) {
            if (word("body")) body(graph, depth);
            else if (word("output")) {
                std::string name = name_text();
                need("=");
                graph.outputs.push_back({name, reference(nodes)});
                end();
            } else if (sign("%")) node(graph, nodes);
            else fail("a node, a body or an output expected");
        }
        bodies_.pop_back();
        return graph;
    }

    std::string_view rest_, line_;
    size_t line_number_ = 0;
    bool at_end_ = false;
    std::shared_ptr<PrimitiveTable> primitives_;
    std::vector<std::map<int64_t, uint32_t>> bodies_; // by number in the text; one map for each enclosing block
};

} // namespace

std::optional<Graph> parse_graph(const std::string& text, std::shared_ptr<PrimitiveTable> primitives,
                                 std::string& error) {
    Parser parser(text, std::move(primitives));
    try {
        Graph graph = parser.graph();
        error = verify(graph);
        if (error.empty()) return graph;
    } catch (const Failure& failure) {
        error = fmt::format("line {}: {}", parser.line_number(), failure.message);
    }
    return std::nullopt;
}

} // namespace gradc
