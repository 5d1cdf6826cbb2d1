// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trees are nested lists: (binary + (name a) (number 1)). Each statement is a line, indented by depth.
#include "dsl/dump.h"
#include <fmt/format.h>

namespace gradc {

using namespace ast;

namespace {

/// Collects the text; `line` begins a new line at the current depth.
struct Dumper {
    std::string out;
    size_t depth = 0;

    void line() { out += "\n" + std::string(2 * depth, ' '); }
    void word(std::string_view text);
    void open(std::string_view kind) { word("("), out += kind; }
    void close() { out += ')'; }

    void quoted(std::string_view text);
    void expr(const ExprRef& value);
    void exprs(const std::vector<ExprRef>& values);
    void binders(const std::vector<IndexBinder>& all);

    // ---- expressions
    void operator()(const Number& n) { word(fmt::format("{}{}", n.value, n.integer ? "" : "f")); }
    void operator()(const Text& n) { quoted(n.value); }
    void operator()(const Name& n) { word(n.name); }
    void operator()(const Ellipsis&) { word(".."); }
    void operator()(const Range& n) { node("range", {n.first, n.last}); }
    void operator()(const Slice& n) { node("slice", {n.start, n.stop, n.step}); }
    void operator()(const Unary& n) { node(n.op == UnaryOperator::negate ? "negate" : "not", {n.operand}); }
    void operator()(const Transpose& n) { node("transpose", {n.operand}); }
    void operator()(const Binary& n);
    void operator()(const Member& n);
    void operator()(const Index& n);
    void operator()(const Call& n);
    void operator()(const List& n) { node("list", n.items); }
    void operator()(const Scan& n);
    void node(std::string_view kind, const std::vector<ExprRef>& parts);
    void type(const TypeExpr& t);

    // ---- statements
    void comments(const Comments& all);
    template <typename Lines, typename Each> void lines(const Lines& all, const Each& each) {
        ++depth;
        for (const auto& one : all) {
            comments(one.comments);
            line();
            each(one.node);
        }
        --depth;
    }
    template <typename Body> void ending(const Body& body) {
        ++depth;
        comments({body.last_comments, body.comment});
        --depth;
    }
    void block(const Block& body);
    void operator()(const Assign& s);
    void operator()(const IndexDefinition& s);
    void operator()(const Update& s);
    void operator()(const Declaration& s);
    void operator()(const Return& s);
    void operator()(const Yield& s) { node("yield", s.values); }
    void operator()(const If& s);
    void operator()(const Repeat& s);
    void operator()(const Evaluate& s) { node("evaluate", {s.value}); }

    // ---- declarations
    void operator()(const Use& use);
    void operator()(const Constants& constants);
    void operator()(const Function& f);
    void operator()(const Rule& rule);
    void operator()(const Field& field);
    void operator()(const Split& split);
    void operator()(const Dataset& dataset);
    void operator()(const Setting& setting);
    void operator()(const Statement& statement) { std::visit(*this, statement.node); }
    void operator()(const Train& train);
};

void Dumper::word(std::string_view text) {
    if (!out.empty() && out.back() != '(' && out.back() != ' ') out += ' ';
    out += text;
}

void Dumper::quoted(std::string_view text) {
    std::string result = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') result.append({'\\', c});
        else if (static_cast<unsigned char>(c) < 0x20) result += fmt::format("\\x{:02x}", c);
        else result += c;
    }
    word(result + "\"");
}

void Dumper::expr(const ExprRef& value) {
    if (value) std::visit(*this, value->node);
    else word("-");
}

void Dumper::exprs(const std::vector<ExprRef>& values) {
    for (const ExprRef& value : values) expr(value);
}

void Dumper::binders(const std::vector<IndexBinder>& all) {
    for (const IndexBinder& each : all) {
        open("index");
        word(each.ellipsis ? ".." : each.name);
        if (each.bound) expr(each.bound);
        close();
    }
}

void Dumper::operator()(const Binary& n) {
    constexpr std::string_view names[] = {
        "or", "and", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "@", "^"};
    node(names[static_cast<size_t>(n.op)], {n.left, n.right});
}

void Dumper::operator()(const Member& n) {
    open("member");
    expr(n.object);
    word(n.name);
    close();
}

void Dumper::operator()(const Index& n) {
    open("at");
    expr(n.object);
    exprs(n.items);
    close();
}

void Dumper::operator()(const Call& n) {
    open(n.indexed ? "call-indexed" : "call");
    word(n.callee);
    binders(n.indices);
    for (const Argument& each : n.arguments) {
        if (each.name) word(*each.name + ":");
        expr(each.value);
    }
    close();
}

void Dumper::operator()(const Scan& n) {
    open("scan");
    word(n.index);
    expr(n.bound);
    for (const Carried& each : n.carried) {
        word(each.name + " =");
        expr(each.initial);
    }
    block(*n.body);
    close();
}

void Dumper::node(std::string_view kind, const std::vector<ExprRef>& parts) {
    open(kind);
    exprs(parts);
    close();
}

void Dumper::type(const TypeExpr& t) {
    open("type");
    if (t.constant) word("const");
    if (t.dtype) word(*t.dtype);
    if (t.shape) node("shape", *t.shape);
    if (t.upper) node("below", {t.upper});
    close();
}

void Dumper::comments(const Comments& all) {
    for (const std::string& each : all.before) {
        if (each.empty()) continue;
        line();
        word("#" + each);
    }
    if (!all.beside.empty()) {
        line();
        word("#>" + all.beside);
    }
}

void Dumper::block(const Block& body) {
    open("block");
    lines(body.statements, [&](const auto& node) { std::visit(*this, node); });
    ending(body);
    close();
}

void Dumper::operator()(const Assign& s) {
    open("assign");
    for (const Target& target : s.targets) word(target.name);
    for (const ExprRef& value : s.values) expr(value);
    if (s.saved_as) quoted(*s.saved_as);
    close();
}

void Dumper::operator()(const Return& s) {
    open("return");
    for (const ExprRef& value : s.values) expr(value);
    if (s.saved_as) quoted(*s.saved_as);
    close();
}

void Dumper::operator()(const IndexDefinition& s) {
    open("define");
    word(s.target.name);
    binders(s.indices);
    expr(s.value);
    close();
}

void Dumper::operator()(const Update& s) {
    open("update");
    word(s.target.name);
    expr(s.value);
    close();
}

void Dumper::operator()(const Declaration& s) {
    open(s.state ? "state" : "param");
    word(s.target.name);
    if (s.type) type(*s.type);
    expr(s.initial);
    if (s.saved_as) quoted(*s.saved_as);
    close();
}

void Dumper::operator()(const If& s) {
    open("if");
    expr(s.condition);
    block(*s.then);
    if (s.otherwise) block(*s.otherwise);
    close();
}

void Dumper::operator()(const Repeat& s) {
    open("repeat");
    if (s.index) word(s.index->name);
    expr(s.count);
    block(*s.body);
    close();
}

void Dumper::operator()(const Use& use) {
    open("use");
    quoted(use.path);
    close();
}

void Dumper::operator()(const Constants& constants) {
    open("const");
    for (const Constant& each : constants.all) {
        word(each.target.name);
        expr(each.value);
    }
    close();
}

void Dumper::operator()(const Function& f) {
    constexpr std::string_view kinds[] = {"fn", "model", "optimizer"};
    open(kinds[static_cast<size_t>(f.kind)]);
    word(f.name);
    for (const Parameter& each : f.parameters) {
        open("parameter");
        word(each.name);
        if (each.type) type(*each.type);
        if (each.initial) expr(each.initial);
        close();
    }
    for (const TypeExpr& each : f.results) type(each);
    if (f.value) expr(f.value);
    if (f.body) block(*f.body);
    for (const Derivative& each : f.derivatives) {
        open(each.surrogate ? "surrogate-derivative" : "derivative");
        word(each.parameter);
        expr(each.value);
        close();
    }
    close();
}

void Dumper::operator()(const Rule& rule) {
    node(rule.exact ? "rule-exact" : "rule-fast", {rule.left, rule.right, rule.condition});
}

void Dumper::operator()(const Field& field) {
    open("field");
    word(field.target.name);
    if (field.type) type(*field.type);
    for (const FieldName& other : field.others) {
        word(other.target.name);
        if (other.type) type(*other.type);
    }
    if (!field.indices.empty()) binders(field.indices);
    expr(field.value);
    close();
}

void Dumper::operator()(const Split& split) {
    open("split");
    for (const SplitPart& part : split.parts) {
        word(part.name);
        expr(part.fraction);
    }
    if (split.in_order) word("in-order");
    close();
}

void Dumper::operator()(const Dataset& dataset) {
    open("dataset");
    word(dataset.name);
    lines(dataset.items, [&](const auto& node) { std::visit(*this, node); });
    ending(dataset);
    close();
}

void Dumper::operator()(const Setting& setting) {
    open("setting");
    word(setting.key);
    if (setting.label) word(setting.label->name + " =");
    if (setting.value) expr(setting.value);
    for (const Target& pattern : setting.on) quoted(pattern.name);
    close();
}

void Dumper::operator()(const Train& train) {
    open("train");
    word(train.name);
    lines(train.items, [&](const auto& node) { std::visit(*this, node); });
    ending(train);
    close();
}

} // namespace

std::string dump(const Module& module) {
    Dumper dumper;
    for (const Item& item : module.items) {
        dumper.comments(item.comments);
        dumper.line();
        std::visit(dumper, item.node);
    }
    dumper.comments({module.last_comments, {}});
    if (dumper.out.starts_with('\n')) dumper.out.erase(0, 1);
    return dumper.out + "\n";
}

std::string dump(const Expr& expression) {
    Dumper dumper;
    std::visit(dumper, expression.node);
    return dumper.out;
}

std::string dump(const Tokens& tokens, const Sources& sources, uint32_t source) {
    std::string result;
    for (const Token& token : tokens.all) {
        Place place = sources.place(source, token.begin);
        std::string_view text = sources.text({source, token.begin, token.end});
        result += fmt::format("{}:{} {}{}\n", place.line, place.column, describe(token.kind),
                              token.kind == TokenKind::name || token.kind == TokenKind::number ||
                                      token.kind == TokenKind::text
                                  ? fmt::format(" {}", text)
                                  : "");
    }
    return result;
}

} // namespace gradc
