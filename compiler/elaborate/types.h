// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Written types, matched against terms. Names in shapes are solved at each call, `..` stands for the same axes in the
// whole call, and N matches only the rows. Solved names are bound in the scope, with the place they came from.
#pragma once
#include "compiler/elaborate/promotion.h"

namespace gradc {

/// Matches the arguments or results of one call. Elaborator and scope are not owned.
class Matching {
public:
    Matching(Elaborator& elaborator, Scope& names) : elaborator_(elaborator), names_(names) {}

    /// Matches and converts one value. `what` begins the error message: "`x` of `linear`". Bounds (`< C`) and sizes
    /// with formulas are checked in `finish`. Poisoned after an error.
    Term match(const Term& term, const ast::TypeExpr& type, const std::string& what, Span span, Code code);
    /// Checks bounds and sizes that need every name to be solved.
    void finish();

private:
    struct Later { // a formula in a shape: 2*H
        const ast::Expr* formula;
        int64_t size;
        std::string what;
        Span span;
        Code code;
    };
    struct Bound { // `< C` of a value
        const ast::TypeExpr* type;
        Term term;
        std::string what;
        Span span;
    };
    Term match_constant(const Term& term, const ast::TypeExpr& type, const std::string& what, Span span);
    std::optional<Term> match_dtype(const Term& term, const ast::TypeExpr& type, const std::string& what, Span span,
                                    Code code);
    bool match_shape(const Shape& shape, const ast::TypeExpr& type, const std::string& what, Span span, Code code);
    bool match_size(int64_t size, const ast::Expr& written, const std::string& what, Span span, Code code);
    bool match_group(const Shape& axes, const std::string& what, Span span, Code code);
    void check_bound(const Bound& bound);
    const ast::Field* unbounded_field(NodeId node);
    std::string bounded(const ast::Field& field, const std::string& limit) const;
    std::string limit_of(const ast::TypeExpr& type) const;
    bool report_unbounded(const Bound& bound, NodeId node, const std::string& limit);
    Diagnostic& misfit(const std::string& what, const ast::TypeExpr* type, const std::string& found,
                       const std::string& why, Span span, Code code);

    Elaborator& elaborator_;
    Scope& names_;
    std::vector<Later> later_;
    std::vector<Bound> bounds_;
    const ast::TypeExpr* current_ = nullptr;
    std::string found_;
};

/// Converts a value that is assigned, returned or passed to a type as written. Names in its shape are solved in
/// `names`. `role` begins the error message. Poisoned after an error.
Term convert(Elaborator& elaborator, const Term& term, const ast::TypeExpr& type, Scope& names, const std::string& role,
             Span span);

/// A type whose sizes are all known: of a param, a field, a column of a data set.
struct FullType {
    Type type;
    bool dtype_given = false, shape_given = false;
    std::optional<int64_t> upper; // exclusive bound of integers
};
/// Elaborates a block called `name` for training, evaluation and prediction. Nothing after an error.
std::optional<FullType> full_type(Elaborator& elaborator, const ast::TypeExpr& type, Scope& scope);

} // namespace gradc
