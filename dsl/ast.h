// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The syntax tree of a model file, as written: names are not resolved, nothing is typed. Expressions are immutable and
// shared. Statements hold the comments before and beside them, so that `gradc fmt` keeps every word of a file. A null
// ExprRef or BlockRef is an absent optional part.
#pragma once
#include "dsl/source.h"
#include <memory>
#include <utility>
#include <variant>

namespace gradc::ast {

struct Expr;
struct Block;
using ExprRef = std::shared_ptr<const Expr>; // null where something optional is absent
using BlockRef = std::shared_ptr<const Block>;

// ---- expressions

struct Number {
    double value = 0;
    bool integer = false; // written without decimal point or exponent: 20_000
    std::string text;     // as written
};
struct Text { // "file.csv"
    std::string value;
};
struct Name { // a variable, or one of true false inf nan pi
    std::string name;
};
struct Ellipsis {}; // .. inside brackets
struct Range {      // 0..64 (first included, last not)
    ExprRef first, last;
};
struct Slice { // 1:  :T  ::2 inside brackets only
    ExprRef start, stop, step;
};
enum class UnaryOperator { negate, logical_not };
struct Unary {
    UnaryOperator op;
    ExprRef operand;
};
struct Transpose { // operand'
    ExprRef operand;
};
enum class BinaryOperator {
    logical_or,
    logical_and,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    add,
    subtract,
    multiply,
    divide,
    floor_divide,
    modulo,
    matmul,
    power
};
struct Binary {
    BinaryOperator op;
    ExprRef left, right;
    Span op_span;
};
struct Member { // train.raw, net.w1
    ExprRef object;
    std::string name;
    Span name_span;
};
struct Index { // object[items]: Slice, Ellipsis or any expression
    ExprRef object;
    std::vector<ExprRef> items;
};
struct Argument {
    std::optional<std::string> name; // given as name: value
    Span span;
    ExprRef value;
};
struct IndexBinder { // n, d < 3 or .. on the left of a definition by index or after sum, max, ..
    std::string name;
    bool ellipsis = false;
    ExprRef bound; // null without a written bound
    Span span;
};
struct Call { // f(a, axis: 1); with indices: sum[i, j](..)
    std::string callee;
    Span callee_span;
    bool indexed = false;
    std::vector<IndexBinder> indices;
    std::vector<Argument> arguments;
};
struct List { // [N, T, 3*heads], [[0, 0], [0, 1]]
    std::vector<ExprRef> items;
};
struct Carried { // h = zeros([N, 4]) after `with`
    std::string name;
    Span span;
    ExprRef initial;
};
struct Scan { // scan t < T with h = a, c = b { ..  yield y }
    std::string index;
    Span index_span;
    ExprRef bound;
    std::vector<Carried> carried;
    BlockRef body;
};

struct Expr {
    Span span;
    std::variant<Number, Text, Name, Ellipsis, Range, Slice, Unary, Transpose, Binary, Member, Index, Call, List, Scan>
        node;
    uint32_t height = 1; // of the tree, blocks of scans included; at most height_limit
};
inline constexpr uint32_t height_limit = 512;

/// f32[N, 64], int[..] < C, const int, [.., I], u8[28, 28]; all parts optional.
struct TypeExpr {
    Span span;
    bool constant = false;                     // const int, const bool
    std::optional<std::string> dtype;          // f32 f64 bf16 u8 int bool, absent: any float
    std::optional<std::vector<ExprRef>> shape; // absent: a scalar if there is a dtype, else anything
    ExprRef upper;                             // exclusive bound of integers
};

// ---- statements

struct Target {
    std::string name;
    Span span;
};
struct Assign { // x = e    i, f, g, o = split(e, 4)    a, b = b, a
    std::vector<Target> targets;
    std::vector<ExprRef> values;              // one, or one for each target
    std::optional<std::string> saved_as = {}; // `as "..."`: the weights of the functions that it calls, in files
};
struct IndexDefinition { // y[n, t < T] = e
    Target target;
    std::vector<IndexBinder> indices;
    ExprRef value;
};
struct Update { // v <- e
    Target target;
    ExprRef value;
};
struct Declaration { // param weight: [I, units] = glorot_uniform() as "name"; state v = 0
    bool state = false;
    Target target;
    std::optional<TypeExpr> type;
    ExprRef initial;
    std::optional<std::string> saved_as;
};
struct Return {
    std::vector<ExprRef> values;
    std::optional<std::string> saved_as = {}; // see Assign
};
struct Yield {
    std::vector<ExprRef> values;
};
struct If {
    ExprRef condition;
    BlockRef then, otherwise; // otherwise may be null; `else if` is a block with one If
};
struct Repeat {
    std::optional<Target> index;
    ExprRef count;
    BlockRef body;
};
struct Evaluate { // an expression for its effect: `inner` in an optimizer
    ExprRef value;
};

struct Comments {
    std::vector<std::string> before; // lines above, without #; "" is a blank line to keep
    std::string beside;              // on the last line of the statement, without #; "" if none
};

struct Statement {
    Span span;
    Comments comments;
    std::variant<Assign, IndexDefinition, Update, Declaration, Return, Yield, If, Repeat, Evaluate> node;
};

struct Block {
    Span span;
    std::vector<Statement> statements;
    std::vector<std::string> last_comments; // before the closing brace
    std::string comment = {};               // beside the opening brace, without #
    bool one_line = false;                  // written on one line, and printed so if it fits
    uint32_t height = 1;
};

// ---- declarations of a file

struct Parameter { // of a fn, model or optimizer
    std::string name;
    Span span;
    std::optional<TypeExpr> type;
    ExprRef initial; // default value
};
struct Derivative { // derivative x: g * sigmoid(x)
    std::string parameter;
    Span span;
    ExprRef value;
    bool surrogate = false; // `surrogate derivative`: differs on purpose from the derivative of the value
};
enum class FunctionKind { function, model, optimizer };
/// fn, model or optimizer. Exactly one of body and value is set; a primitive has neither.
struct Function {
    FunctionKind kind = FunctionKind::function;
    std::string name;
    Span name_span;
    std::vector<Parameter> parameters;
    std::vector<TypeExpr> results; // after ->, may be empty
    ExprRef value;                 // fn f(x) = e
    BlockRef body;                 // fn f(x) { .. }
    std::vector<Derivative> derivatives;
};
struct Rule { // rule exact -(-x) -> x   rule fast x^c -> x*x when c == 2
    bool exact = false;
    ExprRef left, right, condition; // condition may be null
};
struct Constant {
    Target target;
    ExprRef value;
};
struct Constants { // const T = 64, C = 128
    std::vector<Constant> all;
};
struct Use {
    std::string path;
    Span path_span;
};
struct FieldName { // label: u8 < 10
    Target target;
    std::optional<TypeExpr> type = {};
};
struct Field { // image: f32[64] = csv(..) / 16    pair[i < 2] = image[i]    label: u8, image: u8[784] = raw(..)
    Target target;
    std::optional<TypeExpr> type;
    ExprRef value;
    std::vector<IndexBinder> indices = {}; // of a definition by index, which has no type
    std::vector<FieldName> others = {};    // that the same reader fills
};
struct SplitPart {
    std::string name;
    Span span;
    ExprRef fraction;
};
struct Split { // split train: 0.8, test: 0.2, in order
    std::vector<SplitPart> parts;
    bool in_order = false;
};
struct DatasetItem {
    Span span;
    Comments comments;
    std::variant<Field, Split> node;
};
struct Dataset {
    std::string name;
    Span name_span;
    std::vector<DatasetItem> items;
    std::vector<std::string> last_comments;
    std::string comment = {}; // beside the opening brace, without #
    bool one_line = false;
};
/// A setting of a train block: `batch 32`, `batch all`, `order file`, `optimizer adam(..) on *.weight, critic`, `freeze
/// critic`, `metric rmse = e`, `loss e`, `predict e`.
struct Setting {
    std::string key;
    Span key_span;
    std::optional<Target> label; // of a metric
    ExprRef value;               // `all`, `file` and names of datasets are Names; null for `freeze`
    std::vector<Target> on;      // patterns of an optimizer or freeze line
};
struct TrainItem {
    Span span;
    Comments comments;
    std::variant<Setting, Statement> node;
};
struct Train {
    std::string name; // "" if it has none
    Span name_span;
    std::vector<TrainItem> items;
    std::vector<std::string> last_comments;
    std::string comment = {}; // beside the opening brace, without #
    bool one_line = false;
};

struct Item {
    Span span;
    Comments comments;
    std::variant<Use, Constants, Function, Rule, Dataset, Train> node;
};

struct Module {
    uint32_t source = Span::nowhere;
    std::vector<Item> items;
    std::vector<std::string> last_comments;
};

} // namespace gradc::ast
