// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trees of expressions, statements and declarations.
#include "tests/unit/dsl/reading.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {
struct Row {
    const char *text, *tree;
};
} // namespace

TEST_CASE("operators bind as in Python") {
    for (const Row& row : {
             Row{"-x^2", "(negate (^ x 2))"},
             Row{"2^-1", "(^ 2 (negate 1))"},
             Row{"2^3^4", "(^ 2 (^ 3 4))"},
             Row{"a - b - c", "(- (- a b) c)"},
             Row{"a + b * c", "(+ a (* b c))"},
             Row{"-a * b", "(* (negate a) b)"},
             Row{"a * -b", "(* a (negate b))"},
             Row{"a @ b' @ c", "(@ (@ a (transpose b)) c)"},
             Row{"x'[0]'", "(transpose (at (transpose x) 0))"},
             Row{"not a == b and c or d", "(or (and (not (== a b)) c) d)"},
             Row{"not not a", "(not (not a))"},
             Row{"a < b + 1", "(< a (+ b 1))"},
             Row{"a<-3", "(< a (negate 3))"},
             Row{"a <-3 + b", "(< a (+ (negate 3) b))"},
             Row{"(a < b) == c", "(== (< a b) c)"},
             Row{"a % b / c", "(/ (% a b) c)"},
             Row{"a // b // -c + d % e", "(+ (// (// a b) (negate c)) (% d e))"},
             Row{"(a + b) * c", "(* (+ a b) c)"},
             Row{"--x", "(negate (negate x))"},
             Row{"a or\n  b +\n  c", "(or a (+ b c))"},
         }) {
        CAPTURE(row.text);
        CHECK(tree_of_expression(row.text) == row.tree);
    }
}

TEST_CASE("calls, brackets and literals") {
    for (const Row& row : {
             Row{"f()", "(call f)"},
             Row{"f(a, axis: -1)", "(call f a axis: (negate 1))"},
             Row{"f(a,\n  b,\n)", "(call f a b)"},
             Row{"sum[i, j < 3, ..](x[i])", "(call-indexed sum (index i) (index j 3) (index ..) (at x i))"},
             Row{"x[.., label[..]]", "(at x .. (at label ..))"},
             Row{"x[:, 1:, :T, ::2, 1:2:3]",
                 "(at x (slice - - -) (slice 1 - -) (slice - T -) (slice - - 2) (slice 1 2 3))"},
             Row{"csv(\"a\", columns: 0..64)", "(call csv \"a\" columns: (range 0 64))"},
             Row{"net.w1[0]", "(at (member net w1) 0)"},
             Row{"train.raw", "(member train raw)"},
             Row{"[[0, 1], []]", "(list (list 0 1) (list))"},
             Row{"loss(at: e) - loss(at: w)", "(- (call loss at: e) (call loss at: w))"},
             Row{"1.5e3", "1500f"},
             Row{"x[a\n + b]", "(at x (+ a b))"},
             Row{"scan t < T with h = a, c = b { yield h }", "(scan t T h = a c = b (block\n  (yield h)))"},
             Row{"f(scan t < 3 { yield t })[0]", "(at (call f (scan t 3 (block\n  (yield t)))) 0)"},
         }) {
        CAPTURE(row.text);
        CHECK(tree_of_expression(row.text) == row.tree);
    }
}

TEST_CASE("most words are reserved only where they have a meaning") {
    for (const char* word : {"loss",  "step", "state", "rows",  "data",    "order",     "at",         "model",
                             "train", "rule", "use",   "const", "dataset", "optimizer", "derivative", "as",
                             "on",    "in",   "split", "when",  "exact",   "batch",     "metric",     "surrogate"}) {
        std::string text = std::string("fn f(") + word + ") { " + word + " = " + word + " + 1; " + word + " <- " +
                           word + "[0]; return g(" + word + ": " + word + ".x) }";
        CAPTURE(text);
        CHECK(codes_of(text) == "");
    }
    for (const char* word :
         {"fn", "param", "if", "else", "repeat", "scan", "return", "yield", "and", "or", "not", "with"}) {
        CAPTURE(word);
        CHECK(codes_of(std::string("fn f(") + word + ") = 1") == "reserved-word@1:6");
    }
}

TEST_CASE("statements") {
    auto in_block = [](const std::string& text) {
        std::string tree = tree_of("fn f() {" + text + "}");
        return tree.starts_with("(fn f (block ") ? tree.substr(13, tree.size() - 15) : tree;
    };
    for (const Row& row : {
             Row{"x = 1; y = 2", "(assign x 1) (assign y 2)"},
             Row{"\nx = 1\n\ny = 2;\n", "(assign x 1) (assign y 2)"},
             Row{"i, f = split(e, 2)", "(assign i f (call split e 2))"},
             Row{"a, b = b,\na", "(assign a b b a)"},
             Row{"y[n, t < T, ..] = e", "(define y (index n) (index t T) (index ..) e)"},
             Row{"v <- v + 1", "(update v (+ v 1))"},
             Row{"param w: [I, 3] = f() as \"a.b\"", "(param w (type (shape I 3)) (call f) \"a.b\")"},
             Row{"state v: [] = 0", "(state v (type (shape)) 0)"},
             Row{"state m = 0", "(state m 0)"},
             Row{"return a, b", "(return a b)"},
             Row{"inner", "(evaluate inner)"},
             Row{"if a { x = 1 } else if b { x = 2 } else { x = 3 }",
                 "(if a (block (assign x 1)) (block (if b (block (assign x 2)) (block (assign x "
                 "3)))))"},
             Row{"if a {\n}\nelse {\n}", "(if a (block) (block))"},
             Row{"repeat i < 4 { x = i }", "(repeat i 4 (block (assign x i)))"},
             Row{"repeat 2 * n { x = i }", "(repeat (* 2 n) (block (assign x i)))"},
         }) {
        CAPTURE(row.text);
        CHECK(in_block(row.text) == row.tree);
    }
}

TEST_CASE("declarations") {
    for (const Row& row : {
             Row{"fn erf(x)  derivative x: g", "(fn erf (parameter x) (derivative x g))"},
             Row{"fn f(a, b) = a\n    derivative a: g,\n b: 0",
                 "(fn f (parameter a) (parameter b) a (derivative a g) (derivative b 0))"},
             Row{"fn f(a, b) = a  surrogate derivative a: g\nderivative b: 0",
                 "(fn f (parameter a) (parameter b) a (surrogate-derivative a g) (derivative b 0))"},
             Row{"fn surrogate(surrogate) = surrogate  derivative surrogate: g",
                 "(fn surrogate (parameter surrogate) surrogate (derivative surrogate g))"},
             Row{"fn f(x: int[..] < V, n: const int = 3, y: [.., I]) -> f32[N, V], int < 9 { }",
                 "(fn f (parameter x (type int (shape ..) (below V))) (parameter n (type const "
                 "int) 3) "
                 "(parameter y (type (shape .. I))) (type f32 (shape N V)) (type int (below 9)) "
                 "(block))"},
             Row{"fn f(x) ->\n [N] {}", "(fn f (parameter x) (type (shape N)) (block))"},
             Row{"optimizer ranger(k = 6) = lookahead(radam(k), k)",
                 "(optimizer ranger (parameter k 6) (call lookahead (call radam k) k))"},
             Row{"rule exact -(-x) -> x", "(rule-exact (negate (negate x)) x -)"},
             Row{"rule fast x^c -> x * x when c == 2", "(rule-fast (^ x c) (* x x) (== c 2))"},
             Row{"const T = 64,\n C = T * 2", "(const T 64 C (* T 2))"},
             Row{"use \"mine.grad\"", "(use \"mine.grad\")"},
             Row{"dataset d { label: int < 10 = csv(\"a\"); x = 1; split train: 0.8, test: 0.2, in "
                 "order }",
                 "(dataset d (field label (type int (below 10)) (call csv \"a\")) (field x 1) "
                 "(split train 0.8f test 0.2f in-order))"},
             Row{"dataset d { split: f32 = 1; order = 2 }", "(dataset d (field split (type f32) 1) (field order 2))"},
         }) {
        CAPTURE(row.text);
        CHECK(tree_of(row.text) == row.tree);
    }
}

TEST_CASE("train blocks hold settings and statements") {
    for (const Row& row : {
             Row{"batch 32", "(setting batch 32)"},
             Row{"batch all", "(setting batch all)"},
             Row{"order file", "(setting order file)"},
             Row{"data digits", "(setting data digits)"},
             Row{"loss -mean(e)", "(setting loss (negate (call mean e)))"},
             Row{"loss (a + b) * c", "(setting loss (* (+ a b) c))"},
             Row{"loss [1, 2][0]", "(setting loss (at (list 1 2) 0))"},
             Row{"metric rmse = sqrt(e)", "(setting metric rmse = (call sqrt e))"},
             Row{"metric a == b", "(setting metric (== a b))"},
             Row{"predict e", "(setting predict e)"},
             Row{"optimizer sgd(r: 1) on critic, *.weight, a.b_*.w",
                 "(setting optimizer (call sgd r: 1) \"critic\" \"*.weight\" \"a.b_*.w\")"},
             Row{"data <- 3", "(update data 3)"},
             Row{"loss[n] = 3", "(define loss (index n) 3)"},
             Row{"order, x = f()", "(assign order x (call f))"},
             Row{"rate = 3", "(assign rate 3)"},
             Row{"x = on", "(assign x on)"},
         }) {
        CAPTURE(row.text);
        CHECK(tree_of("train { " + std::string(row.text) + " }") == "(train " + std::string(row.tree) + ")");
    }
}

TEST_CASE("each mistake gives one error with a code and a place") {
    struct Case {
        const char *text, *codes;
    };
    for (const Case& each : {
             Case{"fn f(x) = x +\nfn g(x) = )\n", "unexpected-token@1:13 unexpected-token@2:11"},
             Case{"fn f(x) {\n  a = 1 2\n  b = ]\n  c = 3\n}\n", "unexpected-token@2:9 unexpected-token@3:7"},
             Case{"fn f(x) {\n  y = g(a b,\n    c)\n  z = 1 1\n}\n", "unexpected-token@2:11 unexpected-token@4:9"},
             Case{"fn f(x) {\n  y = 1\n\nfn g(x) = 1 1\n", "unclosed-bracket@2:7 unexpected-token@4:13"},
             Case{"x = 3\n\ny = 4\n", "misplaced-statement@1:1 misplaced-statement@3:1"},
             Case{"fn f(x) = x ? 1 : 2\n", "unexpected-character@1:13"},
             Case{"\n\nfn f(x) = \"abc\n", "unterminated-text@3:11"},
             Case{"", ""},
             Case{"\n# only a comment", ""},
         }) {
        CAPTURE(each.text);
        CHECK(codes_of(each.text) == each.codes);
    }
}

TEST_CASE("any nesting ends at a limit, with one error") {
    auto times = [](size_t count, const std::string& text) {
        std::string result;
        for (size_t i = 0; i < count; ++i) result += text;
        return result;
    };
    CHECK(codes_of("const x = " + times(256, "(") + "1" + times(256, ")")) == "");
    CHECK(codes_of("const x = " + times(257, "(") + "1" + times(257, ")")) == "nested-too-deep@1:267");
    CHECK(codes_of("const x = " + times(10000, "(") + "1" + times(10000, ")")) == "nested-too-deep@1:267");
    for (const std::string& deep :
         {times(10000, "("), times(10000, "["), times(10000, "f("), times(10000, "x["), times(10000, "-") + "x",
          times(10000, "not ") + "x", times(10000, "2^") + "x", "x" + times(100000, "'"), "x" + times(100000, "[0]"),
          "x" + times(100000, " + x"), "x" + times(100000, ".y"), times(10000, "scan t < 3 { x = "),
          times(10000, "sum[i < ")}) {
        CAPTURE(deep.substr(0, 20));
        CHECK(codes_of("const x = " + deep).starts_with("nested-too-deep@1:"));
        CHECK(codes_of("const x = " + deep).find(' ') == std::string::npos);
    }
    for (const std::string& deep : {times(10000, "if x { "), "if x {}" + times(10000, " else if x {}"),
                                    times(10000, "repeat 3 { "), times(10000, "scan i < 3 { ")})
        CHECK(codes_of("fn f() { " + deep).starts_with("nested-too-deep@1:"));
}
