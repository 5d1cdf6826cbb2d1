// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The canonical form: its rules, that it keeps comments, and that it is its own canonical form.
#include "tests/unit/dsl/reading.h"
#include <catch2/catch.hpp>

using namespace gradc;

namespace {
struct Row {
    const char *text, *printed;
};
} // namespace

TEST_CASE("expressions are printed with the brackets that they need") {
    for (const Row& row : {
             Row{"((a+b))*(c)", "(a + b) * c"},
             Row{"a-(b-c)", "a - (b - c)"},
             Row{"(a-b)-c", "a - b - c"},
             Row{"-(-x)", "-(-x)"},
             Row{"(-x)^2 + -(x^2)", "(-x)^2 + -x^2"},
             Row{"2^(-1)^(2)", "2^(-1)^2"},
             Row{"2^(-(1^2))", "2^-1^2"},
             Row{"(a^b)^c", "(a^b)^c"},
             Row{"q^(1/3)", "q^(1 / 3)"},
             Row{"(a@b)'", "(a @ b)'"},
             Row{"not(a<b)", "not a < b"},
             Row{"(not a) == b", "(not a) == b"},
             Row{"(a<b)==(c<d)", "(a < b) == (c < d)"},
             Row{"a and (b or c)", "a and (b or c)"},
             Row{"a<-b", "a < -b"},
             Row{"x[2*h+i, 3 * (a+b), :T, a : b+1 : 2, ..]", "x[2*h + i, 3 * (a + b), :T, a:b + 1:2, ..]"},
             Row{".5+1.+1.e3+1e-3+20_000", "0.5 + 1.0 + 1.0e3 + 1e-3 + 20_000"},
             Row{"\"a\\\"\\\\\\n\"", "\"a\\\"\\\\\\n\""},
             Row{"f( a,b :2 , )", "f(a, b: 2)"},
             Row{"sum [ i<3,.. ] (x)", "sum[i < 3, ..](x)"},
             Row{"(scan t<3 { yield t })[0]", "(scan t < 3 { yield t })[0]"},
         }) {
        CAPTURE(row.text);
        CHECK(canonical("const x = " + std::string(row.text)) == "const x = " + std::string(row.printed) + "\n");
    }
}

TEST_CASE("every comment is kept; those inside of a statement move above it") {
    for (const Row& row : {
             Row{"# a\n\n\n#b\nfn f(x) = x # c\n\n\n# d\n", "# a\n\n#b\nfn f(x) = x  # c\n\n# d\n"},
             Row{"fn f(x) { # a\n  # b\n\n  # c\n  x = 1 # d\n  # e\n} # f",
                 "fn f(x) {  # a\n    # b\n\n    # c\n    x = 1  # d\n    # e\n}  # f\n"},
             Row{"fn f(x) = g(a, # one\n  # two\n  b) # three\n", "# one\n# two\nfn f(x) = g(a, b)  # three\n"},
             Row{"fn f(x) {\n  if a { x = 1 } # p\n  # q\n  else { x = 2 } # r\n}\n",
                 "fn f(x) {\n    # p\n    # q\n    if a { x = 1 } else { x = 2 }  # r\n}\n"},
             Row{"fn f(x) {\n\n  x = 1; # a\n\n\n  # b\n  ;\n  y = 2; z = 3 # c\n\n}\n",
                 "fn f(x) {\n    x = 1  # a\n\n    # b\n    y = 2\n    z = 3  # c\n}\n"},
             Row{"#\n#  x  \nconst a = 1", "#\n#  x\nconst a = 1\n"},
             Row{"fn f(x) = x # a\n # b\n derivative x: g", "# a\n# b\nfn f(x) = x  derivative x: g\n"},
             Row{"train { # a\n batch 3 # b\n # c\n}", "train {  # a\n    batch 3  # b\n    # c\n}\n"},
             Row{"dataset d {\n # only\n}\n", "dataset d {\n    # only\n}\n"},
         }) {
        CAPTURE(row.text);
        CHECK(canonical(row.text) == row.printed);
        CHECK(canonical(row.printed) == row.printed);
    }
}

TEST_CASE("blocks written on one line stay there if they fit") {
    std::string is_long = "very_long_name_of_a_value";
    for (const Row& row : {
             Row{"fn f(x) { y = x; return y }", "fn f(x) { y = x; return y }\n"},
             Row{"fn f(x) { y = x\n return y }", "fn f(x) {\n    y = x\n    return y\n}\n"},
             Row{"fn f(x) { if a { y = x }\n else { y = 2 }; return y\n}",
                 "fn f(x) {\n    if a { y = x } else { y = 2 }\n    return y\n}\n"},
             Row{"fn f(x) { if a {\n y = x } else { y = 2 } }",
                 "fn f(x) {\n    if a {\n        y = x\n    } else {\n        y = 2\n    }\n}\n"},
             Row{"fn f(x) {\n}", "fn f(x) {}\n"},
             Row{"fn f(x) {\n} derivative x: 1", "fn f(x) {}  derivative x: 1\n"},
             Row{"fn f(a, b, c) = a surrogate derivative a: g surrogate derivative b: 1\n derivative c: 0",
                 "fn f(a, b, c) = a  surrogate derivative a: g, b: 1  derivative c: 0\n"},
             Row{"dataset xor { x: f32 = [0, 1]; y = x }", "dataset xor { x: f32 = [0, 1]; y = x }\n"},
             Row{"train{steps 100;loss f()\n}", "train {\n    steps 100\n    loss  f()\n}\n"},
             Row{"fn f(x) { if a { x = 1 } else { if b { x = 2 } } }",
                 "fn f(x) { if a { x = 1 } else if b { x = 2 } }\n"},
         }) {
        CAPTURE(row.text);
        CHECK(canonical(row.text) == row.printed);
        CHECK(canonical(row.printed) == row.printed);
    }
}

TEST_CASE("long lines are broken in brackets and behind operators") {
    std::string name(30, 'a');
    std::string sum = "const x = " + name + " + " + name + " + " + name + " * " + name + "\n";
    CHECK(canonical(sum) == "const x = " + name + " + " + name + " +\n        " + name + " * " + name + "\n");
    std::string call = "const x = f(" + name + ", " + name + ", [" + name + "], b: " + name + ")\n";
    CHECK(canonical(call) == "const x = f(\n        " + name + ",\n        " + name + ",\n        [" + name +
                                 "],\n        b: " + name + "\n    )\n");
    std::string function = "fn f(" + name + ", " + name + ", " + name + ", b) = b\n";
    CHECK(canonical(function) == "fn f(\n    " + name + ",\n    " + name + ",\n    " + name + ",\n    b\n) = b\n");
    std::string numbers = "const x = [";
    for (int i = 0; i < 60; ++i) numbers += (i ? ", " : "") + std::to_string(i);
    std::string printed = canonical(numbers + "]\n");
    CHECK(printed.find("    0, 1, 2, 3") != printed.npos);
    for (const std::string& text : {sum, call, function, numbers + "]\n"}) {
        std::string once = canonical(text);
        CHECK(canonical(once) == once);
        CHECK(tree_of(once) == tree_of(text));
    }
}

TEST_CASE("a scan without brackets is printed readably") {
    std::string text = "fn f(x) {\n    return g(\n        scan t < 3 with h = x {\n            "
                       "yield h\n        },\n"
                       "        2\n    )\n}\n";
    CHECK(canonical(text) == text);
    std::string direct = "fn f(x) = scan t < 3 with h = x {\n    yield h\n}\n";
    CHECK(canonical(direct) == direct);
}
